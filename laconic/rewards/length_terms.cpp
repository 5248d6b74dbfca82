#include "laconic/rewards/length_terms.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "laconic/core/base/error.h"

namespace laconic::rewards {

double cosine_length(const CosineLength& shape, bool correct, int64_t length, int64_t limit) {
  LACONIC_CHECK(limit > 0, "a cosine length reward needs a limit, found {}", limit);
  if (shape.margin >= 0 && length + shape.margin >= limit) return shape.exceeded;
  const double begin = correct ? shape.correct_begin : shape.wrong_begin;
  const double end = correct ? shape.correct_end : shape.wrong_end;
  const double share = static_cast<double>(std::min(length, limit)) / static_cast<double>(limit);
  return end + 0.5 * (begin - end) * (1 + std::cos(std::numbers::pi * share));
}

double soft_overlong(int64_t length, int64_t limit, int64_t buffer) {
  if (buffer <= 0) return 0;
  if (length > limit) return -1;
  const int64_t free = limit - buffer;
  return length <= free ? 0 : static_cast<double>(free - length) / static_cast<double>(buffer);
}

std::vector<double> relative_lengths(std::span<const int64_t> lengths, const std::vector<bool>& correct) {
  LACONIC_CHECK(lengths.size() == correct.size(), "{} lengths and {} verdicts", lengths.size(), correct.size());
  std::vector<double> rewards(lengths.size(), 0.0);
  if (lengths.empty()) return rewards;
  const auto [shortest, longest] = std::minmax_element(lengths.begin(), lengths.end());
  if (*shortest == *longest) return rewards;
  for (size_t i = 0; i < lengths.size(); ++i) {
    const double value = 0.5 - static_cast<double>(lengths[i] - *shortest) / static_cast<double>(*longest - *shortest);
    rewards[i] = correct[i] ? value : std::min(0.0, value);
  }
  return rewards;
}

}  // namespace laconic::rewards
