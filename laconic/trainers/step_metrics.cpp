#include "laconic/trainers/step_metrics.h"

#include <algorithm>
#include <map>

#include "laconic/algorithms/advantages.h"

namespace laconic::trainers {
namespace {

using algorithms::LossStatistics;

double share(double part, double whole) {
  return whole > 0 ? part / whole : 0.0;
}

void add_group_metrics(const algorithms::Step& step, NamedValues& values) {
  double all_correct = 0, none_correct = 0, without_variance = 0;
  for (const auto& group : step.groups) {
    const auto& samples = group.samples;
    const auto correct = std::count_if(samples.begin(), samples.end(), [](const auto& s) { return s.verdict.correct; });
    all_correct += correct == static_cast<std::ptrdiff_t>(samples.size());
    none_correct += correct == 0;
    without_variance +=
        std::all_of(samples.begin(), samples.end(), [&](const auto& s) { return s.reward == samples.front().reward; });
  }
  const auto groups = static_cast<double>(step.groups.size());
  values.emplace_back("groups/all_correct", share(all_correct, groups));
  values.emplace_back("groups/none_correct", share(none_correct, groups));
  values.emplace_back("groups/no_reward_variance", share(without_variance, groups));
}

}  // namespace

void add_rollout_metrics(const algorithms::Step& step, NamedValues& values) {
  std::vector<double> rewards, lengths, correct_lengths, advantages;
  std::map<std::string, std::vector<double>> named;  // of the completions that they apply to
  double correct = 0, truncated = 0, found = 0, unscored = 0;
  for (const auto& group : step.groups) {
    for (const auto& sample : group.samples) {
      if (!sample.unscored) rewards.push_back(sample.reward);
      unscored += sample.unscored;
      lengths.push_back(static_cast<double>(sample.length));
      if (sample.verdict.correct) correct_lengths.push_back(lengths.back());
      advantages.insert(advantages.end(), sample.advantage.begin(), sample.advantage.end());
      correct += sample.verdict.correct;
      truncated += sample.truncated;
      found += sample.verdict.answer_found;
      for (const auto& [name, value] : sample.named_rewards) named[name].push_back(value);
    }
  }
  if (lengths.empty()) return;
  const auto n = static_cast<double>(lengths.size());
  values.emplace_back("reward/mean", algorithms::mean_of(rewards));
  values.emplace_back("reward/std", algorithms::std_of(rewards, algorithms::StdKind::population));
  values.emplace_back("reward/accuracy", correct / n);
  for (const auto& [name, given] : named) {
    if (name != "correct") values.emplace_back("reward/" + name, algorithms::mean_of(given));
  }
  if (unscored > 0) values.emplace_back("reward/unscored", unscored / n);
  values.emplace_back("advantage/mean", algorithms::mean_of(advantages));
  values.emplace_back("completion/mean_tokens", algorithms::mean_of(lengths));
  if (!correct_lengths.empty())
    values.emplace_back("completion/mean_tokens_correct", algorithms::mean_of(correct_lengths));
  values.emplace_back("completion/max_tokens", *std::max_element(lengths.begin(), lengths.end()));
  values.emplace_back("completion/truncated", truncated / n);
  values.emplace_back("completion/answer_found", found / n);
  add_group_metrics(step, values);
}

void add_loss_metrics(const LossStatistics& s, int updates, const algorithms::ObjectiveConfig& config,
                      metrics::MetricRow& row) {
  const double passes = std::max(updates, 1);
  row.set("loss/policy", s.policy_loss / passes);
  if (config.uses_reference()) {
    row.set("kl/mean", share(s.kl_sum, s.tokens));
    row.set("loss/kl", s.kl_loss / passes);
  }
  row.set("entropy/mean", share(s.entropy_sum, s.tokens));
  row.set("ratio/mean", share(s.ratio_sum, s.tokens));
  row.set("ratio/max", s.ratio_max);
  row.set("ratio/clipped_low", share(s.clipped_low, s.tokens));
  row.set("ratio/clipped_high", share(s.clipped_high, s.tokens));
  row.set("mismatch/mean", share(s.mismatch_abs_sum, s.mismatch_tokens));
  row.set("mismatch/max", s.mismatch_abs_max);
  row.set("mismatch/kl", share(s.mismatch_k3_sum, s.mismatch_tokens));
  if (s.weight_square_sum > 0) {
    row.set("mismatch/effective_sample_share", share(s.weight_sum * s.weight_sum / s.weight_square_sum, s.tokens));
    row.set("mismatch/weights_cut", share(s.weights_cut, s.tokens));
  }
  if (config.loss.off_policy_mask) row.set("mismatch/sequences_dropped", s.sequences_dropped);
  row.set("tokens/loss", s.tokens / passes);
}

}  // namespace laconic::trainers
