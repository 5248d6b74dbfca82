#include "laconic/algorithms/grpo_lambda.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "laconic/algorithms/advantages.h"
#include "laconic/algorithms/method_checks.h"
#include "laconic/algorithms/shaping.h"
#include "laconic/core/base/rng.h"

namespace laconic::algorithms {
namespace {

void visit_alpha(config::Visitor& v, double& alpha) {
  v.field("alpha", alpha,
          {.help = "weight of the length penalty; within a group of right answers the division by the standard "
                   "deviation cancels it",
           .min = 0.0});
}

// Share of right completions.
double ratio_of(const Group& group) {
  const auto& samples = group.samples;
  const auto correct =
      std::count_if(samples.begin(), samples.end(), [](const Sample& sample) { return sample.verdict.correct; });
  return samples.empty() ? 0.0 : static_cast<double>(correct) / static_cast<double>(samples.size());
}

int64_t groups_wanted(double share, Rounding rounding, size_t groups) {
  // What binary fractions leave of 0.29 * 100 must not cost a group.
  constexpr double kSlack = 1e-9;
  const double exact = share * static_cast<double>(groups);
  switch (rounding) {
    case Rounding::floor:
      return static_cast<int64_t>(std::floor(exact + kSlack));
    case Rounding::nearest:
      return static_cast<int64_t>(std::floor(exact + 0.5 + kSlack));
    case Rounding::ceil:
      return static_cast<int64_t>(std::ceil(exact - kSlack));
  }
  return 0;
}

LengthScale scale_of_correct(const Group& group, StdKind std) {
  std::vector<double> lengths;
  for (const auto& sample : group.samples) {
    if (sample.verdict.correct) lengths.push_back(static_cast<double>(sample.length));
  }
  return length_scale(lengths, std);
}

}  // namespace

void GrpoLambdaConfig::visit(config::Visitor& v) {
  v.field("efficiency_share", efficiency_share,
          {.help = "the paper's lambda: share of the step's groups, by their share of right answers, that are rewarded "
                   "for short ones",
           .min = 0.0,
           .max = 1.0});
  visit_alpha(v, alpha);
  v.choice("rounding", rounding, {{"floor", Rounding::floor}, {"nearest", Rounding::nearest}, {"ceil", Rounding::ceil}},
           {.help = "of efficiency_share times the number of groups (the paper does not say)"});
  v.choice("ties", ties, {{"random", TieBreak::random}, {"order", TieBreak::order}},
           {.help = "among groups with equal shares of right answers: a seeded draw, or the order of the prompts (the "
                    "paper does not say)"});
}

void GrpoLambdaConfig::check(config::Visitor& v, const ObjectiveConfig& common) const {
  check_own_reward(v, common);
  check_keeps_all_correct(v, common);
  v.check(common.filter.keep != KeepRule::reward_variance, "filter.keep, name",
          "groups are ranked over the whole step, so their rewards are not known while groups are still being drawn; "
          "expected keep: all");
}

void LengthPenaltyConfig::visit(config::Visitor& v) {
  visit_alpha(v, alpha);
}

void LengthPenaltyConfig::check(config::Visitor& v, const ObjectiveConfig& common) const {
  check_own_reward(v, common);
  check_keeps_all_correct(v, common);
}

EfficiencySelection select_groups(const Step& step, const GrpoLambdaConfig& config) {
  const size_t groups = step.groups.size();
  EfficiencySelection selection;
  selection.chosen.assign(groups, false);
  selection.count = groups_wanted(config.efficiency_share, config.rounding, groups);
  if (selection.count == 0) return selection;
  std::vector<double> ratios, draws;
  for (const auto& group : step.groups) {
    ratios.push_back(ratio_of(group));
    draws.push_back(config.ties == TieBreak::order
                        ? 0.0
                        : uniform_draw({step.seed, step.index, group.prompt_index, 0}, DrawPurpose::tie_break, 0));
  }
  std::vector<size_t> ranking(groups);
  std::iota(ranking.begin(), ranking.end(), size_t{0});
  std::stable_sort(ranking.begin(), ranking.end(), [&](size_t a, size_t b) {
    return ratios[a] != ratios[b] ? ratios[a] > ratios[b] : draws[a] < draws[b];
  });
  for (int64_t i = 0; i < selection.count; ++i) selection.chosen[ranking[static_cast<size_t>(i)]] = true;
  selection.cut_ratio = ratios[ranking[static_cast<size_t>(selection.count - 1)]];
  for (size_t g = 0; g < groups; ++g) {
    if (ratios[g] != selection.cut_ratio) continue;
    ++selection.tied_at_cut;
    selection.chosen_at_cut += selection.chosen[g];
  }
  return selection;
}

GrpoLambda::GrpoLambda(const ObjectiveConfig& common, const LengthPenaltyConfig& own) : Objective(common) {
  own_.efficiency_share = 1.0;
  own_.alpha = own.alpha;
}

void GrpoLambda::rewards(Step& step) {
  const auto selection = select_groups(step, own_);
  for (size_t g = 0; g < step.groups.size(); ++g) {
    auto& group = step.groups[g];
    const auto scale = scale_of_correct(group, config().advantage.std);
    for (auto& sample : group.samples) {
      sample.reward = base_reward(sample);
      if (sample.given_reward || !sample.verdict.correct || !selection.chosen[g]) continue;
      sample.reward -= own_.alpha * relative_length(scale, sample.length);
    }
  }
  shape_rewards(step);
}

Metrics GrpoLambda::metrics(const Step& step) const {
  const auto selection = select_groups(step, own_);
  std::vector<double> efficiency_lengths, other_lengths;
  double single = 0;
  for (size_t g = 0; g < step.groups.size(); ++g) {
    auto& lengths = selection.chosen[g] ? efficiency_lengths : other_lengths;
    for (const auto& sample : step.groups[g].samples) lengths.push_back(static_cast<double>(sample.length));
    single += selection.chosen[g] && scale_of_correct(step.groups[g], config().advantage.std).count == 1;
  }
  const std::string& name = config().name;
  return {{name + "/efficiency_groups", static_cast<double>(selection.count)},
          {name + "/cut_ratio", selection.cut_ratio},
          {name + "/tied_at_cut", static_cast<double>(selection.tied_at_cut)},
          {name + "/chosen_at_cut", static_cast<double>(selection.chosen_at_cut)},
          {name + "/single_correct_groups", single},
          {name + "/efficiency_mean_tokens", mean_of(efficiency_lengths)},
          {name + "/accuracy_mean_tokens", mean_of(other_lengths)}};
}

Method grpo_lambda_method() {
  return method_of<GrpoLambda, GrpoLambdaConfig>(
      "grpo_lambda", "GRPO-lambda: the groups that are most often right are rewarded for short answers",
      [](ObjectiveConfig& c) { c.group_size = 16; });
}

Method length_penalty_method() {
  return method_of<GrpoLambda, LengthPenaltyConfig>(
      "length_penalty", "the plain length penalty: right answers of every group are rewarded for being short",
      [](ObjectiveConfig& c) { c.group_size = 16; });
}

}  // namespace laconic::algorithms
