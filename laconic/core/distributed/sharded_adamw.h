// AdamW over the ranks of a run: every rank brings the gradient of its part of a mini-batch, and every rank leaves with
// the same new weights, those of one rank that had the whole mini-batch.
//
//   none       each rank holds all moments; gradients are all-reduced
//   optimizer  each rank holds the moments (and master copies) of its part of the weights (ZeRO 1, Rajbhandari et al.,
//              arXiv 1910.02054): gradients are reduced to the rank that needs them, new weights are gathered
//
// Gradients travel once per update, layer by layer, one layer in flight while the next is packed. Every method but
// discard() is a collective.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "laconic/core/distributed/communicator.h"
#include "laconic/core/distributed/flat_unit.h"
#include "laconic/core/optim/adamw.h"

namespace laconic::distributed {

enum class Shard { none, optimizer };

class ShardedAdamW final : public optim::Optimizer {
 public:
  // The tensors are contiguous and equal on all ranks. `reduction`: the dtype in which gradients travel, f32 or bf16.
  // The communicator outlives the optimizer; alone it is optim::AdamW itself, bit for bit.
  ShardedAdamW(std::vector<optim::TrainedTensor> tensors, const optim::AdamWOptions& options,
               Communicator& communicator, Shard shard, at::ScalarType reduction);

  // Consumes the .grad() of every tensor, which is this rank's part of the sum; absent counts as zero. The norm in the
  // report is that of the whole gradient. Either all ranks skip the step, or none.
  optim::StepReport step(double lr) override;
  void discard() override;

  int64_t steps_taken() const { return adamw_.steps_taken(); }
  int64_t state_bytes() const { return adamw_.state_bytes(); }  // on this rank

  // The whole state, whatever the sharding: on rank 0 as optim::AdamW::state() has it, on the others nothing.
  std::vector<std::pair<std::string, at::Tensor>> state();
  // From a whole state, which every rank gives.
  void restore(const std::vector<std::pair<std::string, at::Tensor>>& state, int64_t steps_taken);

 private:
  // Some tensors that travel together, and the views of this rank's part of them.
  struct Unit {
    std::vector<size_t> tensors;
    FlatUnit flat;
    std::vector<FlatUnit::Piece> pieces;  // this rank's
    std::vector<at::Tensor> parts;        // of the weights, one per piece
  };
  bool sharded() const { return shard_ == Shard::optimizer && !communicator_.alone(); }
  std::vector<optim::TrainedTensor> own_parts();
  std::vector<at::Tensor> weights_of(const Unit& unit) const;
  at::Tensor packed_gradient(const Unit& unit) const;
  void all_reduce_gradients();
  void reduce_to_parts();
  double norm_of_parts() const;
  void gather_weights();
  // The tensors of one kind of state (".exp_avg", ...) of a unit, whole, from the parts of all ranks.
  std::vector<at::Tensor> gather_state(const Unit& unit, const std::vector<at::Tensor>& parts);

  Communicator& communicator_;
  Shard shard_;
  at::ScalarType reduction_;
  std::vector<optim::TrainedTensor> tensors_;
  std::vector<Unit> units_;
  optim::AdamW adamw_;  // over whole tensors, or over this rank's parts
};

}  // namespace laconic::distributed
