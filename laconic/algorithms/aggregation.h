// Global denominators: the factor on each loss token of a sample, fixed for the whole optimizer mini-batch before any
// forward pass.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "laconic/algorithms/objective_config.h"
#include "laconic/algorithms/step.h"

namespace laconic::algorithms {

// Number of loss tokens of a sample (M_i), after mask_truncated; none where its weight is 0.
int64_t loss_tokens(const LossConfig& loss, const Sample& sample);

struct Coefficients {
  std::vector<std::vector<double>> per_sample;  // [group][sample]: factor on each loss token, weight included
  double loss_tokens = 0;                       // of the mini-batch
};

// `groups` are the groups of one optimizer mini-batch over all ranks.
Coefficients aggregation_coefficients(const LossConfig& loss, std::span<const Group* const> groups,
                                      int64_t max_completion_tokens);

// The linearly interpolated (1 - q) quantile of values; values need not be sorted. Empty: 0.
double upper_quantile_threshold(std::vector<double> values, double q);

}  // namespace laconic::algorithms
