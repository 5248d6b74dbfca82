// Reward terms computed from lengths and logprobs of one sample.
#pragma once

#include <cstdint>

#include "laconic/algorithms/step.h"

namespace laconic::algorithms {

// DAPO's soft overlong punishment (arXiv 2503.14476, eq. 13): 0 up to limit - buffer, then linear down to -1 at the
// limit, -1 beyond it.
double soft_overlong_penalty(int64_t length, int64_t limit, int64_t buffer);

// sum over tokens of logp_old - logp_ref; both must be present.
double sequence_k1(const Sample& sample);

}  // namespace laconic::algorithms
