// AdamW over the ranks of a run: every rank brings the gradient of its part of a mini-batch, and every rank leaves with
// the same new weights, those of one rank that had the whole mini-batch. What is divided between the ranks: shard.h.
//
// As the model's WeightUse it hears when a gradient is complete (gradient_units.h) and when weights are wanted
// (sharded_weights.h). Without a model that tells it, gradients travel in step(). What a checkpoint needs is no
// collective: each rank writes and reads its own part.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "laconic/core/distributed/communicator.h"
#include "laconic/core/distributed/flat_unit.h"
#include "laconic/core/distributed/gradient_units.h"
#include "laconic/core/distributed/shard.h"
#include "laconic/core/distributed/sharded_weights.h"
#include "laconic/core/model/weight_use.h"
#include "laconic/core/optim/adamw.h"
#include "laconic/core/optim/tensor_parts.h"

namespace laconic::distributed {

class ShardedAdamW final : public optim::Optimizer, public model::WeightUse {
 public:
  // The tensors are contiguous and equal on all ranks. `reduction`: the dtype in which gradients travel, f32 or bf16.
  // The communicator outlives the optimizer; alone it is optim::AdamW itself, bit for bit.
  ShardedAdamW(std::vector<optim::TrainedTensor> tensors, const optim::AdamWOptions& options,
               Communicator& communicator, Shard shard, at::ScalarType reduction);

  void acquire(int64_t unit, model::Pass pass) override;
  void release(int64_t unit, model::Pass pass) override;
  bool moves_weights() const override { return weights_ != nullptr; }
  void begin_uneven_passes() override;
  void end_uneven_passes() override;
  // The backward pass that comes is the last one before step().
  void expect_last_pass();

  // Consumes the .grad() of every tensor, which is this rank's part of the sum; absent counts as zero. The norm in the
  // report is that of the whole gradient. Either all ranks skip the step, or none.
  optim::StepReport step(double lr) override;
  void discard() override;

  int64_t steps_taken() const { return adamw_.steps_taken(); }
  int64_t state_bytes() const { return adamw_.state_bytes(); }  // on this rank

  // Under `parameters`: whole weights on every rank while the result lives, which must end before the next step.
  [[nodiscard]] HeldWeights whole_weights() { return HeldWeights(weights_.get()); }
  // That the ranks agree on the weights; under `parameters` they agree at any time if they did at the beginning.
  void check_weights(const std::string& when);

  // What this rank writes of a checkpoint, as it lies in memory: where anything is divided, an even part of the weights
  // and its part of the state; where nothing is, everything on rank 0 and nothing on the others. Of the state, which is
  // f32, the names are those of optim::AdamW::state().
  optim::TensorParts weight_parts() const;
  optim::TensorParts state_parts() const;
  // Whether all ranks write and read.
  bool divided() const { return shard_ != Shard::none && !communicator_.alone(); }
  // From whole tensors, whoever wrote them: all of them where nothing is divided, with the same calls of the source on
  // every rank; else what this rank has, which are other ones on each.
  void restore_weights(const optim::TensorSource& weights);
  void restore_state(const optim::TensorSource& state, int64_t steps_taken);

 private:
  // A unit and this rank's part of it.
  struct Unit {
    TensorUnit layout;
    std::vector<FlatUnit::Piece> pieces;
    std::vector<at::Tensor> parts;  // of the weights, one per piece
  };
  NamedTensors named_weights() const;
  std::vector<optim::TrainedTensor> own_parts();
  void for_own_pieces(const std::function<void(const optim::TrainedTensor&, const FlatUnit::Piece&)>& body) const;
  void take_sums();
  // That of the whole gradient, which every rank has added up: rank 0's, so that clipping and skipping are the same on
  // all ranks even where they add in another order. An Error of kind numeric where one differs by more than rounding.
  double agreed_norm() const;
  double norm_of_parts() const;
  void gather_weights();

  Communicator& communicator_;
  const Shard shard_;
  const std::vector<optim::TrainedTensor> tensors_;
  const bool tied_;                           // the embedding is the head as well
  std::unique_ptr<ShardedWeights> weights_;   // under `parameters`
  std::unique_ptr<GradientUnits> gradients_;  // of several ranks
  std::vector<Unit> units_;                   // of several ranks
  optim::AdamW adamw_;
};

}  // namespace laconic::distributed
