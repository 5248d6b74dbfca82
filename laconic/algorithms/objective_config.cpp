#include "laconic/algorithms/objective_config.h"

#include "laconic/core/base/error.h"

namespace laconic::algorithms {

void AdvantageConfig::visit(config::Visitor& v) {
  v.choice(
      "kind", kind,
      {{"group_std", AdvantageKind::group_std},
       {"center", AdvantageKind::center},
       {"leave_one_out", AdvantageKind::leave_one_out},
       {"batch_std", AdvantageKind::batch_std},
       {"supplied", AdvantageKind::supplied}},
      {.help = "how rewards become advantages: (r - mean)/std of the group, r - mean, leave-one-out, (r - mean of the "
               "group)/std of all rewards of the step, or the reward as it is"});
  v.choice("std", std, {{"unbiased", StdKind::unbiased}, {"population", StdKind::population}},
           {.help = "standard deviation with n - 1 or n in the denominator"});
  v.field("epsilon", epsilon, {.help = "added to the standard deviation", .min = 0.0});
}

void LossConfig::visit(config::Visitor& v) {
  v.choice("kind", kind,
           {{"clipped", LossKind::clipped},
            {"cispo", LossKind::cispo},
            {"sapo", LossKind::sapo},
            {"vespo", LossKind::vespo},
            {"reinforce", LossKind::reinforce}},
           {.help = "the per-token policy term"});
  v.choice(
      "ratio", ratio,
      {{"token", RatioKind::token},
       {"sequence_mean", RatioKind::sequence_mean},
       {"sequence_product", RatioKind::sequence_product}},
      {.help = "importance ratio of each token, or one per sequence (geometric mean or product over its loss tokens)"});
  v.field("clip_low", clip_low, {.help = "lower clip: the ratio is bounded by 1 - clip_low", .min = 0.0});
  v.field("clip_high", clip_high, {.help = "upper clip: the ratio is bounded by 1 + clip_high", .min = 0.0});
  v.field("ratio_cap", ratio_cap,
          {.help = "two-sided clipping: cap of the ratio in the unclipped branch", .min = 0.0, .exclusive_min = true});
  v.field("dual_clip", dual_clip,
          {.help = "c > 1: for a negative advantage the token loss is at most -c * advantage",
           .min = 1.0,
           .exclusive_min = true});
  v.field("cispo_cap", cispo_cap, {.help = "cispo: cap of the detached ratio", .min = 0.0, .exclusive_min = true});
  v.field("sapo_temperature_positive", sapo_temperature_positive,
          {.help = "sapo: gate temperature for positive advantages", .min = 0.0, .exclusive_min = true});
  v.field("sapo_temperature_negative", sapo_temperature_negative,
          {.help = "sapo: gate temperature for the other advantages", .min = 0.0, .exclusive_min = true});
  v.field("vespo_power_positive", vespo_power_positive,
          {.help = "vespo: exponent of the sequence weight for advantages >= 0", .min = 0.0});
  v.field("vespo_rate_positive", vespo_rate_positive,
          {.help = "vespo: exponential rate for advantages >= 0", .min = 0.0});
  v.field("vespo_power_negative", vespo_power_negative,
          {.help = "vespo: exponent of the sequence weight for advantages < 0", .min = 0.0});
  v.field("vespo_rate_negative", vespo_rate_negative,
          {.help = "vespo: exponential rate for advantages < 0", .min = 0.0});
  v.choice(
      "aggregation", aggregation,
      {{"seq_mean_token_mean", Aggregation::seq_mean_token_mean},
       {"token_mean", Aggregation::token_mean},
       {"group_token_mean", Aggregation::group_token_mean},
       {"constant_norm", Aggregation::constant_norm},
       {"seq_sum", Aggregation::seq_sum}},
      {.help = "how token terms become one number; denominators are those of the whole mini-batch over all ranks"});
  v.field("constant_norm_tokens", constant_norm_tokens,
          {.help = "constant_norm: the constant; null = the completion limit", .min = 0.0, .exclusive_min = true});
  v.field("entropy_quantile", entropy_quantile,
          {.help = "q < 1: only tokens whose entropy is in the top share q of the mini-batch carry policy loss",
           .min = 0.0,
           .max = 1.0,
           .exclusive_min = true});
  v.field("off_policy_mask", off_policy_mask,
          {.help = "drop a sequence with a negative advantage whose mean (sampling logprob - logprob) exceeds this"});
  v.field("mask_truncated", mask_truncated, {.help = "completions that hit the limit carry no loss"});
  v.check(kind == LossKind::clipped || !dual_clip, "dual_clip, kind", "dual_clip belongs to kind: clipped");
  v.check(kind == LossKind::clipped || !ratio_cap, "ratio_cap, kind", "ratio_cap belongs to kind: clipped");
  v.check(!ratio_cap || *ratio_cap >= 1.0 + clip_high, "ratio_cap, clip_high",
          "ratio_cap must not be below 1 + clip_high");
  v.check(aggregation == Aggregation::constant_norm || !constant_norm_tokens, "constant_norm_tokens, aggregation",
          "constant_norm_tokens belongs to aggregation: constant_norm");
  v.check(clip_low <= 1.0, "clip_low", "a lower clip above 1 never acts; expected a value in [0, 1]");
}

void KlConfig::visit(config::Visitor& v) {
  v.field("coefficient", coefficient,
          {.help = "weight of the KL divergence to the frozen reference; 0 = no reference is kept", .min = 0.0});
  v.choice("estimator", estimator,
           {{"k1", KlEstimator::k1},
            {"k2", KlEstimator::k2},
            {"k3", KlEstimator::k3},
            {"k1_straight_through", KlEstimator::k1_straight_through},
            {"k3_straight_through", KlEstimator::k3_straight_through}},
           {.help = "k1, k2, k3, or the value of k1 / k3 with the gradient of k2"});
  v.choice("place", place, {{"loss", KlPlace::loss}, {"reward", KlPlace::reward}},
           {.help = "added to the loss, or subtracted (as the sum of k1 over the completion) from the reward"});
  v.field("weight_by_ratio", weight_by_ratio, {.help = "multiply the token term by the ratio, with gradient"});
  v.check(!(place == KlPlace::reward && weight_by_ratio), "weight_by_ratio, place",
          "weight_by_ratio acts on place: loss only");
}

void MismatchConfig::visit(config::Visitor& v) {
  v.choice(
      "mode", mode,
      {{"none", MismatchMode::none},
       {"truncate", MismatchMode::truncate},
       {"mask", MismatchMode::mask},
       {"bypass", MismatchMode::bypass}},
      {.help =
           "correction for a sampler that disagrees with the trainer: cap the weight, drop what is outside, or use the "
           "sampler's logprobs as the old ones"});
  v.choice("level", level,
           {{"token", MismatchLevel::token},
            {"sequence", MismatchLevel::sequence},
            {"sequence_mean", MismatchLevel::sequence_mean}},
           {.help = "log weight per token, summed over the sequence, or its mean"});
  v.field("max", max, {.help = "largest weight", .min = 0.0, .exclusive_min = true});
  v.field("min", min, {.help = "smallest weight", .min = 0.0});
  v.check(!min || *min < max, "min, max", "min must be below max");
}

void FilterConfig::visit(config::Visitor& v) {
  v.choice("keep", keep,
           {{"all", KeepRule::all},
            {"mixed_correct", KeepRule::mixed_correct},
            {"reward_variance", KeepRule::reward_variance},
            {"all_correct", KeepRule::all_correct},
            {"any_exit_correct", KeepRule::any_exit_correct}},
           {.help = "which groups are trained on"});
  v.field("max_rounds", max_rounds,
          {.help = "rounds of refilling with further prompts; 0 = filter only", .min = 0.0, .max = 1000.0});
  v.choice("when_exhausted", when_exhausted, {{"train", WhenExhausted::train}, {"error", WhenExhausted::error}},
           {.help = "when the rounds are used up: train on what is there, or end the run"});
  v.check(keep != KeepRule::all || max_rounds == 0, "max_rounds, keep",
          "keep: all never drops a group, so max_rounds must be 0");
}

void OverlongConfig::visit(config::Visitor& v) {
  v.field("buffer", buffer,
          {.help = "tokens below the limit over which the punishment grows from 0 to -1; 0 = off",
           .min = 0.0,
           .unit = "tokens"});
  v.field("factor", factor, {.help = "factor on the punishment", .min = 0.0});
}

void ObjectiveConfig::visit(config::Visitor& v) {
  v.choice("preset", preset,
           {"", "grpo_paper", "dapo", "dr_grpo", "gspo", "rloo", "cispo", "luspo", "trl_default", "verl_default"},
           {.help = "fills the fields below with a published recipe; each can be overridden"});
  if (v.reading()) apply_preset(preset, *this);
  v.field("group_size", group_size, {.help = "completions per prompt", .min = 1.0, .max = 65536.0});
  v.field("updates_per_rollout", updates_per_rollout,
          {.help = "optimizer steps per rollout: the groups of a step are split into this many mini-batches",
           .min = 1.0,
           .max = 65536.0});
  v.field("temperature", temperature,
          {.help = "of sampling; logprobs, ratios and entropies use the same", .min = 0.0, .exclusive_min = true});
  v.section("advantage", advantage, "from rewards to advantages");
  v.field("reward_weights", reward_weights, {.help = "reward name -> weight; empty = correctness with weight 1"});
  v.choice("reward_combine", reward_combine,
           {{"sum_then_normalize", RewardCombine::sum_then_normalize},
            {"normalize_then_sum", RewardCombine::normalize_then_sum}},
           {.help = "weighted sum before the advantage, or the weighted sum of each reward's own group advantage"});
  v.section("loss", loss, "the policy term");
  v.section("kl", kl, "the divergence from the reference policy");
  v.field("entropy_bonus", entropy_bonus,
          {.help = "subtracts this times the mean entropy of the loss tokens from the loss"});
  v.section("mismatch", mismatch, "sampler against trainer");
  v.section("filter", filter, "which groups are kept, and refilling");
  v.section("overlong", overlong, "soft punishment close to the completion limit");
  v.check(group_size > 1 || advantage.kind == AdvantageKind::supplied, "group_size, advantage.kind",
          "a group of one has no baseline; expected group_size >= 2 or advantage.kind: supplied");
  v.check(!(reward_combine == RewardCombine::normalize_then_sum && reward_weights.empty()),
          "reward_combine, reward_weights", "normalize_then_sum needs named rewards in reward_weights");
  if (reward_combine == RewardCombine::normalize_then_sum) {
    v.check(advantage.kind != AdvantageKind::supplied && advantage.kind != AdvantageKind::batch_std,
            "advantage.kind, reward_combine",
            "normalize_then_sum takes each reward's own group advantage; expected group_std, center or leave_one_out");
    v.check(overlong.buffer == 0 && (kl.coefficient == 0.0 || kl.place == KlPlace::loss),
            "overlong.buffer, kl.place, reward_combine",
            "normalize_then_sum combines the named rewards alone; what is added to their sum would be ignored");
  }
}

void apply_preset(const std::string& preset, ObjectiveConfig& c) {
  if (preset.empty()) return;
  const auto set = [&c](AdvantageKind advantage, double low, double high, Aggregation aggregation) {
    c.advantage.kind = advantage;
    c.loss.clip_low = low;
    c.loss.clip_high = high;
    c.loss.aggregation = aggregation;
  };
  if (preset == "grpo_paper") {  // DeepSeekMath: k3 in the loss; the clip range is not stated there
    set(AdvantageKind::group_std, 0.2, 0.2, Aggregation::seq_mean_token_mean);
    c.kl.coefficient = 0.04;
  } else if (preset == "dapo") {
    set(AdvantageKind::group_std, 0.2, 0.28, Aggregation::token_mean);
    c.filter.keep = KeepRule::mixed_correct;
    c.filter.max_rounds = 10;
    c.overlong.buffer = 4096;
  } else if (preset == "dr_grpo") {
    set(AdvantageKind::center, 0.2, 0.2, Aggregation::constant_norm);
  } else if (preset == "gspo") {
    set(AdvantageKind::group_std, 3e-4, 4e-4, Aggregation::seq_mean_token_mean);
    c.loss.ratio = RatioKind::sequence_mean;
  } else if (preset == "rloo") {
    set(AdvantageKind::leave_one_out, 0.2, 0.2, Aggregation::seq_sum);
    c.loss.kind = LossKind::reinforce;
    c.kl.coefficient = 0.03;
    c.kl.estimator = KlEstimator::k1;
    c.kl.place = KlPlace::reward;
  } else if (preset == "cispo") {
    set(AdvantageKind::group_std, 0.2, 0.2, Aggregation::token_mean);
    c.loss.kind = LossKind::cispo;
  } else if (preset == "luspo") {
    set(AdvantageKind::group_std, 3e-4, 4e-4, Aggregation::seq_sum);
    c.loss.ratio = RatioKind::sequence_mean;
  } else if (preset == "trl_default") {
    set(AdvantageKind::group_std, 0.2, 0.2, Aggregation::token_mean);
    c.advantage.epsilon = 1e-4;
    c.mismatch = {MismatchMode::mask, MismatchLevel::sequence, 3.0, std::nullopt};
  } else if (preset == "verl_default") {
    set(AdvantageKind::group_std, 0.2, 0.2, Aggregation::token_mean);
    c.loss.dual_clip = 3.0;
  }
}

}  // namespace laconic::algorithms
