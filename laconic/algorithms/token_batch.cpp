#include "laconic/algorithms/token_batch.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "laconic/core/base/error.h"

namespace laconic::algorithms {
namespace {

at::Tensor to_tensor(const std::vector<double>& values, at::ScalarType dtype, at::Device device) {
  return at::tensor(values, at::kDouble).to(at::TensorOptions().dtype(dtype).device(device));
}

// Whether all samples hold a token array of the right length (true), none does (false), or they disagree (an error).
bool present(std::span<const WeightedSample* const> samples, std::vector<double> Sample::*array, const char* name) {
  size_t with = 0;
  for (const auto* s : samples) {
    const auto size = (s->sample->*array).size();
    if (size == 0 && s->sample->length > 0) continue;
    if (size != static_cast<size_t>(s->sample->length)) {
      fail(ErrorKind::input, "{} has {} values, expected one for each of the {} tokens", name, size, s->sample->length);
    }
    ++with;
  }
  const auto empty = static_cast<size_t>(
      std::count_if(samples.begin(), samples.end(), [](const auto* s) { return s->sample->length == 0; }));
  if (with == empty && with < samples.size()) return false;
  if (with < samples.size())
    fail(ErrorKind::input, "{} is given for {} of {} completions; expected all or none", name, with, samples.size());
  return with > empty;
}

std::vector<double> loss_mask(const LossConfig& loss, const Sample& sample) {
  const bool left_out = sample.weight == 0.0 || (loss.mask_truncated && sample.truncated);
  std::vector<double> mask(static_cast<size_t>(sample.length), left_out ? 0.0 : 1.0);
  if (sample.loss_mask.empty()) return mask;
  if (sample.loss_mask.size() != mask.size()) {
    fail(ErrorKind::input, "mask has {} values, expected one for each of the {} tokens", sample.loss_mask.size(),
         sample.length);
  }
  for (size_t i = 0; i < mask.size(); ++i) mask[i] *= sample.loss_mask[i] != 0 ? 1.0 : 0.0;
  return mask;
}

void append_advantage(const Sample& sample, std::vector<double>& out) {
  const auto length = static_cast<size_t>(sample.length);
  if (sample.advantage.size() == length && length != 1) {
    out.insert(out.end(), sample.advantage.begin(), sample.advantage.end());
  } else if (sample.advantage.size() == 1) {
    out.insert(out.end(), length, sample.advantage.front());
  } else {
    fail(ErrorKind::internal, "a sample has {} advantages for {} tokens", sample.advantage.size(), sample.length);
  }
}

}  // namespace

MiniBatch make_mini_batch(const LossConfig& loss, std::span<const Group* const> groups, int64_t max_completion_tokens) {
  const auto coefficients = aggregation_coefficients(loss, groups, max_completion_tokens);
  MiniBatch batch;
  batch.loss_tokens = coefficients.loss_tokens;
  for (size_t g = 0; g < groups.size(); ++g) {
    for (size_t i = 0; i < groups[g]->samples.size(); ++i) {
      batch.samples.push_back({groups[g], &groups[g]->samples[i], coefficients.per_sample[g][i]});
    }
  }
  return batch;
}

void select_by_entropy(const LossConfig& loss, std::span<const std::vector<double>> entropies, MiniBatch& mini_batch) {
  if (loss.entropy_quantile >= 1.0) return;
  std::vector<double> values;
  for (size_t i = 0; i < mini_batch.samples.size(); ++i) {
    const auto mask = loss_mask(loss, *mini_batch.samples[i].sample);
    for (size_t t = 0; t < mask.size(); ++t) {
      if (mask[t] > 0) values.push_back(entropies[i].at(t));
    }
  }
  mini_batch.entropy_threshold = upper_quantile_threshold(values, loss.entropy_quantile);
  const auto selected =
      std::count_if(values.begin(), values.end(), [&](double v) { return v >= mini_batch.entropy_threshold; });
  mini_batch.entropy_selected_share =
      values.empty() ? 1.0 : static_cast<double>(selected) / static_cast<double>(values.size());
}

TokenBatch make_token_batch(const LossConfig& loss, const MiniBatch& mini_batch, std::span<const int64_t> chosen,
                            at::ScalarType dtype, at::Device device) {
  std::vector<const WeightedSample*> samples;
  for (int64_t index : chosen) samples.push_back(&mini_batch.samples.at(static_cast<size_t>(index)));
  const bool has_old = present(samples, &Sample::logp_old, "logp_old");
  const bool has_ref = present(samples, &Sample::logp_ref, "logp_ref");
  const bool has_rollout = present(samples, &Sample::logp_rollout, "logp_rollout");

  std::vector<double> old, ref, rollout, drawn, advantage, mask, coefficient, override_value, overridden;
  std::vector<int64_t> sequence;
  bool any_override = false, any_forced = false;
  for (size_t s = 0; s < samples.size(); ++s) {
    const Sample& sample = *samples[s]->sample;
    const auto length = static_cast<size_t>(sample.length);
    const auto token_mask = loss_mask(loss, sample);
    sequence.insert(sequence.end(), length, static_cast<int64_t>(s));
    mask.insert(mask.end(), token_mask.begin(), token_mask.end());
    for (double m : token_mask) coefficient.push_back(m * samples[s]->coefficient);
    append_advantage(sample, advantage);
    if (has_old) old.insert(old.end(), sample.logp_old.begin(), sample.logp_old.end());
    if (has_ref) ref.insert(ref.end(), sample.logp_ref.begin(), sample.logp_ref.end());
    if (has_rollout) rollout.insert(rollout.end(), sample.logp_rollout.begin(), sample.logp_rollout.end());
    for (size_t t = 0; t < length; ++t) {
      const bool forced = !sample.forced.empty() && sample.forced.at(t) != 0;
      any_forced |= forced;
      drawn.push_back(forced ? 0.0 : 1.0);
    }
    const size_t begin = override_value.size();
    override_value.resize(begin + length, 0.0);
    overridden.resize(begin + length, 0.0);
    for (const auto& [position, value] : sample.old_logp_override) {
      override_value.at(begin + static_cast<size_t>(position)) = value;
      overridden.at(begin + static_cast<size_t>(position)) = 1.0;
      drawn.at(begin + static_cast<size_t>(position)) = 0.0;  // the policy did not draw what another probability drew
      any_override = any_forced = true;
    }
  }
  TokenBatch batch;
  batch.sequences = static_cast<int64_t>(samples.size());
  batch.entropy_threshold = mini_batch.entropy_threshold;
  batch.entropy_selected_share = mini_batch.entropy_selected_share;
  batch.sequence = at::tensor(sequence, at::kLong).to(device);
  batch.mask = to_tensor(mask, dtype, device);
  batch.coefficient = to_tensor(coefficient, dtype, device);
  batch.token_mean_coefficient = batch.mask / std::max(mini_batch.loss_tokens, 1.0);
  batch.advantage = to_tensor(advantage, dtype, device);
  if (has_old) batch.logp_old = to_tensor(old, dtype, device);
  if (has_ref) batch.logp_ref = to_tensor(ref, dtype, device);
  if (has_rollout) batch.logp_rollout = to_tensor(rollout, dtype, device);
  if (any_forced) batch.drawn = to_tensor(drawn, dtype, device);
  if (any_override) {
    batch.override_mask = to_tensor(overridden, dtype, device) > 0;
    batch.override_value = to_tensor(override_value, dtype, device);
  }
  return batch;
}

}  // namespace laconic::algorithms
