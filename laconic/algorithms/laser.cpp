#include "laconic/algorithms/laser.h"

#include <algorithm>

#include "laconic/algorithms/method_checks.h"
#include "laconic/algorithms/repetition.h"
#include "laconic/core/base/error.h"

namespace laconic::algorithms {
namespace {

void check_common(config::Visitor& v, const ObjectiveConfig& common) {
  check_own_reward(v, common);
  check_keeps_all_correct(v, common);
}

Difficulty bucket_of(const Group& group) {
  const auto right = std::count_if(group.samples.begin(), group.samples.end(), OutcomeRewards::succeeded);
  return difficulty_of(right, static_cast<int64_t>(group.samples.size()), /*strict=*/false);
}

bool repetitive(RepetitionFilter filter, const Sample& sample) {
  if (filter == RepetitionFilter::none) return false;
  if (sample.ids.size() != static_cast<size_t>(sample.length)) {
    fail(ErrorKind::input, "repetition_filter needs the `ids` of every completion, found {} for {} tokens",
         sample.ids.size(), sample.length);
  }
  return filter == RepetitionFilter::strict ? has_loop(sample.ids) : repeats_ngrams(sample.ids);
}

bool may_explore(const LaserRules& rules, const Sample& sample) {
  switch (rules.exploration) {
    case Exploration::none:
      return false;
    case Exploration::well_formed:
      return sample.verdict.format_ok && !sample.verdict.correct;
    case Exploration::any_wrong:
      return !OutcomeRewards::succeeded(sample);
  }
  return false;
}

void laser_defaults(ObjectiveConfig& common) {
  common.loss.aggregation = Aggregation::token_mean;
  common.loss.clip_high = 0.28;
}

double share(double part, double whole) {
  return whole > 0 ? part / whole : 0.0;
}

}  // namespace

void LaserRules::visit(config::Visitor& v) {
  v.field("alpha", alpha, {.help = "size of the step", .min = 0.0});
  v.choice("form", form,
           {{"bonus", LengthForm::bonus}, {"penalty", LengthForm::penalty}, {"hybrid", LengthForm::hybrid}},
           {.help = "right answers gain alpha within the target (paper), lose it beyond, or both (code)"});
  outcome.visit(v);
}

void LaserConfig::visit(config::Visitor& v) {
  rules.visit(v);
  v.field("target_tokens", target_tokens, {.help = "the target length", .min = 1.0, .unit = "tokens"});
}

void LaserConfig::check(config::Visitor& v, const ObjectiveConfig& common) const {
  check_common(v, common);
}

void LaserDConfig::visit(config::Visitor& v) {
  rules.visit(v);
  targets.visit(v);
}

void LaserDConfig::check(config::Visitor& v, const ObjectiveConfig& common) const {
  check_common(v, common);
}

void LaserDeConfig::visit(config::Visitor& v) {
  rules.visit(v);
  targets.visit(v);
  v.choice(
      "exploration", rules.exploration,
      {{"well_formed", Exploration::well_formed}, {"any_wrong", Exploration::any_wrong}, {"none", Exploration::none}},
      {.help = "which answers beyond the target gain alpha: wrong ones that are well formed (-0.5 becomes 0), or "
               "malformed ones as well (the formula [R != 1] read literally)"});
  v.choice(
      "repetition_filter", rules.repetition_filter,
      {{"none", RepetitionFilter::none},
       {"laser_code", RepetitionFilter::laser_code},
       {"strict", RepetitionFilter::strict}},
      {.help = "which of these repeat themselves and gain nothing: none is looked at (paper), the n-gram rule of the "
               "released code, which refuses nearly every long text, or loops alone"});
  v.check(rules.exploration != Exploration::none || rules.repetition_filter == RepetitionFilter::none,
          "repetition_filter, exploration", "without exploration there is nothing to filter");
}

void LaserDeConfig::check(config::Visitor& v, const ObjectiveConfig& common) const {
  check_common(v, common);
}

LaserTerm laser_term(const LaserRules& rules, const Sample& sample, int64_t target) {
  LaserTerm term;
  const bool within = sample.length <= target;
  if (OutcomeRewards::succeeded(sample)) {
    term.bonus = within && rules.form != LengthForm::penalty;
    const bool charged = !within && rules.form != LengthForm::bonus;
    term.value = term.bonus ? rules.alpha : (charged ? -rules.alpha : 0.0);
  } else if (!within && may_explore(rules, sample)) {
    term.repetitive = repetitive(rules.repetition_filter, sample);
    term.exploration = !term.repetitive;
    term.value = term.exploration ? rules.alpha : 0.0;
  }
  return term;
}

Needs Laser::needs() const {
  Needs needs = Objective::needs();
  needs.monitor_every = monitor_every_;
  return needs;
}

int64_t Laser::target_of(const Group& group, const Step& step) const {
  return fixed_target_ ? *fixed_target_ : targets_.target(bucket_of(group), step);
}

void Laser::rewards(Step& step) {
  for (auto& group : step.groups) {
    const int64_t target = target_of(group, step);
    for (auto& sample : group.samples)
      sample.reward = sample.given_reward ? *sample.given_reward
                                          : rules_.outcome.of(sample) + laser_term(rules_, sample, target).value;
  }
  shape_rewards(step);
}

Metrics Laser::metrics(const Step& step) const {
  double samples = 0, succeeded = 0, bonus = 0, exploration = 0, repetitive = 0;
  std::array<double, 3> groups{};
  for (const auto& group : step.groups) {
    ++groups[static_cast<size_t>(bucket_of(group))];
    const int64_t target = target_of(group, step);
    for (const auto& sample : group.samples) {
      if (sample.given_reward) continue;
      const auto term = laser_term(rules_, sample, target);
      ++samples;
      succeeded += OutcomeRewards::succeeded(sample);
      bonus += term.bonus;
      exploration += term.exploration;
      repetitive += term.repetitive;
    }
  }
  const std::string& name = config().name;
  Metrics values = {{name + "/bonus_share", share(bonus, samples)},
                    {name + "/bonus_share_of_correct", share(bonus, succeeded)}};
  if (fixed_target_) {
    values.emplace_back(name + "/target", static_cast<double>(*fixed_target_));
    return values;
  }
  for (const auto difficulty : kDifficulties) {
    const std::string bucket = to_string(difficulty);
    values.emplace_back(name + "/target_" + bucket, static_cast<double>(targets_.target(difficulty, step)));
    values.emplace_back(name + "/groups_" + bucket, groups[static_cast<size_t>(difficulty)]);
    values.emplace_back(name + "/monitor_" + bucket, static_cast<double>(targets_.prompts(difficulty)));
  }
  if (rules_.exploration != Exploration::none) {
    values.emplace_back(name + "/exploration_share", share(exploration, samples));
    values.emplace_back(name + "/repetitive_share", share(repetitive, repetitive + exploration));
  }
  return values;
}

void Laser::restore(const nlohmann::json& state) {
  if (fixed_target_) {
    Objective::restore(state);
  } else {
    targets_.restore(state, config().name);
  }
}

Method laser_method() {
  return method_of<Laser, LaserConfig>("laser", "LASER: a bonus for right answers within a target length",
                                       laser_defaults);
}

Method laser_d_method() {
  return method_of<Laser, LaserDConfig>(
      "laser_d", "LASER-D: LASER with a target for each difficulty, chosen on a monitor set", laser_defaults);
}

Method laser_de_method() {
  return method_of<Laser, LaserDeConfig>("laser_de", "LASER-DE: LASER-D, and wrong answers beyond the target lose less",
                                         laser_defaults);
}

}  // namespace laconic::algorithms
