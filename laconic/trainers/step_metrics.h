// The figures of a training step under the names that the console, the report and TensorBoard know.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "laconic/algorithms/objective_config.h"
#include "laconic/algorithms/policy_loss.h"
#include "laconic/algorithms/step.h"
#include "laconic/core/metrics/row.h"

namespace laconic::trainers {

using NamedValues = std::vector<std::pair<std::string, double>>;

// reward/..., completion/..., groups/...: of a step whose rewards and advantages are set.
void add_rollout_metrics(const algorithms::Step& step, NamedValues& values);

// loss/..., kl/mean, entropy/mean, ratio/..., mismatch/..., policy/...: of the sums over a step's updates.
void add_loss_metrics(const algorithms::LossStatistics& statistics, int updates,
                      const algorithms::ObjectiveConfig& config, metrics::MetricRow& row);

}  // namespace laconic::trainers
