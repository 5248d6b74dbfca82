// A machine, or many of them, as `laconic plan` reckons with it: speeds, memory and links. docs/plan.md has the
// formulas.
#pragma once

#include <cstdint>
#include <string>

#include "laconic/core/config/visitor.h"

namespace laconic::trainers {

// What one rank computes on: a GPU, or all cores of a machine.
struct PlanDevice {
  double flops = 0;      // peak of matrix products in the dtype of training, per second
  double memory = 0;     // bytes
  double reserved = 0;   // bytes of it that no tensor gets: runtime, buffers of the collectives, other programs
  double bandwidth = 0;  // peak of reading it, bytes per second
  double train_efficiency = 0.5;      // share of `flops` that training and prefill reach
  double decode_efficiency = 0.5;     // share of `flops` that a decoding step reaches where it is bound by them
  double bandwidth_efficiency = 0.8;  // share of `bandwidth` that decoding and the optimizer reach
  int64_t value_bytes = 2;            // of an activation, a key or a value
  double layer_overhead = 0;          // seconds per layer of a pass that no amount of work shortens
  void visit(config::Visitor& v);
};

// One direction.
struct PlanLink {
  double bandwidth = 0;  // bytes per second
  double latency = 0;    // seconds
  void visit(config::Visitor& v);
};

struct PlanLinks {
  PlanLink within;          // a device's, to the others of its node
  PlanLink between;         // of a whole node, to the other nodes
  double efficiency = 0.8;  // share of the bandwidths that a collective reaches
  void visit(config::Visitor& v);
};

struct PlanHardware {
  std::string name;
  int64_t nodes = 1;
  int64_t devices_per_node = 1;
  PlanDevice device;
  PlanLinks links;

  int64_t devices() const { return nodes * devices_per_node; }
  void visit(config::Visitor& v);
};

// This machine as one device, measured in a moment.
PlanHardware measured_hardware();

// Ring and tree collectives over all devices; `bytes` is the size of the whole tensor. 0 for one device.
class PlanCollectives {
 public:
  explicit PlanCollectives(const PlanHardware& hardware);

  double all_reduce(double bytes) const;  // seconds
  double all_gather(double bytes) const;  // seconds; a reduce-scatter takes as long
  // Sent by each device in one of the two.
  double all_reduce_wire(double bytes) const { return 2.0 * share_ * bytes; }
  double all_gather_wire(double bytes) const { return share_ * bytes; }

 private:
  double share_;  // (W - 1) / W
  double bandwidth_, hop_latency_, tree_latency_;
  double hops_;
};

}  // namespace laconic::trainers
