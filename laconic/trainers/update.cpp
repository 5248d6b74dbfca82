#include "laconic/trainers/update.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>

#include "laconic/core/base/error.h"
#include "laconic/core/base/timer.h"
#include "laconic/trainers/share.h"

namespace laconic::trainers {
namespace {

std::vector<int64_t> lengths_of(std::span<const policy::ScoredSequence> sequences) {
  std::vector<int64_t> lengths;
  for (const auto& sequence : sequences) lengths.push_back(static_cast<int64_t>(sequence.ids.size()));
  return lengths;
}

// Of this rank's share of the sequences.
std::vector<std::vector<int64_t>> micro_batches(std::span<const policy::ScoredSequence> sequences,
                                                const UpdateOptions& options) {
  return micro_batches_of(options.communicator, lengths_of(sequences), options.micro_batch_tokens);
}

bool several_ranks(const UpdateOptions& options) {
  return options.communicator != nullptr && !options.communicator->alone();
}

void note_progress(const UpdateOptions& options) {
  if (options.communicator != nullptr) options.communicator->activity().progress();
}

// The backward pass that the other ranks make as well, without a gradient of this one.
void pass_back_nothing(const at::Tensor& logprob) {
  torch::autograd::backward({0.0 * logprob.sum()}, {});
}

policy::PackedBatch pack_chosen(std::span<const policy::ScoredSequence> sequences, const std::vector<int64_t>& chosen,
                                at::Device device) {
  std::vector<const policy::ScoredSequence*> pointers;
  pointers.reserve(chosen.size());
  for (int64_t index : chosen) pointers.push_back(&sequences[static_cast<size_t>(index)]);
  return policy::pack(pointers, device);
}

std::vector<std::vector<double>> split_rows(const at::Tensor& flat, const std::vector<int64_t>& offsets) {
  const auto values = flat.to(at::kCPU, at::kDouble).contiguous();
  const double* data = values.const_data_ptr<double>();
  std::vector<std::vector<double>> rows;
  for (size_t i = 0; i + 1 < offsets.size(); ++i) rows.emplace_back(data + offsets[i], data + offsets[i + 1]);
  return rows;
}

// Adds the gradient of one micro-batch and what it says to the report.
void pass_through(const model::Model& model, const algorithms::Objective& objective, algorithms::MiniBatch& mini_batch,
                  std::span<const policy::ScoredSequence> sequences, const std::vector<int64_t>& chosen,
                  const UpdateOptions& options, UpdateReport& report) {
  Timer timer;
  const auto& config = objective.config();
  const auto packed = pack_chosen(sequences, chosen, model.device());
  auto batch = algorithms::make_token_batch(config.loss, mini_batch, chosen, at::kFloat, model.device());
  const auto statistics = policy::score(model, packed, config.temperature, /*want_entropy=*/true, options.policy);
  batch.logp = statistics.logprob;
  batch.entropy = statistics.entropy;
  const auto terms = objective.loss(batch);
  report.forward_seconds += timer.lap();
  if (!std::isfinite(terms.loss.item<double>())) report.optimizer.skipped = true;
  if (terms.loss.requires_grad()) {
    torch::autograd::backward({terms.loss}, {});
  } else if (several_ranks(options)) {
    pass_back_nothing(statistics.logprob);
  }
  report.backward_seconds += timer.lap();
  report.loss.add(terms.statistics);
  report.tokens += packed.ids.numel();
  ++report.micro_batches;
  report.passes.push_back({chosen, terms.token_loss, statistics.logprob.detach()});
}

}  // namespace

policy::ScoredSequence sequence_of(const algorithms::Group& group, const algorithms::Sample& sample) {
  policy::ScoredSequence sequence;
  sequence.ids = group.prompt_ids;
  sequence.ids.insert(sequence.ids.end(), sample.prompt_suffix.begin(), sample.prompt_suffix.end());
  sequence.completion_start = static_cast<int64_t>(sequence.ids.size());
  sequence.ids.insert(sequence.ids.end(), sample.ids.begin(), sample.ids.end());
  return sequence;
}

std::vector<policy::ScoredSequence> sequences_of(const algorithms::MiniBatch& mini_batch) {
  std::vector<policy::ScoredSequence> sequences;
  for (const auto& weighted : mini_batch.samples) sequences.push_back(sequence_of(*weighted.group, *weighted.sample));
  return sequences;
}

ScoredTokens score_without_gradient(const model::Model& model, std::span<const policy::ScoredSequence> sequences,
                                    double temperature, bool want_entropy, const UpdateOptions& options) {
  const at::NoGradGuard no_grad;
  ScoredTokens result;
  result.logprob.resize(sequences.size());
  if (want_entropy) result.entropy.resize(sequences.size());
  for (const auto& chosen : micro_batches(sequences, options)) {
    note_progress(options);
    const auto packed = pack_chosen(sequences, chosen, model.device());
    const auto statistics = policy::score(model, packed, temperature, want_entropy, options.policy);
    auto logprobs = split_rows(statistics.logprob, packed.scored_offsets);
    for (size_t i = 0; i < chosen.size(); ++i) result.logprob[static_cast<size_t>(chosen[i])] = std::move(logprobs[i]);
    if (!want_entropy) continue;
    auto entropies = split_rows(statistics.entropy, packed.scored_offsets);
    for (size_t i = 0; i < chosen.size(); ++i) result.entropy[static_cast<size_t>(chosen[i])] = std::move(entropies[i]);
  }
  if (several_ranks(options)) {
    const auto lengths = lengths_of(sequences);
    exchange_rows(*options.communicator, lengths, result.logprob);
    if (want_entropy) exchange_rows(*options.communicator, lengths, result.entropy);
  }
  return result;
}

UpdateReport accumulate_gradient(const model::Model& model, const algorithms::Objective& objective,
                                 algorithms::MiniBatch& mini_batch, const UpdateOptions& options) {
  const auto& config = objective.config();
  const auto sequences = sequences_of(mini_batch);
  UpdateReport report;
  if (config.loss.entropy_quantile < 1.0) {
    const Timer timer;
    // The threshold belongs to the whole mini-batch, so it must be known before the first micro-batch.
    const auto scored = score_without_gradient(model, sequences, config.temperature, true, options);
    algorithms::select_by_entropy(config.loss, scored.entropy, mini_batch);
    report.forward_seconds += timer.seconds();
  }
  const auto batches = micro_batches(sequences, options);
  for (size_t i = 0; i < batches.size(); ++i) {
    note_progress(options);
    if (i + 1 == batches.size() && options.before_last_pass) options.before_last_pass();
    if (batches[i].empty()) {
      pass_back_nothing(policy::score(model, policy::pack({}, model.device()), 1.0, false, options.policy).logprob);
    } else {
      pass_through(model, objective, mini_batch, sequences, batches[i], options, report);
    }
  }
  if (several_ranks(options)) combine_reports(*options.communicator, report);
  return report;
}

UpdateReport update(const model::Model& model, const algorithms::Objective& objective,
                    algorithms::MiniBatch& mini_batch, optim::Optimizer& optimizer, double lr,
                    const UpdateOptions& options) {
  auto report = accumulate_gradient(model, objective, mini_batch, options);
  Timer timer;
  const bool loss_not_finite = report.optimizer.skipped;
  if (loss_not_finite) {
    optimizer.discard();
    report.optimizer = {std::nan(""), false, true};
  } else {
    report.optimizer = optimizer.step(lr);
  }
  report.optimizer_seconds = timer.seconds();
  return report;
}

}  // namespace laconic::trainers
