#include "laconic/trainers/plan_hardware.h"

#include <algorithm>
#include <cmath>

#include "laconic/core/ops/parallel.h"
#include "laconic/trainers/machine_speed.h"
#include "laconic/trainers/memory.h"

namespace laconic::trainers {
namespace {

constexpr double kMostDevices = 1 << 20;

}  // namespace

void PlanDevice::visit(config::Visitor& v) {
  v.field("flops", flops,
          {.help = "peak of matrix products in the dtype of training",
           .min = 0.0,
           .exclusive_min = true,
           .unit = "operations per second"});
  v.field("memory", memory, {.help = "of one device", .min = 0.0, .exclusive_min = true, .unit = "bytes"});
  v.field("reserved", reserved,
          {.help = "of the memory, for the runtime, buffers of collectives and other programs",
           .min = 0.0,
           .unit = "bytes"});
  v.field("bandwidth", bandwidth,
          {.help = "peak of reading the memory", .min = 0.0, .exclusive_min = true, .unit = "bytes per second"});
  const auto share = [](std::string help) {
    return config::FieldInfo{.help = std::move(help), .min = 0.0, .max = 1.0, .exclusive_min = true};
  };
  v.field("train_efficiency", train_efficiency, share("share of flops that training and prefill reach"));
  v.field("decode_efficiency", decode_efficiency,
          share("share of flops that a decoding step reaches where they bound it"));
  v.field("bandwidth_efficiency", bandwidth_efficiency,
          share("share of bandwidth that decoding and the optimizer reach"));
  v.field(
      "value_bytes", value_bytes,
      {.help = "of an activation, a key or a value: 2 on GPUs, 4 on CPUs", .min = 1.0, .max = 8.0, .unit = "bytes"});
  v.field(
      "layer_overhead", layer_overhead,
      {.help = "per layer of a pass, whatever there is to compute: launches, dispatch", .min = 0.0, .unit = "seconds"});
  v.check(flops > 0, "flops", "expected the speed of matrix products, found nothing");
  v.check(memory > 0, "memory", "expected the bytes of memory, found nothing");
  v.check(bandwidth > 0, "bandwidth", "expected the speed of reading the memory, found nothing");
  v.check(memory <= 0 || reserved < memory, "reserved, memory", "expected to reserve less than there is");
}

void PlanLink::visit(config::Visitor& v) {
  v.field("bandwidth", bandwidth, {.help = "in one direction", .min = 0.0, .unit = "bytes per second"});
  v.field("latency", latency, {.help = "of a message", .min = 0.0, .unit = "seconds"});
}

void PlanLinks::visit(config::Visitor& v) {
  v.section("within", within, "of a device, to the others of its node");
  v.section("between", between, "of a whole node, to the other nodes");
  v.field("efficiency", efficiency,
          {.help = "share of the bandwidths that a collective reaches", .min = 0.0, .max = 1.0, .exclusive_min = true});
}

void PlanHardware::visit(config::Visitor& v) {
  v.field("name", name, {.help = "of a node, for people"});
  v.field("nodes", nodes, {.help = "machines", .min = 1.0, .max = kMostDevices});
  v.field("devices_per_node", devices_per_node, {.help = "ranks of a machine", .min = 1.0, .max = 4096.0});
  v.section("device", device, "what one rank computes on");
  v.section("links", links, "between the devices");
  v.check(devices_per_node == 1 || links.within.bandwidth > 0, "devices_per_node, links.within.bandwidth",
          "several devices need a link: expected a bandwidth above 0");
}

PlanHardware measured_hardware() {
  const auto speed = measure_machine_speed();
  PlanHardware hardware;
  hardware.name = fmt::format("this machine, {} threads, measured now", ops::threads());
  hardware.device.flops = speed.flops;
  hardware.device.bandwidth = speed.bandwidth;
  hardware.device.memory = static_cast<double>(machine_memory_bytes());
  hardware.device.reserved = hardware.device.memory - static_cast<double>(available_memory_bytes());
  // What docs/benchmarks.md found of this program on CPUs.
  hardware.device.train_efficiency = 0.7;
  hardware.device.decode_efficiency = 0.6;
  hardware.device.bandwidth_efficiency = 0.8;
  hardware.device.value_bytes = 4;
  return hardware;
}

PlanCollectives::PlanCollectives(const PlanHardware& hardware) {
  const auto devices = static_cast<double>(hardware.devices());
  const auto& links = hardware.links;
  share_ = (devices - 1.0) / devices;
  hops_ = devices - 1.0;
  // Rings of all devices of a node lead through its links to the next node side by side.
  const bool many = hardware.nodes > 1, shared = hardware.devices_per_node > 1;
  bandwidth_ = links.efficiency * (!many     ? links.within.bandwidth
                                   : !shared ? links.between.bandwidth
                                             : std::min(links.within.bandwidth, links.between.bandwidth));
  hop_latency_ = many ? std::max(links.within.latency, links.between.latency) : links.within.latency;
  tree_latency_ = std::ceil(std::log2(static_cast<double>(hardware.nodes))) * links.between.latency +
                  (static_cast<double>(hardware.devices_per_node) - 1.0) * links.within.latency;
}

double PlanCollectives::all_reduce(double bytes) const {
  if (hops_ == 0) return 0;
  const double ring = all_reduce_wire(bytes) / bandwidth_ + 2.0 * hops_ * hop_latency_;
  const double tree = 2.0 * bytes / bandwidth_ + 2.0 * tree_latency_;
  return std::min(ring, tree);
}

double PlanCollectives::all_gather(double bytes) const {
  if (hops_ == 0) return 0;
  return all_gather_wire(bytes) / bandwidth_ + hops_ * hop_latency_;
}

}  // namespace laconic::trainers
