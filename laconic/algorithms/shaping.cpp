#include "laconic/algorithms/shaping.h"

#include "laconic/core/base/error.h"

namespace laconic::algorithms {

double soft_overlong_penalty(int64_t length, int64_t limit, int64_t buffer) {
  if (buffer <= 0) return 0.0;
  if (length > limit) return -1.0;
  const int64_t free = limit - buffer;
  return length <= free ? 0.0 : static_cast<double>(free - length) / static_cast<double>(buffer);
}

double sequence_k1(const Sample& sample) {
  if (sample.logp_old.size() != sample.logp_ref.size() ||
      sample.logp_old.size() != static_cast<size_t>(sample.length)) {
    fail(ErrorKind::input, "kl.place: reward needs logp_old and logp_ref of every token, found {} and {} for {} tokens",
         sample.logp_old.size(), sample.logp_ref.size(), sample.length);
  }
  double sum = 0;
  for (size_t i = 0; i < sample.logp_old.size(); ++i) {
    const bool counted = sample.loss_mask.empty() || sample.loss_mask[i] != 0;
    if (counted) sum += sample.logp_old[i] - sample.logp_ref[i];
  }
  return sum;
}

}  // namespace laconic::algorithms
