#include "laconic/algorithms/aggregation.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "laconic/core/base/error.h"

namespace laconic::algorithms {

int64_t loss_tokens(const LossConfig& loss, const Sample& sample) {
  if (sample.weight == 0.0 || (loss.mask_truncated && sample.truncated)) return 0;
  if (sample.loss_mask.empty()) return sample.length;
  return std::count_if(sample.loss_mask.begin(), sample.loss_mask.end(), [](uint8_t m) { return m != 0; });
}

Coefficients aggregation_coefficients(const LossConfig& loss, std::span<const Group* const> groups,
                                      int64_t max_completion_tokens) {
  Coefficients result;
  double sequences = 0;
  for (const Group* group : groups) {
    for (const auto& sample : group->samples) {
      sequences += sample.weight != 0.0;
      result.loss_tokens += static_cast<double>(loss_tokens(loss, sample));
    }
  }
  const double constant = loss.constant_norm_tokens.value_or(static_cast<double>(max_completion_tokens));
  if (loss.aggregation == Aggregation::constant_norm && !(constant > 0)) {
    fail(ErrorKind::input,
         "aggregation: constant_norm needs constant_norm_tokens or a completion limit above 0, found {}", constant);
  }
  for (const Group* group : groups) {
    double group_tokens = 0;
    for (const auto& sample : group->samples) group_tokens += static_cast<double>(loss_tokens(loss, sample));
    std::vector<double> factors;
    for (const auto& sample : group->samples) {
      const auto tokens = static_cast<double>(loss_tokens(loss, sample));
      double factor = 0.0;
      if (tokens > 0) {
        switch (loss.aggregation) {
          case Aggregation::seq_mean_token_mean:
            factor = 1.0 / (sequences * tokens);
            break;
          case Aggregation::token_mean:
            factor = 1.0 / result.loss_tokens;
            break;
          case Aggregation::group_token_mean:
            factor = 1.0 / (static_cast<double>(groups.size()) * group_tokens);
            break;
          case Aggregation::constant_norm:
            factor = 1.0 / (sequences * constant);
            break;
          case Aggregation::seq_sum:
            factor = 1.0 / sequences;
            break;
        }
      }
      factors.push_back(factor * sample.weight);
    }
    result.per_sample.push_back(std::move(factors));
  }
  return result;
}

double upper_quantile_threshold(std::vector<double> values, double q) {
  if (values.empty()) return 0.0;
  std::sort(values.begin(), values.end());
  const double place = (1.0 - q) * static_cast<double>(values.size() - 1);
  const auto low = static_cast<size_t>(std::floor(place));
  const size_t high = std::min(low + 1, values.size() - 1);
  return values[low] + (place - static_cast<double>(low)) * (values[high] - values[low]);
}

}  // namespace laconic::algorithms
