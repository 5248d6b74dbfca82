#include "laconic/algorithms/objective.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "laconic/algorithms/advantages.h"
#include "laconic/algorithms/shaping.h"
#include "laconic/core/base/error.h"
#include "laconic/core/base/strings.h"

namespace laconic::algorithms {
namespace {

bool says_nothing(const Sample& sample, const std::string& reward) {
  return std::find(sample.inapplicable.begin(), sample.inapplicable.end(), reward) != sample.inapplicable.end();
}

}  // namespace

Needs Objective::needs() const {
  Needs needs;
  needs.reference_logprobs = config_.uses_reference();
  needs.old_logprobs_early = config_.uses_reference() && config_.kl.place == KlPlace::reward;
  return needs;
}

std::vector<PlannedRequest> Objective::plan(const Group& /*prompt*/, uint64_t /*step*/) const {
  PlannedRequest request;
  request.count = config_.group_size;
  return {request};
}

std::vector<PlannedContinuation> Objective::next_round(const Group& /*group*/, int /*round*/, uint64_t /*seed*/,
                                                       uint64_t /*step*/) const {
  return {};
}

bool Objective::keep(const Group& group) const {
  const auto& samples = group.samples;
  const auto correct = static_cast<size_t>(
      std::count_if(samples.begin(), samples.end(), [](const Sample& s) { return s.verdict.correct; }));
  switch (config_.filter.keep) {
    case KeepRule::all:
      return true;
    case KeepRule::mixed_correct:
      return correct > 0 && correct < samples.size();
    case KeepRule::reward_variance:
      return std::any_of(samples.begin(), samples.end(),
                         [&](const Sample& s) { return s.reward != samples.front().reward; });
    case KeepRule::all_correct:
      return !samples.empty() && correct == samples.size();
    case KeepRule::any_exit_correct:
      return std::any_of(samples.begin(), samples.end(),
                         [](const Sample& s) { return s.kind == "exit" && s.verdict.correct && !s.truncated; });
  }
  return true;
}

double Objective::base_reward(const Sample& sample) const {
  if (sample.given_reward) return *sample.given_reward;
  if (config_.reward_weights.empty()) return sample.verdict.correct ? 1.0 : 0.0;
  double sum = 0;
  for (const auto& [name, weight] : config_.reward_weights) {
    if (says_nothing(sample, name)) continue;
    const auto found = sample.named_rewards.find(name);
    if (found == sample.named_rewards.end()) {
      std::vector<std::string> known;
      for (const auto& entry : sample.named_rewards) known.push_back(entry.first);
      fail(ErrorKind::usage,
           "objective.reward_weights names the reward `{}`, which the run does not compute{}; it computes: {}", name,
           did_you_mean(name, known), known.empty() ? "none" : join(known, ", "));
    }
    sum += weight * found->second;
  }
  return sum;
}

void Objective::rewards(Step& step) {
  for (auto& group : step.groups) {
    for (auto& sample : group.samples) {
      sample.reward = base_reward(sample);
      sample.unscored = !config_.reward_weights.empty() && !sample.given_reward &&
                        std::all_of(config_.reward_weights.begin(), config_.reward_weights.end(),
                                    [&](const auto& entry) { return says_nothing(sample, entry.first); });
      if (sample.unscored) sample.weight = 0;
    }
  }
  shape_rewards(step);
}

void Objective::shape_rewards(Step& step) const {
  if (config_.overlong.buffer > 0 && step.max_completion_tokens <= 0)
    fail(ErrorKind::input, "overlong.buffer needs a completion limit (max_completion_tokens), which is absent");
  for (auto& group : step.groups) {
    for (auto& sample : group.samples) {
      sample.reward += config_.overlong.factor *
                       soft_overlong_penalty(sample.length, step.max_completion_tokens, config_.overlong.buffer);
      if (config_.kl.coefficient != 0.0 && config_.kl.place == KlPlace::reward)
        sample.reward -= config_.kl.coefficient * sequence_k1(sample);
      if (!std::isfinite(sample.reward)) {
        fail(ErrorKind::numeric, "the reward of a completion of prompt {} is {}; a reward must be a finite number",
             group.prompt_id, sample.reward);
      }
    }
  }
}

void Objective::advantages(Step& step) {
  estimate_advantages(config_, step);
}

LossTerms Objective::loss(const TokenBatch& batch) const {
  return policy_loss(config_, batch);
}

Metrics Objective::metrics(const Step& /*step*/) const {
  return {};
}

void Objective::restore(const nlohmann::json& state) {
  if (!state.empty())
    fail(ErrorKind::input, "objective `{}` keeps no state, but the checkpoint holds some: {}", config_.name,
         state.dump());
}

}  // namespace laconic::algorithms
