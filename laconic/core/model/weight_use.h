// What a model tells whoever divides its weights and gradients between ranks: when it uses which of them.
//
// A unit is what comes and goes together: unit 0 the embedding, 1 .. layers the decoder layers, layers + 1 the final
// norm and the head. Where the head is the embedding's tensor, acquiring the last unit is for both.
//
// The order of the calls: 0, 1, .. layers + 1 in a forward pass, each acquired and released; layers + 1, .. 1, 0 in the
// backward pass. Calls come from the thread that runs the pass.
#pragma once

#include <cstdint>

namespace laconic::model {

enum class Pass {
  inference,  // forward, and no backward pass follows
  forward,    // forward of training
  backward,
};

class WeightUse {
 public:
  virtual ~WeightUse() = default;

  // From here to release() the unit's tensors hold their values, and in a backward pass the gradient may be added to.
  virtual void acquire(int64_t unit, Pass pass) = 0;
  // backward: nothing more is added to the unit's gradient in this pass.
  virtual void release(int64_t unit, Pass pass) = 0;

  // Whether the weights may lie elsewhere after a release.
  virtual bool moves_weights() const { return true; }

  // Between these two calls each rank makes as many passes of inference as it likes, and none of training; otherwise
  // all ranks make the same passes.
  virtual void begin_uneven_passes() = 0;
  virtual void end_uneven_passes() = 0;
};

}  // namespace laconic::model
