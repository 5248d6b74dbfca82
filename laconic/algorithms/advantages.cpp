#include "laconic/algorithms/advantages.h"

#include <algorithm>
#include <cmath>

#include "laconic/core/base/error.h"
#include "laconic/core/base/strings.h"

namespace laconic::algorithms {
namespace {

// The samples of a group that a reward has been given to.
std::vector<Sample*> scored(Group& group) {
  std::vector<Sample*> samples;
  for (auto& sample : group.samples) {
    if (!sample.unscored) samples.push_back(&sample);
  }
  return samples;
}

std::vector<double> rewards_of(const std::vector<Sample*>& samples) {
  std::vector<double> rewards;
  rewards.reserve(samples.size());
  for (const auto* sample : samples) rewards.push_back(sample->reward);
  return rewards;
}

// Each reward's own group advantage, summed by weight, then standardised over the step (as in GDPO).
void normalize_then_sum(const ObjectiveConfig& config, Step& step) {
  std::vector<double> all;
  for (auto& group : step.groups) {
    for (auto& sample : group.samples) sample.advantage.assign(1, 0.0);
    for (const auto& [name, weight] : config.reward_weights) {
      std::vector<double> values;
      std::vector<Sample*> applicable;
      for (auto& sample : group.samples) {
        if (std::find(sample.inapplicable.begin(), sample.inapplicable.end(), name) != sample.inapplicable.end())
          continue;
        if (sample.given_reward)
          fail(ErrorKind::input,
               "reward_combine: normalize_then_sum needs the named rewards of every completion; one of "
               "prompt {} has a finished reward",
               group.prompt_id);
        values.push_back(sample.named_rewards.at(name));
        applicable.push_back(&sample);
      }
      const auto advantages = group_advantages(config.advantage, values, 0.0);
      for (size_t i = 0; i < values.size(); ++i) applicable[i]->advantage[0] += weight * advantages[i];
    }
    for (const auto* sample : scored(group)) all.push_back(sample->advantage[0]);
  }
  const double mean = mean_of(all);
  const double deviation = std_of(all, config.advantage.std);
  for (auto& group : step.groups) {
    for (auto* sample : scored(group)) {
      sample->advantage[0] =
          deviation > 0 ? (sample->advantage[0] - mean) / (deviation + config.advantage.epsilon) : 0.0;
    }
  }
}

}  // namespace

double mean_of(std::span<const double> values) {
  if (values.empty()) return 0.0;
  double sum = 0;
  for (double v : values) sum += v;
  return sum / static_cast<double>(values.size());
}

double std_of(std::span<const double> values, StdKind kind) {
  if (values.size() < 2) return 0.0;
  if (std::all_of(values.begin(), values.end(), [&](double v) { return v == values.front(); }))
    return 0.0;  // exactly, whatever the mean rounds to
  const double mean = mean_of(values);
  double squares = 0;
  for (double v : values) squares += (v - mean) * (v - mean);
  const auto n = static_cast<double>(values.size());
  return std::sqrt(squares / (kind == StdKind::unbiased ? n - 1 : n));
}

std::vector<double> group_advantages(const AdvantageConfig& config, std::span<const double> rewards, double batch_std) {
  std::vector<double> advantages(rewards.begin(), rewards.end());
  if (config.kind == AdvantageKind::supplied) return advantages;
  const double mean = mean_of(rewards);
  const double deviation = std_of(rewards, config.std);
  if (deviation == 0.0) {
    std::fill(advantages.begin(), advantages.end(), 0.0);
    return advantages;
  }
  const auto n = static_cast<double>(rewards.size());
  for (double& a : advantages) {
    a -= mean;
    switch (config.kind) {
      case AdvantageKind::group_std:
        a /= deviation + config.epsilon;
        break;
      case AdvantageKind::leave_one_out:
        a *= n / (n - 1);
        break;
      case AdvantageKind::batch_std:
        a = batch_std > 0 ? a / (batch_std + config.epsilon) : 0.0;
        break;
      case AdvantageKind::center:
      case AdvantageKind::supplied:
        break;
    }
  }
  return advantages;
}

void estimate_advantages(const ObjectiveConfig& config, Step& step) {
  if (config.reward_combine == RewardCombine::normalize_then_sum) {
    normalize_then_sum(config, step);
    return;
  }
  std::vector<double> all;
  for (auto& group : step.groups) {
    const auto rewards = rewards_of(scored(group));
    all.insert(all.end(), rewards.begin(), rewards.end());
  }
  const double batch_std = std_of(all, config.advantage.std);
  for (auto& group : step.groups) {
    for (auto& sample : group.samples) sample.advantage.assign(1, 0.0);
    const auto samples = scored(group);
    const auto advantages = group_advantages(config.advantage, rewards_of(samples), batch_std);
    for (size_t i = 0; i < advantages.size(); ++i) samples[i]->advantage[0] = advantages[i];
  }
}

}  // namespace laconic::algorithms
