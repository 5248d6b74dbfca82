// Group statistics and the advantage estimators.
#pragma once

#include <span>
#include <vector>

#include "laconic/algorithms/objective_config.h"
#include "laconic/algorithms/step.h"

namespace laconic::algorithms {

double mean_of(std::span<const double> values);
// Standard deviation; 0 for fewer than two values.
double std_of(std::span<const double> values, StdKind kind);

// Advantages of one group's rewards. `batch_std` is the std of all rewards of the step (used by batch_std alone).
// A group without variance, or of one, gets exact zeros for every kind but `supplied`.
std::vector<double> group_advantages(const AdvantageConfig& config, std::span<const double> rewards, double batch_std);

// Fills Sample::advantage of every group from Sample::reward, honouring reward_combine.
void estimate_advantages(const ObjectiveConfig& config, Step& step);

}  // namespace laconic::algorithms
