#include "laconic/algorithms/policy_loss.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "laconic/core/base/error.h"

namespace laconic::algorithms {
namespace {

// Beyond e^20 a ratio says nothing; the bound keeps exp finite, so that a clipped branch has gradient 0 and not NaN.
constexpr double kMaxLogRatio = 20.0;
constexpr double kVespoMinWeight = 1e-8;

// Sum over the tokens of each sequence, given back to each of its tokens. [n]
at::Tensor sequence_sum(const at::Tensor& values, const TokenBatch& batch) {
  const auto sums = at::zeros({batch.sequences}, values.options()).index_add(0, batch.sequence, values);
  return sums.index_select(0, batch.sequence);
}

at::Tensor sequence_tokens(const TokenBatch& batch) {
  return sequence_sum(batch.mask, batch).clamp_min(1.0);
}

// log of the importance ratio of every token under the configured kind. [n]
at::Tensor log_ratio(const ObjectiveConfig& config, const TokenBatch& batch, const at::Tensor& token_log_ratio) {
  switch (config.loss.ratio) {
    case RatioKind::token:
      return token_log_ratio;
    case RatioKind::sequence_mean:
      return sequence_sum(token_log_ratio * batch.mask, batch) / sequence_tokens(batch);
    case RatioKind::sequence_product:
      return sequence_sum(token_log_ratio * batch.mask, batch);
  }
  fail(ErrorKind::internal, "unknown ratio kind");
}

struct Surrogate {
  at::Tensor term;          // [n]
  at::Tensor clipped_low;   // [n] bool; undefined where the kind has no clip
  at::Tensor clipped_high;  // [n] bool
};

Surrogate clipped_term(const LossConfig& loss, const at::Tensor& ratio, const at::Tensor& advantage) {
  const auto unclipped = loss.ratio_cap ? ratio.clamp_max(*loss.ratio_cap) : ratio;
  const auto clipped = ratio.clamp(1.0 - loss.clip_low, 1.0 + loss.clip_high);
  auto term = -at::minimum(unclipped * advantage, clipped * advantage);
  if (loss.dual_clip) term = at::where(advantage < 0, at::minimum(term, -*loss.dual_clip * advantage), term);
  return {term, at::logical_and(ratio < 1.0 - loss.clip_low, advantage < 0),
          at::logical_and(ratio > 1.0 + loss.clip_high, advantage > 0)};
}

Surrogate sapo_term(const LossConfig& loss, const at::Tensor& ratio, const at::Tensor& advantage) {
  const auto temperature = at::where(advantage > 0, at::full_like(ratio, loss.sapo_temperature_positive),
                                     at::full_like(ratio, loss.sapo_temperature_negative));
  return {-(4.0 / temperature) * at::sigmoid(temperature * (ratio - 1.0)) * advantage, {}, {}};
}

// log of the factor that mismatch weights (after their cut) give a whole sequence; one of 0 counts as the least. [n]
at::Tensor log_sequence_weight(MismatchLevel level, const TokenBatch& batch, const at::Tensor& weight) {
  const auto log_weight = weight.log().clamp(std::log(kVespoMinWeight), kMaxLogRatio);
  return level == MismatchLevel::token ? sequence_sum(log_weight * batch.mask, batch) : log_weight;
}

// -phi * A * logp with the detached sequence weight phi = w^k exp(rate (1 - w)).
Surrogate vespo_term(const ObjectiveConfig& config, const TokenBatch& batch, const at::Tensor& token_log_ratio,
                     const at::Tensor& mismatch_weight) {
  const auto& loss = config.loss;
  auto log_weight = sequence_sum(token_log_ratio.detach() * batch.mask, batch);
  if (mismatch_weight.defined())
    log_weight = log_weight + log_sequence_weight(config.mismatch.level, batch, mismatch_weight);
  log_weight = log_weight.clamp(std::log(kVespoMinWeight), kMaxLogRatio);
  const auto weight = log_weight.exp();
  const auto positive = (loss.vespo_power_positive * log_weight + loss.vespo_rate_positive * (1.0 - weight)).exp();
  const auto negative = (loss.vespo_power_negative * log_weight + loss.vespo_rate_negative * (1.0 - weight)).exp();
  const auto phi = at::where(batch.advantage >= 0, positive, negative);
  return {-phi * batch.advantage * batch.logp, {}, {}};
}

struct MismatchWeights {
  at::Tensor weight;  // [n] detached; undefined when nothing is corrected
  at::Tensor cut;     // [n] bool
};

MismatchWeights mismatch_weights(const ObjectiveConfig& config, const TokenBatch& batch, const at::Tensor& difference) {
  const auto& mismatch = config.mismatch;
  if (mismatch.mode == MismatchMode::none || mismatch.mode == MismatchMode::bypass) return {};
  if (!difference.defined()) fail(ErrorKind::input, "objective.mismatch.mode needs logp_rollout, which is absent");
  at::Tensor log_weight = difference;
  if (mismatch.level != MismatchLevel::token) {
    log_weight = sequence_sum(difference * batch.mask, batch);
    if (mismatch.level == MismatchLevel::sequence_mean) log_weight = log_weight / sequence_tokens(batch);
  }
  const auto raw = log_weight.clamp(-kMaxLogRatio, kMaxLogRatio).exp();
  const double low = mismatch.min.value_or(0.0);
  const auto outside = at::logical_or(raw > mismatch.max, raw < low);
  auto weight = mismatch.mode == MismatchMode::truncate ? raw.clamp(low, mismatch.max)
                                                        : at::where(outside, at::zeros_like(raw), raw);
  // A forced token was not drawn by the sampler: at token level its weight is 1 (difference is 0 there already).
  return {weight, outside};
}

// 1 where a sequence is kept by off_policy_mask. [n]
at::Tensor on_policy_mask(double threshold, const TokenBatch& batch, const at::Tensor& logp_old) {
  at::Tensor sampled = batch.logp_rollout.defined() ? batch.logp_rollout : logp_old;
  if (batch.logp_rollout.defined() && batch.drawn.defined()) sampled = at::where(batch.drawn > 0, sampled, logp_old);
  const auto mean = sequence_sum((sampled - batch.logp.detach()) * batch.mask, batch) / sequence_tokens(batch);
  return at::logical_or(batch.advantage >= 0, mean <= threshold).to(batch.logp.scalar_type());
}

double total(const at::Tensor& values) {
  return values.sum(at::kDouble).item<double>();
}

void fill_statistics(LossStatistics& s, const TokenBatch& batch, const Surrogate& surrogate, const at::Tensor& ratio,
                     const at::Tensor& difference, const MismatchWeights& weights) {
  const auto mask = batch.mask;
  s.tokens = total(mask);
  s.ratio_sum = total(ratio * mask);
  if (mask.numel() > 0) s.ratio_max = (ratio * mask).max().item<double>();
  if (surrogate.clipped_low.defined()) {
    s.clipped_low = total(surrogate.clipped_low.to(mask.scalar_type()) * mask);
    s.clipped_high = total(surrogate.clipped_high.to(mask.scalar_type()) * mask);
  }
  if (batch.entropy.defined()) s.entropy_sum = total(batch.entropy.detach() * mask);
  if (difference.defined() && mask.numel() > 0) {
    const auto counted = batch.drawn.defined() ? mask * batch.drawn : mask;
    const auto absolute = difference.abs() * counted;
    s.mismatch_tokens = total(counted);
    s.mismatch_abs_sum = total(absolute);
    s.mismatch_abs_max = absolute.max().item<double>();
    s.mismatch_k3_sum = total((difference.exp() - 1.0 - difference) * counted);
  }
  if (weights.weight.defined()) {
    s.weight_sum = total(weights.weight * mask);
    s.weight_square_sum = total(weights.weight * weights.weight * mask);
    s.weights_cut = total(weights.cut.to(mask.scalar_type()) * mask);
  }
}

// logp_old of the batch, or the detached logprobs of the policy itself when it is the sampling policy; overrides on
// top.
at::Tensor old_logprobs(const ObjectiveConfig& config, const TokenBatch& batch) {
  at::Tensor old = batch.logp_old;
  if (config.mismatch.mode == MismatchMode::bypass) {
    if (!batch.logp_rollout.defined())
      fail(ErrorKind::input, "objective.mismatch.mode: bypass needs logp_rollout, which is absent");
    old = batch.logp_rollout;
    if (batch.drawn.defined()) {
      const auto trainer = batch.logp_old.defined() ? batch.logp_old : batch.logp.detach();
      old = at::where(batch.drawn > 0, old, trainer);
    }
  }
  return old.defined() ? old : batch.logp.detach();
}

}  // namespace

void LossStatistics::add(const LossStatistics& other) {
  tokens += other.tokens;
  policy_loss += other.policy_loss;
  kl_loss += other.kl_loss;
  entropy_sum += other.entropy_sum;
  kl_sum += other.kl_sum;
  ratio_sum += other.ratio_sum;
  ratio_max = std::max(ratio_max, other.ratio_max);
  clipped_low += other.clipped_low;
  clipped_high += other.clipped_high;
  mismatch_tokens += other.mismatch_tokens;
  mismatch_abs_sum += other.mismatch_abs_sum;
  mismatch_abs_max = std::max(mismatch_abs_max, other.mismatch_abs_max);
  mismatch_k3_sum += other.mismatch_k3_sum;
  weight_sum += other.weight_sum;
  weight_square_sum += other.weight_square_sum;
  weights_cut += other.weights_cut;
  sequences_dropped += other.sequences_dropped;
}

at::Tensor kl_estimate(KlEstimator estimator, const at::Tensor& raw_delta) {
  auto delta = raw_delta.clamp(-kMaxLogRatio, kMaxLogRatio);
  auto k2 = 0.5 * delta * delta;
  switch (estimator) {
    case KlEstimator::k1:
      return delta;
    case KlEstimator::k2:
      return k2;
    case KlEstimator::k3:
      return at::expm1(-delta) + delta;
    case KlEstimator::k1_straight_through:
      return k2 - k2.detach() + delta.detach();
    case KlEstimator::k3_straight_through:
      return k2 - k2.detach() + (at::expm1(-delta) + delta).detach();
  }
  fail(ErrorKind::internal, "unknown KL estimator");
}

LossTerms policy_loss(const ObjectiveConfig& config, const TokenBatch& batch) {
  const auto trainer_old = old_logprobs(config, batch);
  // The sampler's distance from the trainer at the sampling weights; 0 at forced tokens, which the sampler did not
  // draw.
  at::Tensor difference;
  if (batch.logp_rollout.defined()) {
    const auto reference = batch.logp_old.defined() ? batch.logp_old : batch.logp.detach();
    difference = reference - batch.logp_rollout;
    if (batch.drawn.defined()) difference = at::where(batch.drawn > 0, difference, at::zeros_like(difference));
  }
  const auto old =
      batch.override_mask.defined() ? at::where(batch.override_mask, batch.override_value, trainer_old) : trainer_old;

  const auto token_log_ratio = (batch.logp - old).clamp(-kMaxLogRatio, kMaxLogRatio);
  const auto ratio = log_ratio(config, batch, token_log_ratio).clamp(-kMaxLogRatio, kMaxLogRatio).exp();
  const auto weights = mismatch_weights(config, batch, difference);

  Surrogate surrogate;
  switch (config.loss.kind) {
    case LossKind::clipped:
      surrogate = clipped_term(config.loss, ratio, batch.advantage);
      break;
    case LossKind::cispo:
      surrogate.term = -ratio.detach().clamp_max(config.loss.cispo_cap) * batch.advantage * batch.logp;
      break;
    case LossKind::sapo:
      surrogate = sapo_term(config.loss, ratio, batch.advantage);
      break;
    case LossKind::vespo:
      surrogate = vespo_term(config, batch, token_log_ratio, weights.weight);
      break;
    case LossKind::reinforce:
      surrogate.term = -batch.advantage * batch.logp;
      break;
  }
  auto policy = surrogate.term;
  // vespo's sequence weight holds the mismatch weights already.
  if (weights.weight.defined() && config.loss.kind != LossKind::vespo) policy = policy * weights.weight;

  at::Tensor selected;  // tokens chosen by entropy; undefined = all
  if (config.loss.entropy_quantile < 1.0) {
    if (!batch.entropy.defined())
      fail(ErrorKind::input, "objective.loss.entropy_quantile needs entropies, which are absent");
    selected = (batch.entropy.detach() >= batch.entropy_threshold).to(batch.logp.scalar_type());
    policy = policy * selected;
  }
  LossTerms result;
  auto& statistics = result.statistics;
  if (config.loss.off_policy_mask) {
    const auto kept = on_policy_mask(*config.loss.off_policy_mask, batch, trainer_old);
    policy = policy * kept;
    const auto dropped = (1.0 - kept) * batch.mask;
    statistics.sequences_dropped = total(at::zeros({batch.sequences}, dropped.options())
                                             .index_add(0, batch.sequence, dropped)
                                             .gt(0)
                                             .to(dropped.scalar_type()));
  }
  const auto weighted = batch.coefficient * policy;
  const auto policy_sum = weighted.sum();
  result.token_loss = weighted.detach();
  statistics.policy_loss = policy_sum.item<double>();
  result.loss = policy_sum;

  if (config.kl.coefficient != 0.0 && config.kl.place == KlPlace::loss) {
    if (!batch.logp_ref.defined()) fail(ErrorKind::input, "objective.kl.coefficient needs logp_ref, which is absent");
    auto kl = kl_estimate(config.kl.estimator, batch.logp - batch.logp_ref);
    statistics.kl_sum = total(kl.detach() * batch.mask);
    if (config.kl.weight_by_ratio) kl = kl * ratio;
    const auto weighted_kl = config.kl.coefficient * (batch.coefficient * kl);
    const auto kl_sum = weighted_kl.sum();
    result.token_loss = result.token_loss + weighted_kl.detach();
    statistics.kl_loss = kl_sum.item<double>();
    result.loss = result.loss + kl_sum;
  } else if (batch.logp_ref.defined()) {
    statistics.kl_sum = total(kl_estimate(KlEstimator::k3, (batch.logp - batch.logp_ref).detach()) * batch.mask);
  }
  if (config.entropy_bonus != 0.0) {
    if (!batch.entropy.defined()) fail(ErrorKind::input, "objective.entropy_bonus needs entropies, which are absent");
    auto weight = batch.token_mean_coefficient;
    if (selected.defined())
      weight = weight * selected / std::max(batch.entropy_selected_share, std::numeric_limits<double>::min());
    result.loss = result.loss - config.entropy_bonus * (weight * batch.entropy).sum();
  }
  {
    const at::NoGradGuard no_grad;
    fill_statistics(statistics, batch, surrogate, ratio.detach(), difference, weights);
  }
  return result;
}

}  // namespace laconic::algorithms
