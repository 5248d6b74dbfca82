// Reward terms computed from lengths and logprobs of one sample.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "laconic/algorithms/objective_config.h"
#include "laconic/algorithms/step.h"

namespace laconic::algorithms {

// DAPO's soft overlong punishment (arXiv 2503.14476, eq. 13): 0 up to limit - buffer, then linear down to -1 at the
// limit, -1 beyond it.
double soft_overlong_penalty(int64_t length, int64_t limit, int64_t buffer);

// Mean and standard deviation of some lengths, for penalties that compare a length with its group (Arora and Zanette,
// arXiv 2502.04463).
struct LengthScale {
  double mean = 0.0;
  double deviation = 0.0;
  size_t count = 0;
};
LengthScale length_scale(const std::vector<double>& lengths, StdKind std);
// The logistic function of (length - mean) / deviation; 1/2 where there is no deviation (equal lengths, or one alone).
double relative_length(const LengthScale& scale, int64_t length);

// Right, and with no second end of thinking among its tokens. Where the tokens are not known the verdict decides, of
// the answer and of the format.
bool right_and_closed_once(const Sample& sample);

// sum over tokens of logp_old - logp_ref; both must be present.
double sequence_k1(const Sample& sample);

}  // namespace laconic::algorithms
