#include "laconic/algorithms/shaping.h"

#include <algorithm>
#include <cmath>

#include "laconic/algorithms/advantages.h"
#include "laconic/core/base/error.h"
#include "laconic/rewards/length_terms.h"

namespace laconic::algorithms {

double soft_overlong_penalty(int64_t length, int64_t limit, int64_t buffer) {
  return rewards::soft_overlong(length, limit, buffer);
}

LengthScale length_scale(const std::vector<double>& lengths, StdKind std) {
  return {mean_of(lengths), std_of(lengths, std), lengths.size()};
}

double relative_length(const LengthScale& scale, int64_t length) {
  if (scale.deviation == 0.0) return 0.5;
  return 1.0 / (1.0 + std::exp((scale.mean - static_cast<double>(length)) / scale.deviation));
}

bool right_and_closed_once(const Sample& sample) {
  if (!sample.verdict.correct) return false;
  if (sample.ids.empty()) return sample.verdict.format_ok;
  if (!sample.thinking_end) return true;
  const int32_t end = sample.ids.at(static_cast<size_t>(*sample.thinking_end));
  return std::count(sample.ids.begin(), sample.ids.end(), end) == 1;
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
