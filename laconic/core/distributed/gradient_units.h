// The gradient of a model on its way between the ranks. The .grad() of a unit's tensors are views of one f32 buffer,
// which the backward pass adds to and which is reduced as it lies, while the pass goes on with other units.
//
//   none       sums replace the gradient on every rank; a unit travels once per update
//   optimizer  each rank receives the sums of its part; a unit travels once per update
//   gradients, parameters  the same, but a unit travels in every backward pass, and its buffer is there for as long
//
// The calls are collectives: all ranks make the same ones. One unit is on its way while the next is computed.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "laconic/core/distributed/communicator.h"
#include "laconic/core/distributed/flat_unit.h"
#include "laconic/core/distributed/shard.h"

namespace laconic::distributed {

class GradientUnits {
 public:
  // Units of `tensors`, in the order of the forward pass. `reduction`: the dtype in which gradients travel. Sums are
  // f32.
  GradientUnits(std::vector<TensorUnit> units, std::vector<at::Tensor> tensors, Communicator& communicator, Shard shard,
                at::ScalarType reduction);

  // Makes the .grad() of the unit's tensors, zeros where there were none; what was there is taken over.
  void prepare(size_t unit);
  // This rank adds nothing more to the unit in this backward pass.
  void complete(size_t unit);
  // The backward pass that comes is the last one before finish().
  void expect_last_pass() { last_pass_ = true; }
  // Sends whatever has not travelled. From here on the sums are there: in .grad() for `none`, else in sums().
  void finish();
  // [shard] f32, this rank's part; between finish() and discard().
  const at::Tensor& sums(size_t unit) const { return states_[unit].sums; }
  // Forgets all gradients; no collective.
  void discard();

 private:
  struct State {
    at::Tensor buffer;  // [padded] f32, of which .grad() are views; undefined where there is none
    at::Tensor sums;
    bool sent = false;  // since the last update
  };
  struct InFlight {
    size_t unit;
    at::Tensor payload, received;
    Pending pending;
  };
  bool keeps_parts() const { return shard_ != Shard::none; }
  bool due() const { return last_pass_ || shard_ == Shard::gradients || shard_ == Shard::parameters; }
  void clear_gradients(size_t unit);
  void send(size_t unit);
  void receive();

  const std::vector<TensorUnit> units_;
  const std::vector<at::Tensor> tensors_;
  Communicator& communicator_;
  const Shard shard_;
  const at::ScalarType reduction_;
  std::vector<State> states_;  // of the units
  std::optional<InFlight> in_flight_;
  bool last_pass_ = false;
};

}  // namespace laconic::distributed
