#include "laconic/algorithms/length_baselines.h"

#include <algorithm>
#include <cmath>

#include "laconic/algorithms/advantages.h"
#include "laconic/algorithms/method_checks.h"
#include "laconic/algorithms/shaping.h"

namespace laconic::algorithms {
namespace {

template <typename Reward>
struct BaselineConfig : OwnConfig<BaselineConfig<Reward>> {
  Reward reward;
  void visit(config::Visitor& v) override { reward.visit(v); }
  void check(config::Visitor& v, const ObjectiveConfig& common) const override {
    check_own_reward(v, common);
    check_keeps_all_correct(v, common);
  }
};

template <typename Reward>
class Baseline final : public Objective {
 public:
  Baseline(const ObjectiveConfig& common, const BaselineConfig<Reward>& own) : Objective(common), reward_(own.reward) {}

  void rewards(Step& step) override {
    for (auto& group : step.groups) {
      for (size_t i = 0; i < group.samples.size(); ++i) {
        auto& sample = group.samples[i];
        sample.reward = sample.given_reward ? *sample.given_reward : reward_.of(group, i, config().advantage.std);
      }
    }
    shape_rewards(step);
  }

  // What right and other answers are worth after their length counted.
  Metrics metrics(const Step& step) const override {
    std::vector<double> right, wrong;
    for (const auto& group : step.groups) {
      for (size_t i = 0; i < group.samples.size(); ++i) {
        const auto& sample = group.samples[i];
        if (sample.given_reward) continue;
        (OutcomeRewards::succeeded(sample) ? right : wrong).push_back(reward_.of(group, i, config().advantage.std));
      }
    }
    return {{config().name + "/reward_right", mean_of(right)}, {config().name + "/reward_wrong", mean_of(wrong)}};
  }

 private:
  Reward reward_;
};

template <typename Reward>
Method baseline(std::string name, std::string help) {
  return method_of<Baseline<Reward>, BaselineConfig<Reward>>(std::move(name), std::move(help), {});
}

void visit_target(config::Visitor& v, int64_t& target) {
  v.field("target_tokens", target, {.help = "the target length", .min = 1.0, .unit = "tokens"});
}

void visit_slope(config::Visitor& v, double& alpha) {
  v.field("alpha", alpha, {.help = "reward per token of distance from the target", .min = 0.0});
}

}  // namespace

void TruncationReward::visit(config::Visitor& v) {
  outcome.visit(v);
  visit_target(v, target_tokens);
}

double TruncationReward::of(const Group& group, size_t index, StdKind /*std*/) const {
  const Sample& sample = group.samples[index];
  return sample.length <= target_tokens ? outcome.of(sample) : outcome.wrong;
}

void GroupPenaltyReward::visit(config::Visitor& v) {
  outcome.visit(v);
  v.field("alpha", alpha, {.help = "weight of the penalty", .min = 0.0});
  v.choice(
      "single_correct", single_correct, {{"neutral", SingleCorrect::neutral}, {"full", SingleCorrect::full}},
      {.help = "penalty of the only right completion of a group, whose standard deviation is not defined: alpha/2, or "
               "alpha as in LASER's released code"});
}

double GroupPenaltyReward::of(const Group& group, size_t index, StdKind std) const {
  const Sample& sample = group.samples[index];
  if (!OutcomeRewards::succeeded(sample)) return outcome.of(sample);
  std::vector<double> lengths;
  for (const auto& other : group.samples) {
    if (OutcomeRewards::succeeded(other)) lengths.push_back(static_cast<double>(other.length));
  }
  if (lengths.size() == 1 && single_correct == SingleCorrect::full) return 1.0 - alpha;
  return 1.0 - alpha * relative_length(length_scale(lengths, std), sample.length);
}

void KimiLengthReward::visit(config::Visitor& v) {
  outcome.visit(v);
  v.field("weight", weight, {.help = "of the length term, which lies in [-0.5, 0.5]", .min = 0.0});
}

double KimiLengthReward::of(const Group& group, size_t index, StdKind /*std*/) const {
  const auto [shortest, longest] = std::minmax_element(
      group.samples.begin(), group.samples.end(), [](const Sample& a, const Sample& b) { return a.length < b.length; });
  const Sample& sample = group.samples[index];
  const auto range = static_cast<double>(longest->length - shortest->length);
  double term = range > 0 ? 0.5 - static_cast<double>(sample.length - shortest->length) / range : 0.0;
  if (!OutcomeRewards::succeeded(sample)) term = std::min(0.0, term);
  return outcome.of(sample) + weight * term;
}

void L1ExactReward::visit(config::Visitor& v) {
  outcome.visit(v);
  visit_slope(v, alpha);
  visit_target(v, target_tokens);
}

double L1ExactReward::of(const Group& group, size_t index, StdKind /*std*/) const {
  const Sample& sample = group.samples[index];
  return outcome.of(sample) - alpha * static_cast<double>(std::abs(sample.length - target_tokens));
}

void L1MaxReward::visit(config::Visitor& v) {
  visit_slope(v, alpha);
  v.field("delta", delta, {.help = "reward of a right answer of exactly the target length"});
  visit_target(v, target_tokens);
}

double L1MaxReward::of(const Group& group, size_t index, StdKind /*std*/) const {
  const Sample& sample = group.samples[index];
  if (!OutcomeRewards::succeeded(sample)) return 0.0;
  return std::clamp(alpha * static_cast<double>(target_tokens - sample.length) + delta, 0.0, 1.0);
}

std::vector<Method> length_baseline_methods() {
  return {
      baseline<TruncationReward>("truncation", "right answers within a target length, all others wrong"),
      baseline<GroupPenaltyReward>("group_penalty", "right answers are charged for their length beside the group's"),
      baseline<KimiLengthReward>("kimi_length", "the length reward of Kimi k1.5"),
      baseline<L1ExactReward>("l1_exact", "a charge for each token of distance from the target"),
      baseline<L1MaxReward>("l1_max", "right answers are worth more the further they stay below the target")};
}

}  // namespace laconic::algorithms
