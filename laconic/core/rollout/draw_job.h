// The next token of a sequence, predicted by a row of the step or by the hidden state of its prompt.
#pragma once

#include <cstdint>

#include "laconic/core/ops/sampler.h"
#include "laconic/core/rollout/sequence.h"

namespace laconic::rollout {

struct DrawJob {
  Sequence* sequence = nullptr;
  int64_t row = -1;       // of the step; -1: the prompt's state
  int64_t index = 0;      // of the token in the completion
  bool drawn = true;      // false: a forced token is scored
  ops::DrawnToken token;  // the result
};

}  // namespace laconic::rollout
