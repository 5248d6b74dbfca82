// Weights of which each rank keeps its part, and which are whole where they are in use (ZeRO 3, and as FSDP does it).
//
// The tensors of a unit are views of one storage, which has memory while the unit is acquired or held only. The unit
// that the pass comes to next is gathered ahead. In training the last unit stays from the forward to the backward pass,
// which begins with it, and so does an embedding that is the head as well.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "laconic/core/distributed/communicator.h"
#include "laconic/core/distributed/flat_unit.h"
#include "laconic/core/model/weight_use.h"
#include "laconic/core/optim/tensor_parts.h"

namespace laconic::distributed {

using NamedTensors = std::vector<std::pair<std::string, at::Tensor>>;

// Everything but the constructor, read() and part() is a collective.
class ShardedWeights final : public model::WeightUse {
 public:
  // All weights of a model, in its order, with the same values on all ranks: contiguous, of one dtype. The communicator
  // outlives this.
  ShardedWeights(NamedTensors weights, Communicator& communicator);

  void acquire(int64_t unit, model::Pass pass) override;
  void release(int64_t unit, model::Pass pass) override;
  void begin_uneven_passes() override;
  void end_uneven_passes() override;

  // From hold() to let_go() all of them are whole, whatever is acquired and released. May be nested.
  void hold();
  void let_go();
  // Whatever is whole is so no longer: the parts are about to change. Not while held.
  void expire();

  // Takes this rank's part from `source`, which holds these weights and nothing else.
  void read(const optim::TensorSource& source);
  // An Error, as of check_same_weights(), where the ranks were not given the same values. Not after read(): from then
  // on no weight is held twice.
  void check(const std::string& when);

  // [shard], this rank's part of a unit.
  const at::Tensor& part(size_t unit) const { return units_[unit].part; }

 private:
  struct Unit {
    TensorUnit layout;
    at::Tensor whole;  // [padded], often without memory
    at::Tensor part;   // [shard]
    std::optional<Pending> gathering;
    bool there = false;
  };
  bool is_layer(int64_t unit) const { return unit > 0 && unit < last(); }
  int64_t last() const { return static_cast<int64_t>(units_.size()) - 1; }
  Unit& of(int64_t unit) { return units_[static_cast<size_t>(unit)]; }
  void gather(int64_t unit);   // begins
  void bring(int64_t unit);    // returns when it is there
  void give_up(int64_t unit);  // its memory, unless held
  void keep_part(Unit& unit);  // of what is whole
  void remember_given();

  const NamedTensors weights_;
  Communicator& communicator_;
  const bool tied_;
  std::vector<Unit> units_;
  std::vector<int64_t> given_;  // checksums of what the ranks were given, until they have been compared
  int holds_ = 0;
  bool uneven_ = false;
};

// Whole weights for as long as it lives.
class HeldWeights {
 public:
  // Null: there is nothing to hold.
  explicit HeldWeights(ShardedWeights* weights = nullptr) : weights_(weights) {
    if (weights_ != nullptr) weights_->hold();
  }
  HeldWeights(HeldWeights&& other) noexcept : weights_(std::exchange(other.weights_, nullptr)) {}
  HeldWeights& operator=(HeldWeights&&) = delete;
  ~HeldWeights() {
    if (weights_ != nullptr) weights_->let_go();
  }

 private:
  ShardedWeights* weights_;
};

}  // namespace laconic::distributed
