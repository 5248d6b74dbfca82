#include "laconic/algorithms/pear.h"

#include <algorithm>
#include <span>

#include "laconic/algorithms/advantages.h"
#include "laconic/algorithms/method_checks.h"
#include "laconic/core/base/error.h"

namespace laconic::algorithms {

void PearConfig::visit(config::Visitor& v) {
  v.field("alpha", alpha, {.help = "weight of the answer's entropy, which is subtracted from that of the thinking"});
  v.field("correct_reward", correct_reward, {.help = "reward of a right answer before the penalty"});
  v.field("wrong_reward", wrong_reward, {.help = "reward of a wrong or unreadable answer"});
  v.field("correct_floor", correct_floor,
          {.help = "least reward of a right answer; null = none, as published: thinking above 1 nat can make a right "
                   "answer worth less than a wrong one (0.05 avoids that)"});
  v.check(!correct_floor || *correct_floor <= correct_reward, "correct_floor, correct_reward",
          "the least reward of a right answer must not be above correct_reward");
}

void PearConfig::check(config::Visitor& v, const ObjectiveConfig& common) const {
  check_own_reward(v, common);
  check_keeps_all_correct(v, common);
}

PhaseEntropies phase_entropies(const Sample& sample) {
  if (sample.entropy.size() != static_cast<size_t>(sample.length)) {
    fail(ErrorKind::input, "the objective needs `entropy` of every token before rewards, found {} values for {} tokens",
         sample.entropy.size(), sample.length);
  }
  const std::span<const double> all(sample.entropy);
  if (!sample.thinking_end) return {mean_of(all), 0.0};
  const auto end = static_cast<size_t>(*sample.thinking_end);
  LACONIC_CHECK(end < all.size(), "thinking ends at token {} of {}", end, all.size());
  return {mean_of(all.first(end)), mean_of(all.subspan(end + 1))};
}

Needs Pear::needs() const {
  Needs needs = Objective::needs();
  needs.rollout_entropy = true;
  return needs;
}

void Pear::rewards(Step& step) {
  for (auto& group : step.groups) {
    for (auto& sample : group.samples) {
      if (sample.given_reward || !sample.verdict.correct) {
        sample.reward = sample.given_reward.value_or(own_.wrong_reward);
        continue;
      }
      const auto entropies = phase_entropies(sample);
      const double penalty = std::max(0.0, entropies.thinking - own_.alpha * entropies.answer);
      sample.reward = std::min(1.0, own_.correct_reward - penalty);
      if (own_.correct_floor) sample.reward = std::max(sample.reward, *own_.correct_floor);
    }
  }
  shape_rewards(step);
}

Metrics Pear::metrics(const Step& step) const {
  std::vector<double> thinking, answer, penalties;
  double not_positive = 0;
  for (const auto& group : step.groups) {
    for (const auto& sample : group.samples) {
      if (sample.given_reward) continue;
      const auto entropies = phase_entropies(sample);
      thinking.push_back(entropies.thinking);
      answer.push_back(entropies.answer);
      if (!sample.verdict.correct) continue;
      penalties.push_back(std::max(0.0, entropies.thinking - own_.alpha * entropies.answer));
      not_positive += sample.reward <= 0.0;
    }
  }
  return {
      {"pear/entropy_thinking", mean_of(thinking)},
      {"pear/entropy_answer", mean_of(answer)},
      {"pear/penalty_correct", mean_of(penalties)},
      {"pear/correct_not_positive", penalties.empty() ? 0.0 : not_positive / static_cast<double>(penalties.size())}};
}

Method pear_method() {
  return method_of<Pear, PearConfig>("pear", "PEAR: thinking that is more uncertain than its answer costs reward", {});
}

}  // namespace laconic::algorithms
