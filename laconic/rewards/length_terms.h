// Length terms of a reward: small pure functions of a completion's length in tokens.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace laconic::rewards {

// The reward moves on half a cosine from the value at length 0 to the value at `limit` (arXiv 2502.03373):
// end + (begin - end) / 2 * (1 + cos(pi * length / limit)).
struct CosineLength {
  double correct_begin = 2, correct_end = 1;
  double wrong_begin = -10, wrong_end = 0;
  double exceeded = -10;  // from `margin` tokens below the limit on, right or wrong
  int64_t margin = 16;    // -1: no such value; lengths beyond the limit count as the limit
};
double cosine_length(const CosineLength& shape, bool correct, int64_t length, int64_t limit);

// DAPO's soft overlong punishment (arXiv 2503.14476, eq. 13): 0 up to limit - buffer, then linear down to -1 at the
// limit, -1 beyond it. 0 everywhere when buffer is 0.
double soft_overlong(int64_t length, int64_t limit, int64_t buffer);

// Kimi k1.5 (arXiv 2501.12599): within a group, 0.5 - (length - shortest) / (longest - shortest) for a right
// completion, the lesser of that and 0 for a wrong one; 0 for all when all are of one length.
std::vector<double> relative_lengths(std::span<const int64_t> lengths, const std::vector<bool>& correct);

}  // namespace laconic::rewards
