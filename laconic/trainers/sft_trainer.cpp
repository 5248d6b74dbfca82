#include "laconic/trainers/sft_trainer.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>
#include <utility>

#include "laconic/core/base/error.h"
#include "laconic/core/base/log.h"
#include "laconic/core/base/timer.h"
#include "laconic/core/checkpoint/json_input.h"
#include "laconic/core/config/config.h"
#include "laconic/core/distributed/bytes.h"
#include "laconic/core/ops/parallel.h"
#include "laconic/core/policy/policy.h"
#include "laconic/trainers/run_record.h"
#include "laconic/trainers/share.h"
#include "laconic/trainers/stop_signal.h"

namespace laconic::trainers {
namespace {

namespace fs = std::filesystem;

std::vector<metrics::StepColumn> columns() {
  using enum metrics::ColumnFormat;
  return {{"loss", "loss/train", compact, {}},
          {"eval", "loss/eval", compact, {}},
          {"grad", "optim/grad_norm", fixed2, {}},
          {"lr", "optim/lr", scientific, {}},
          {"", "throughput/tokens_per_s", token_rate, {}},
          {"", "time/step_s", seconds, {}}};
}

// A part of a batch, ready for a forward pass, with the factor on each scored token's negative logprob.
struct MicroBatch {
  policy::PackedBatch packed;
  at::Tensor factor;             // [n] f32
  std::vector<int64_t> samples;  // of the batch
};

// Micro-batches of this rank's share of a batch, some of them empty where other ranks have more; the factors of a batch
// add up to 1, so that its loss does not depend on the split.
std::vector<MicroBatch> batches_of(const std::vector<policy::ScoredSequence>& batch, int64_t token_budget,
                                   bool token_mean, at::Device device, const distributed::Communicator& communicator) {
  std::vector<int64_t> lengths;
  double tokens = 0;
  for (const auto& sequence : batch) {
    lengths.push_back(static_cast<int64_t>(sequence.ids.size()));
    tokens += static_cast<double>(sequence.scored());
  }
  std::vector<MicroBatch> result;
  for (const auto& chosen : micro_batches_of(&communicator, lengths, token_budget)) {
    std::vector<const policy::ScoredSequence*> sequences;
    sequences.reserve(chosen.size());
    std::vector<float> factors;
    for (const int64_t index : chosen) {
      const auto& sequence = batch[static_cast<size_t>(index)];
      sequences.push_back(&sequence);
      const auto n = static_cast<double>(sequence.scored());
      factors.insert(factors.end(), static_cast<size_t>(sequence.scored()),
                     static_cast<float>(token_mean ? 1.0 / tokens : 1.0 / (n * static_cast<double>(batch.size()))));
    }
    result.push_back({policy::pack(sequences, device), at::tensor(factors).to(device), chosen});
  }
  return result;
}

// What each sample of this rank adds to the loss. `logprobs`: of the micro-batches, [n] each
std::vector<nlohmann::ordered_json> sample_losses(const std::vector<MicroBatch>& micro_batches,
                                                  const std::vector<at::Tensor>& logprobs) {
  std::vector<nlohmann::ordered_json> entries;
  for (size_t b = 0; b < micro_batches.size(); ++b) {
    const auto& micro = micro_batches[b];
    const auto loss = -micro.factor * logprobs[b];
    const auto& offsets = micro.packed.scored_offsets;
    for (size_t i = 0; i + 1 < offsets.size(); ++i) {
      const int64_t tokens = offsets[i + 1] - offsets[i];
      if (tokens == 0) continue;
      entries.push_back({{"sample", micro.samples[i]},
                         {"loss", loss.narrow(0, offsets[i], tokens).sum().item<double>()},
                         {"tokens", tokens},
                         {"logprob_min", logprobs[b].narrow(0, offsets[i], tokens).min().item<double>()}});
    }
  }
  return entries;
}

}  // namespace

SftTrainer::SftTrainer(SftConfig config, RunOptions options)
    : config_(std::move(config)),
      options_(std::move(options)),
      alone_(options_.ranks == nullptr ? std::make_unique<Ranks>() : nullptr),
      ranks_(alone_ ? *alone_ : *options_.ranks),
      workspace_([this] {
        ops::set_threads(config_.threads);
        auto loaded = load_workspace(config_.model, config_.seed);
        fix_today(loaded, config_.today,
                  options_.existing == metrics::ExistingRun::resume ? config_.output.folder : "");
        return loaded;
      }()),
      source_(make_sft_source(config_, workspace_)),
      checkpoints_(config_.checkpoint, config_.parallel, ranks_),
      step_line_(source_->steps(), columns()) {
  workspace_.model.set_trainable(true);
  optimizer_ = make_optimizer(workspace_.model, config_.optimizer, config_.parallel, ranks_);
}

SftTrainer::~SftTrainer() = default;

bool SftTrainer::run() {
  resume();
  const int64_t steps = source_->steps();
  progress_ = std::make_unique<metrics::Progress>("sft", steps, "steps");
  int64_t here = 0;
  while (state_.step < steps) {
    train_step();
    ++here;
    const bool last = state_.step == steps;
    const bool stop =
        ranks_.any(stop_requested() || (options_.stop_after_updates && here >= *options_.stop_after_updates));
    const bool due = checkpoints_.due(state_.step, evaluation_);
    if (last || stop || due) save_checkpoint();
    checkpoints_.poll();
    if (stop && !last) {
      checkpoints_.finish();
      progress_.reset();
      if (checkpoints_.last_one_failed())
        log_warning("what was done since the checkpoint before is lost: the last one could not be written");
      log_info("stopped after step {}; continue with: laconic sft CONFIG --resume", state_.step);
      return false;
    }
  }
  progress_->finish();
  checkpoints_.finish();
  const auto whole = optimizer_->whole_weights();
  if (ranks_.first()) finish_run();
  return true;
}

void SftTrainer::resume() {
  ranks_.begin_phase(1, "resume");
  if (ranks_.first()) open_folder();
  const auto loaded =
      checkpoints_.open(fs::path(config_.output.folder) / "checkpoints", folder_ && folder_->resuming());
  if (loaded) restore_from(*loaded, [&](const nlohmann::json& saved) { restore(*loaded, saved); });
  optimizer_->check_weights("before the first step");
  if (!folder_) return;
  if (loaded) log_info("resuming from {}", loaded->folder.string());
  if (folder_->resuming()) folder_->resume_after(loaded ? state_.step : -1);
  folder_->write_config(config::dump_yaml(config_));
  folder_->write_versions(versions_json(options_.command, config_.seed));
}

void SftTrainer::restore(const ResumedCheckpoint& loaded, const nlohmann::json& saved) {
  check_fingerprint(saved.at("fingerprint"), training_fingerprint(config_), loaded.folder);
  check_not_beyond(loaded, loaded.position.step, source_->steps());
  optimizer_->restore_weights(*loaded.weights);
  const auto count = [&](const char* key) { return checkpoint::whole_number(checkpoint::kStateFile, saved, key); };
  optimizer_->restore_state(*loaded.optimizer, count("adamw_steps"));
  state_ = {count("step"), count("skipped_in_a_row"), count("trained_tokens"), {}};
  if (state_.step != loaded.position.step) fail(ErrorKind::input, "its state is that after step {}", state_.step);
  if (saved.contains("recent")) {  // not in checkpoints of earlier versions
    state_.recent.losses = saved.at("recent").at("losses").get<std::vector<double>>();
    state_.recent.norms = saved.at("recent").at("norms").get<std::vector<double>>();
  }
  outliers_.restore(state_.recent);
}

void SftTrainer::open_folder() {
  folder_ = std::make_unique<metrics::RunFolder>(
      fs::path(config_.output.folder), metrics::RunFolderOptions{options_.existing, config_.output.tensorboard});
}

void SftTrainer::train_step() {
  const Timer timer;
  ranks_.begin_phase(state_.step + 1, "update");
  std::vector<policy::ScoredSequence> batch;
  for (int64_t i = 0; i < source_->batch_size(state_.step); ++i) batch.push_back(source_->sample(state_.step, i));
  double loss_sum = 0;
  int64_t tokens = 0, scored = 0;
  std::vector<at::Tensor> logprobs;  // of the micro-batches
  const auto micro_batches = batches_of(batch, config_.train.micro_batch_tokens, config_.train.token_mean,
                                        workspace_.model.device(), ranks_.communicator());
  for (size_t i = 0; i < micro_batches.size(); ++i) {
    const auto& micro = micro_batches[i];
    if (i + 1 == micro_batches.size()) before_last_pass();
    const auto statistics = policy::score(workspace_.model, micro.packed, 1.0, false, {config_.train.recompute});
    const auto loss = -(micro.factor * statistics.logprob).sum();
    logprobs.push_back(statistics.logprob.detach());
    torch::autograd::backward({loss}, {});
    loss_sum += loss.item<double>();
    tokens += micro.packed.ids.numel();
    scored += micro.packed.targets.numel();
    ranks_.progress();
  }
  const auto sums = distributed::sum_over_ranks(ranks_.communicator(),
                                                {loss_sum, static_cast<double>(tokens), static_cast<double>(scored)});
  loss_sum = sums[0];  // not finite on one rank: on all
  tokens = static_cast<int64_t>(sums[1]);
  scored = static_cast<int64_t>(sums[2]);
  const double lr = config_.optimizer.schedule.rate(state_.step, source_->steps());
  optim::StepReport report;
  if (std::isfinite(loss_sum)) {
    report = optimizer_->step(lr);
  } else {
    optimizer_->discard();
    report.skipped = true;
  }
  state_.skipped_in_a_row = report.skipped ? state_.skipped_in_a_row + 1 : 0;
  state_.trained_tokens += tokens;
  ++state_.step;
  const auto unusual = outliers_.look_at(loss_sum, report.grad_norm);
  state_.recent = outliers_.recent();
  if (!unusual.empty()) name_outliers(unusual, sample_losses(micro_batches, logprobs));
  if (report.skipped && ranks_.first())
    log_warning("step {}: the loss or its gradient is not finite; the update was skipped ({} in a row)", state_.step,
                state_.skipped_in_a_row);
  if (state_.skipped_in_a_row > config_.optimizer.max_skipped_steps) {
    fail(ErrorKind::numeric,
         "step {}: {} updates in a row had a non-finite loss or gradient (optimizer.max_skipped_steps: {}); lower the "
         "learning rate ({})",
         state_.step, state_.skipped_in_a_row, config_.optimizer.max_skipped_steps, config_.optimizer.schedule.lr);
  }
  metrics::MetricRow row(state_.step);
  row.set("loss/train", loss_sum);
  if (!report.skipped) row.set("optim/grad_norm", report.grad_norm);
  row.set("optim/lr", lr);
  row.set("optim/skipped", report.skipped ? 1 : 0);
  row.set("tokens/scored", scored);
  row.set("tokens/trained_total", state_.trained_tokens);
  const double seconds = timer.seconds();
  row.set("time/step_s", seconds);
  const double checkpoint_seconds = std::exchange(checkpoint_seconds_, 0.0);
  if (checkpoint_seconds > 0) row.set("time/checkpoint_s", checkpoint_seconds);
  row.set("throughput/tokens_per_s", static_cast<double>(tokens) / seconds);
  const int64_t steps = source_->steps();
  const bool last = state_.step == steps;
  const auto due = [&](int64_t every) { return last || (every > 0 && state_.step % every == 0); };
  evaluation_.clear();
  if (source_->evaluation_size() > 0 && due(config_.train.eval_every)) {
    last_evaluation_loss_ = evaluation_loss();
    row.set("loss/eval", *last_evaluation_loss_);
    if (std::isfinite(*last_evaluation_loss_)) evaluation_ = {{"loss", *last_evaluation_loss_}};
  }
  if (ranks_.fault("desync", state_.step)) spoil_weight(workspace_.model);
  const int check_every = config_.parallel.check_every;
  if (check_every > 0 && state_.step % check_every == 0)
    optimizer_->check_weights(fmt::format("after step {}", state_.step));
  if (folder_) report_step(row, loss_sum);
}

// A loss or gradient norm out of the ordinary, with the samples that had the largest part in it.
void SftTrainer::name_outliers(const std::vector<Unusual>& unusual, std::vector<nlohmann::ordered_json> own) {
  const auto samples = largest_of(std::move(own), &ranks_.communicator());
  if (!folder_) return;
  for (const auto& one : unusual) {
    folder_->log_outlier(one.record({{"step", state_.step}}, samples));
    log_warning("{}", one.warning(fmt::format("step {}", state_.step), samples, [](const auto& sample) {
      return fmt::format("sample {} of the batch: loss {:.4g}, {} tokens, least logprob {:.3g}",
                         sample.at("sample").template get<int64_t>(), sample.at("loss").template get<double>(),
                         sample.at("tokens").template get<int64_t>(), sample.at("logprob_min").template get<double>());
    }));
  }
}

// The gradient of the batch may set out to the other ranks.
void SftTrainer::before_last_pass() {
  if (ranks_.fault("nan_gradient", state_.step + 1)) spoil_gradient(workspace_.model);
  optimizer_->expect_last_pass();
}

void SftTrainer::report_step(const metrics::MetricRow& row, double loss) {
  folder_->log(row);
  const int64_t steps = source_->steps();
  const auto due = [&](int64_t every) { return state_.step == steps || (every > 0 && state_.step % every == 0); };
  progress_->update(state_.step, fmt::format("loss {:.4f}", loss));
  const int64_t line_every = config_.train.log_every > 0 ? config_.train.log_every : std::max<int64_t>(1, steps / 50);
  if (state_.step == 1 || due(line_every) || row.find("loss/eval") != nullptr) log_info("{}", step_line_.format(row));
}

// Mean negative logprob per token over the held-out samples.
double SftTrainer::evaluation_loss() {
  const at::NoGradGuard no_grad;
  std::vector<policy::ScoredSequence> samples;
  for (int64_t i = 0; i < source_->evaluation_size(); ++i) samples.push_back(source_->evaluation_sample(i));
  double loss = 0;
  for (const auto& micro : batches_of(samples, config_.train.micro_batch_tokens, /*token_mean=*/true,
                                      workspace_.model.device(), ranks_.communicator())) {
    const auto statistics = policy::score(workspace_.model, micro.packed, 1.0, false, {});
    loss -= (micro.factor * statistics.logprob).sum().item<double>();
    ranks_.progress();
  }
  return distributed::sum_over_ranks(ranks_.communicator(), {loss}).front();
}

void SftTrainer::save_checkpoint() {
  const Timer timer;
  ranks_.begin_phase(state_.step, "checkpoint");
  if (folder_) folder_->sync();
  checkpoint::Content content;
  content.state = {{"step", state_.step},
                   {"skipped_in_a_row", state_.skipped_in_a_row},
                   {"trained_tokens", state_.trained_tokens},
                   {"recent", {{"losses", state_.recent.losses}, {"norms", state_.recent.norms}}},
                   {"adamw_steps", optimizer_->steps_taken()},
                   {"fingerprint", training_fingerprint(config_)}};
  content.weights = optimizer_->weight_parts();
  content.optimizer = optimizer_->state_parts();
  content.evaluation = evaluation_;
  checkpoints_.save({state_.step, 0}, std::move(content));
  checkpoint_seconds_ += timer.seconds();
}

void SftTrainer::finish_run() {
  save_model_folder(workspace_, folder_->file("model"));
  nlohmann::ordered_json summary = {{"steps", state_.step}, {"trained_tokens", state_.trained_tokens}};
  if (last_evaluation_loss_) summary["evaluation_loss"] = *last_evaluation_loss_;
  summary["seed"] = config_.seed;
  checkpoints_.summarise(summary);
  summary["seconds"] = {{"sft", trained_seconds(folder_->path())}};
  folder_->write_summary(summary);
  write_run_report(folder_->path());
  log_info("model {}", folder_->file("model").string());
}

}  // namespace laconic::trainers
