#include "laconic/trainers/rl_trainer.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "laconic/core/base/error.h"
#include "laconic/core/base/log.h"
#include "laconic/core/base/timer.h"
#include "laconic/core/checkpoint/json_input.h"
#include "laconic/core/config/config.h"
#include "laconic/core/metrics/jsonl.h"
#include "laconic/core/metrics/progress.h"
#include "laconic/core/ops/parallel.h"
#include "laconic/trainers/costs.h"
#include "laconic/trainers/external_stage.h"
#include "laconic/trainers/run_facts.h"
#include "laconic/trainers/run_record.h"
#include "laconic/trainers/share.h"
#include "laconic/trainers/step_metrics.h"
#include "laconic/trainers/step_samples.h"
#include "laconic/trainers/stop_signal.h"

namespace laconic::trainers {

namespace fs = std::filesystem;

bool RlTrainer::run() {
  resume();
  int64_t updates_here = 0;
  const auto stop_if_asked = [&] {
    const bool wanted =
        stop_requested() || (options_.stop_after_updates && updates_here >= *options_.stop_after_updates);
    if (ranks_.any(wanted)) throw Stopped{};
    checkpoints_.poll();
  };
  try {
    evaluate_if_due();  // before training, or what an interruption cut off
    while (state_.step < config_.train.steps) {
      if (!state_.pending) begin_step();            // prompts -> rollouts -> verdicts -> rewards -> advantages
      while (state_.update < updates_per_step()) {  // micro-batches -> loss -> backward -> clip -> optimizer
        update_once();
        ++updates_here;
        if (state_.update < updates_per_step()) stop_if_asked();
      }
      finish_step();  // metrics, samples
      const bool last = state_.step == config_.train.steps;
      evaluate_if_due();
      const bool due = checkpoints_.due(state_.step, evaluation_of_now());
      if (last || due) save_checkpoint();
      if (!last) stop_if_asked();
    }
  } catch (const rewards::ExternalRewardError&) {
    if (!ranks_.alone()) throw;  // what the others do is not known
    save_checkpoint();
    checkpoints_.finish();
    log_info("what was done up to step {} is saved; when the reward is mended: laconic train CONFIG --resume",
             state_.step);
    throw;
  } catch (const Stopped&) {
    save_checkpoint();
    checkpoints_.finish();
    if (checkpoints_.last_one_failed())
      log_warning("what was done since the checkpoint before is lost: the last one could not be written");
    log_info("stopped after step {}{}; continue with: laconic train CONFIG --resume", state_.step,
             state_.pending ? fmt::format(" and {} of {} updates of the next", state_.update, updates_per_step()) : "");
    return false;
  }
  checkpoints_.finish();
  const auto whole = optimizer_->whole_weights();
  if (ranks_.first()) finish_run();
  return true;
}

RlTrainer::RlTrainer(RlConfig config, RunOptions options)
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
      objective_(config_.objective.make()),
      judge_(make_judge(config_.reward, workspace_)),
      checkpoints_(config_.checkpoint, config_.parallel, ranks_),
      step_line_(config_.train.steps) {
  const int64_t window = workspace_.model.config().max_positions;
  const int64_t limit = longest_completion(config_, window);
  const auto source = [&](const DataSection& section) {
    return make_prompt_source(section, config_.seed, *workspace_.tokenizer, workspace_.chat.get(), window - limit,
                              config_.reward);
  };
  prompts_ = source(config_.data);
  if (config_.eval_data) {
    eval_prompts_ = source(*config_.eval_data);
  } else if (config_.data.procedural()) {
    eval_prompts_ = source(config_.data);
  }
  for (const auto& [name, weight] : config_.objective.common.reward_weights)
    check_reward_name(name, config_.reward.all_terms());
  objective_->prepare(run_facts(workspace_, config_));
  const auto needs = objective_->needs();
  int64_t longest = std::max(prompts_->longest_prompt(), eval_prompts_ ? eval_prompts_->longest_prompt() : 0);
  if (needs.reference_pass_rate) {
    pass_rates_.emplace(config_.reference.pass_rates, describe_verifier(config_.reward));
    pass_rates_->check_covers(*prompts_);
  }
  if (needs.monitor_every > 0) {
    const auto own = config_.monitor.data ? source(*config_.monitor.data) : nullptr;
    monitor_.emplace(config_.monitor, own ? *own : *prompts_, needs.monitor_every);
    if (own) longest = std::max(longest, own->longest_prompt());
  }
  update_options_ = {config_.train.micro_batch_tokens, {config_.train.recompute}};
  if (needs.reference_logprobs) reference_.emplace(workspace_.model.clone_frozen());
  workspace_.model.set_trainable(true);
  update_options_.communicator = &ranks_.communicator();
  update_options_.before_last_pass = [this] { before_last_pass(); };
  if (reference_) reference_weights_ = divide_weights(*reference_, config_.parallel, ranks_);
  optimizer_ = make_optimizer(workspace_.model, config_.optimizer, config_.parallel, ranks_);
  const int64_t own_prompts = (config_.train.prompts_per_step + ranks_.world_size() - 1) / ranks_.world_size();
  const int64_t requests = own_prompts * config_.objective.common.group_size;
  engine_ = std::make_unique<rollout::Engine>(
      workspace_.model, engine_options(workspace_.config, *workspace_.tokenizer, config_.rollout, requests, longest,
                                       limit, config_.model));
}

RlTrainer::~RlTrainer() = default;

void RlTrainer::resume() {
  ranks_.begin_phase(state_.step + 1, "resume");
  if (ranks_.first()) open_folder();
  const auto loaded =
      checkpoints_.open(fs::path(config_.output.folder) / "checkpoints", folder_ && folder_->resuming());
  if (loaded) restore_from(*loaded, [&](const nlohmann::json& saved) { restore(*loaded, saved); });
  optimizer_->check_weights("before the first step");
  gathers_for_rollout_ = gathers_for_rollout(
      workspace_.model, config_.parallel, engine_->options().kv_tokens * kv_bytes_per_token(workspace_.config), ranks_);
  if (!folder_) return;
  if (loaded) log_info("resuming from {}", loaded->folder.string());
  if (folder_->resuming()) folder_->resume_after(loaded ? state_.step : -1, state_.evaluated);
  folder_->write_config(config::dump_yaml(config_));
  folder_->write_versions(versions_json(options_.command, config_.seed));
}

void RlTrainer::restore(const ResumedCheckpoint& loaded, const nlohmann::json& saved) {
  check_fingerprint(saved.at("fingerprint"), training_fingerprint(config_), loaded.folder);
  auto state = state_from_json(saved.at("run"), loaded.content.rollout);
  if (state.position() != loaded.position)
    fail(ErrorKind::input, "its state is that after step {}, update {}", state.step, state.update);
  check_not_beyond(loaded, state.step + (state.pending ? 1 : 0), config_.train.steps);
  optimizer_->restore_weights(*loaded.weights);
  optimizer_->restore_state(*loaded.optimizer, checkpoint::whole_number(checkpoint::kStateFile, saved, "adamw_steps"));
  objective_->restore(saved.at("objective"));
  state_ = std::move(state);
  outliers_.restore(state_.recent);
}

void RlTrainer::open_folder() {
  folder_ = std::make_unique<metrics::RunFolder>(
      fs::path(config_.output.folder), metrics::RunFolderOptions{options_.existing, config_.output.tensorboard});
}

// The gradient of the mini-batch may set out to the other ranks.
void RlTrainer::before_last_pass() {
  if (ranks_.fault("nan_gradient", state_.step + 1)) spoil_gradient(workspace_.model);
  optimizer_->expect_last_pass();
}

// For a rollout and what is computed of it: whole where the ranks have divided the weights and that is wanted.
distributed::HeldWeights RlTrainer::hold_weights() {
  return gathers_for_rollout_ ? optimizer_->whole_weights() : distributed::HeldWeights();
}

// Everything up to the advantages; nothing is changed but the pending step and the place in the prompt order.
void RlTrainer::begin_step() {
  times_ = {};
  judge_.judge.external.step = state_.step;
  judge_.judge.external.steps = config_.train.steps;
  times_.traffic_before = ranks_.communicator().traffic();
  const auto whole = hold_weights();
  if (monitor_ && monitor_->due(state_.step, state_.monitor)) {
    const Timer timer;
    ranks_.begin_phase(state_.step + 1, "monitor");
    monitor_->run(*engine_, *objective_, judge_.judge, collect_options(), state_.monitor);
    times_.monitor = timer.seconds();
  }
  PendingStep pending;
  pending.step = step_of(roll_out(pending.metrics));
  score(pending.step.groups);
  objective_->rewards(pending.step);
  check_rewards(pending.step);
  objective_->advantages(pending.step);
  add_rollout_metrics(pending.step, pending.metrics);
  add_external_metrics(times_.external, pending.metrics);
  for (const auto& [name, value] : objective_->metrics(pending.step)) pending.metrics.emplace_back(name, value);
  pending.metrics.insert(pending.metrics.end(), state_.monitor.values.begin(), state_.monitor.values.end());
  state_.generated_tokens += times_.generated;
  state_.pending = std::move(pending);
  state_.update = 0;
}

// Groups that the objective keeps, with refill rounds where some are dropped.
std::vector<algorithms::Group> RlTrainer::roll_out(std::vector<std::pair<std::string, double>>& values) {
  const auto& filter = config_.objective.common.filter;
  const auto wanted = static_cast<size_t>(config_.train.prompts_per_step);
  const uint64_t first_position = state_.prompt_position;
  std::vector<algorithms::Group> kept;
  int64_t drawn = 0;
  try {
    for (int round = 0; kept.size() < wanted && round <= filter.max_rounds; ++round) {
      auto step = step_of(collect_groups(next_prompts(static_cast<int64_t>(wanted - kept.size()))));
      drawn += static_cast<int64_t>(step.groups.size());
      std::erase_if(step.groups, [](const auto& group) { return group.dropped; });
      if (objective_->filters()) {
        if (objective_->needs().old_logprobs_early || objective_->needs().reference_logprobs) score(step.groups);
        objective_->rewards(step);
        check_rewards(step);
      }
      for (auto& group : step.groups) {
        if (objective_->keep(group)) kept.push_back(std::move(group));
      }
    }
  } catch (...) {
    state_.prompt_position = first_position;  // the abandoned step draws the same prompts again
    throw;
  }
  if (kept.size() < wanted && filter.max_rounds > 0 && filter.when_exhausted == algorithms::WhenExhausted::error) {
    fail(ErrorKind::input,
         "step {}: only {} of {} groups passed objective.filter.keep after {} refill rounds ({} groups drawn)",
         state_.step + 1, kept.size(), wanted, filter.max_rounds, drawn);
  }
  if (kept.empty())
    log_warning("step {}: none of {} groups passed objective.filter.keep; the step makes no update", state_.step + 1,
                drawn);
  values.emplace_back("groups/drawn", static_cast<double>(drawn));
  values.emplace_back("groups/kept", static_cast<double>(kept.size()));
  return kept;
}

std::vector<PlacedPrompt> RlTrainer::next_prompts(int64_t count) {
  std::vector<PlacedPrompt> prompts;
  for (int64_t i = 0; i < count; ++i, ++state_.prompt_position) {
    prompts.push_back({prompts_->training_prompt(state_.prompt_position), state_.prompt_position});
    if (pass_rates_) prompts.back().reference_pass_rate = pass_rates_->of(prompts.back().prompt);
  }
  return prompts;
}

CollectOptions RlTrainer::collect_options() const {
  const auto& rollout = config_.rollout;
  CollectOptions options;
  options.sampling = {config_.objective.common.temperature, rollout.top_k, rollout.top_p, rollout.min_p};
  options.max_tokens = rollout.max_tokens;
  options.stop_ids = workspace_.stop_ids;
  options.stop_strings = rollout.stop;
  options.want_entropy = objective_->needs().rollout_entropy;
  options.seed = config_.seed;
  options.step = static_cast<uint64_t>(state_.step);
  options.communicator = &ranks_.communicator();
  return options;
}

std::vector<algorithms::Group> RlTrainer::collect_groups(const std::vector<PlacedPrompt>& prompts) {
  ranks_.begin_phase(state_.step + 1, "rollout");
  metrics::Progress progress(fmt::format("step {}: rollout", state_.step + 1),
                             int64_t{config_.objective.common.group_size} * static_cast<int64_t>(prompts.size()),
                             "completions");
  CollectReport report;
  auto groups = collect(
      *engine_, *objective_, prompts, judge_.judge, collect_options(),
      [&](int64_t done, int64_t) { progress.update(done); }, report);
  times_.rollout += report.rollout_seconds;
  times_.reward_wait += report.reward_wait_seconds;
  times_.verify += report.verify_seconds;
  times_.generated += report.drawn_tokens;
  times_.prefilled += report.prefilled_tokens;
  times_.adopted += report.adopted_tokens;
  times_.external.add(report.external);
  return groups;
}

algorithms::Step RlTrainer::step_of(std::vector<algorithms::Group> groups) const {
  algorithms::Step step;
  step.seed = config_.seed;
  step.index = static_cast<uint64_t>(state_.step);
  step.max_completion_tokens = config_.rollout.max_tokens;
  step.groups = std::move(groups);
  return step;
}

// Logprobs under the sampling weights and the reference, where the objective or several updates need them.
void RlTrainer::score(std::vector<algorithms::Group>& groups) {
  const auto needs = objective_->needs();
  const bool want_old = needs.old_logprobs_early || updates_per_step() > 1;
  if (!want_old && !needs.reference_logprobs) return;
  const Timer timer;
  ranks_.begin_phase(state_.step + 1, "score");
  std::vector<policy::ScoredSequence> sequences;
  std::vector<algorithms::Sample*> samples;
  for (auto& group : groups) {
    for (auto& sample : group.samples) {
      const bool scored =
          (!want_old || !sample.logp_old.empty()) && (!needs.reference_logprobs || !sample.logp_ref.empty());
      if (scored) continue;
      sequences.push_back(sequence_of(group, sample));
      samples.push_back(&sample);
    }
  }
  const double temperature = config_.objective.common.temperature;
  if (want_old) {
    auto scored = score_without_gradient(workspace_.model, sequences, temperature, false, update_options_);
    for (size_t i = 0; i < samples.size(); ++i) samples[i]->logp_old = std::move(scored.logprob[i]);
  }
  if (needs.reference_logprobs) {
    auto scored = score_without_gradient(*reference_, sequences, temperature, false, update_options_);
    for (size_t i = 0; i < samples.size(); ++i) samples[i]->logp_ref = std::move(scored.logprob[i]);
  }
  times_.logprob += timer.seconds();
}

// The step's groups are dealt into consecutive mini-batches of equal size (the last ones may be smaller after
// filtering).
std::vector<const algorithms::Group*> RlTrainer::groups_of_update(int64_t update) const {
  const auto& groups = state_.pending->step.groups;
  const auto updates = static_cast<size_t>(updates_per_step()), u = static_cast<size_t>(update);
  std::vector<const algorithms::Group*> chosen;
  for (size_t g = groups.size() * u / updates; g < groups.size() * (u + 1) / updates; ++g) chosen.push_back(&groups[g]);
  return chosen;
}

void RlTrainer::update_once() {
  auto& pending = *state_.pending;
  const auto groups = groups_of_update(state_.update);
  ++state_.update;
  if (groups.empty()) return;
  ranks_.begin_phase(state_.step + 1, "update");
  auto mini_batch =
      algorithms::make_mini_batch(config_.objective.common.loss, groups, pending.step.max_completion_tokens);
  pending.lr =
      config_.optimizer.schedule.rate(state_.optimizer_steps++, int64_t{config_.train.steps} * updates_per_step());
  const auto report = update(workspace_.model, *objective_, mini_batch, *optimizer_, pending.lr, update_options_);
  name_outliers(mini_batch, report);
  take_report(report);
  if (ranks_.fault("desync", state_.step + 1)) spoil_weight(workspace_.model);
}

// A loss or gradient norm out of the ordinary, with the samples that had the largest part in it.
void RlTrainer::name_outliers(const algorithms::MiniBatch& mini_batch, const UpdateReport& report) {
  const auto unusual = outliers_.look_at(report);
  state_.recent = outliers_.recent();
  if (unusual.empty()) return;
  const auto samples = largest_losses(mini_batch, report, &ranks_.communicator());
  const auto where = fmt::format("step {}, update {}", state_.step + 1, state_.update);
  for (const auto& one : unusual) {
    state_.pending->outliers.push_back(
        metrics::json_line(one.record({{"step", state_.step + 1}, {"update", state_.update}}, samples)));
    if (ranks_.first()) log_warning("{}", one.warning(where, samples, describe_sample));
  }
}

void RlTrainer::write_outliers() {
  for (const auto& row : std::exchange(state_.pending->outliers, {})) {
    if (folder_) folder_->log_outlier(nlohmann::ordered_json::parse(row));
  }
}

void RlTrainer::take_report(const UpdateReport& report) {
  auto& pending = *state_.pending;
  pending.loss.add(report.loss);
  pending.trained_tokens += report.tokens;
  ++pending.updates;
  times_.forward += report.forward_seconds;
  times_.backward += report.backward_seconds;
  times_.optimizer += report.optimizer_seconds;
  if (!report.optimizer.skipped) {
    pending.grad_norm_sum += report.optimizer.grad_norm;
    state_.skipped_in_a_row = 0;
    return;
  }
  ++pending.skipped;
  ++state_.skipped_in_a_row;
  if (ranks_.first()) {
    log_warning("step {}: the {} is not finite; the update was skipped ({} in a row)", state_.step + 1,
                std::isfinite(report.loss.policy_loss) ? "gradient" : "loss", state_.skipped_in_a_row);
  }
  if (state_.skipped_in_a_row > config_.optimizer.max_skipped_steps) {
    write_outliers();
    fail(ErrorKind::numeric,
         "step {}: {} updates in a row had a non-finite loss or gradient (optimizer.max_skipped_steps: {}). The "
         "weights are those of the last "
         "finite update, and the checkpoints in {} are intact. Likely causes: a learning rate that is too high ({}), "
         "or a reward that is not bounded.",
         state_.step + 1, state_.skipped_in_a_row, config_.optimizer.max_skipped_steps,
         (fs::path(config_.output.folder) / "checkpoints").string(), config_.optimizer.schedule.lr);
  }
}

void RlTrainer::finish_step() {
  const auto& pending = *state_.pending;
  metrics::MetricRow row(state_.step + 1);
  for (const auto& [name, value] : pending.metrics) row.set(name, value);
  add_loss_metrics(pending.loss, pending.updates, config_.objective.common, row);
  if (pending.updates > pending.skipped)
    row.set("optim/grad_norm", pending.grad_norm_sum / static_cast<double>(pending.updates - pending.skipped));
  row.set("optim/lr", pending.lr);
  row.set("optim/skipped", pending.skipped);
  row.set("tokens/trained", pending.trained_tokens);
  row.set("tokens/generated_total", state_.generated_tokens);
  add_times(times_,
            {.monitored = monitor_.has_value(),
             .checkpoint_seconds = std::exchange(checkpoint_seconds_, 0.0),
             .trained_tokens = pending.trained_tokens,
             .traffic = ranks_.alone() ? nullptr : &ranks_.communicator().traffic()},
            row);
  if (folder_) {
    folder_->log(row);
    log_info("{}", step_line_.format(row));
    write_samples(pending.step, state_.step + 1, config_.output, *workspace_.tokenizer, *folder_);
  }
  write_outliers();
  state_.pending.reset();
  state_.update = 0;
  ++state_.step;
  const int check_every = config_.parallel.check_every;
  if (check_every > 0 && state_.step % check_every == 0)
    optimizer_->check_weights(fmt::format("after step {}", state_.step));
}

// Of the present weights; empty where they were not evaluated.
std::map<std::string, double> RlTrainer::evaluation_of_now() const {
  return state_.evaluated == state_.step && state_.update == 0 ? state_.evaluation : std::map<std::string, double>();
}

void RlTrainer::save_checkpoint() {
  if (checkpoints_.is_saved(state_.position())) return;
  const Timer timer;
  ranks_.begin_phase(std::max<int64_t>(state_.step, 1), "checkpoint");
  if (folder_) folder_->sync();
  checkpoint::Content content;
  nlohmann::json run;
  to_json(state_, run, content.rollout);
  content.state = {{"run", run},
                   {"adamw_steps", optimizer_->steps_taken()},
                   {"objective", objective_->state()},
                   {"fingerprint", training_fingerprint(config_)}};
  content.weights = optimizer_->weight_parts();
  content.optimizer = optimizer_->state_parts();
  content.evaluation = evaluation_of_now();
  checkpoints_.save(state_.position(), std::move(content));
  checkpoint_seconds_ += timer.seconds();
}

void RlTrainer::evaluate_if_due() {
  const int every = config_.eval.every;
  const bool end = state_.step == 0 || state_.step == config_.train.steps;
  const bool due = end || (every > 0 && state_.step % every == 0);
  if (!eval_prompts_ || !due || state_.pending || state_.evaluated == state_.step) return;
  evaluate_now();
  state_.evaluated = state_.step;
}

void RlTrainer::evaluate_now() {
  const auto& eval = config_.eval;
  EvalOptions options;
  options.samples_per_prompt = eval.samples_per_prompt;
  options.sampling = {eval.temperature, eval.top_k, eval.top_p, 0.0};
  options.max_tokens = eval.max_tokens > 0 ? eval.max_tokens : config_.rollout.max_tokens;
  options.stop_ids = workspace_.stop_ids;
  options.stop_strings = config_.rollout.stop;
  options.seed = config_.seed;
  options.step = kEvaluationDraws;  // the same draws at every step: differences come from the weights alone
  options.label =
      state_.step == 0 ? "evaluation before training" : fmt::format("evaluation after step {}", state_.step);
  options.communicator = &ranks_.communicator();
  ranks_.begin_phase(std::max<int64_t>(state_.step, 1), "evaluate");
  const auto whole = hold_weights();
  const auto report = evaluate(*engine_, *eval_prompts_, judge_.judge, options);
  state_.evaluation = {{"accuracy", report.accuracy.estimate},
                       {"pass_at_k", report.pass_at_k},
                       {"mean_tokens", report.mean_tokens.estimate},
                       {"truncated_share", report.truncated_share}};
  if (!folder_) return;
  log_info("{}: {}", options.label, describe(report));
  folder_->log_evaluation(evaluation_row(state_.step, report));
}

void RlTrainer::finish_run() {
  save_model_folder(workspace_, folder_->file("model"));
  nlohmann::ordered_json summary = nlohmann::ordered_json::object();
  auto evaluations = read_evaluations(folder_->path());
  for (auto& row : evaluations) row.erase("examples");
  if (evaluations.size() > 1) summary["before"] = evaluations.front();
  if (!evaluations.empty()) summary["after"] = evaluations.back();
  summary["seed"] = config_.seed;
  summary["seconds"] = seconds_of_parent(config_.model.path);
  summary["seconds"]["rl"] = trained_seconds(folder_->path());
  summary["steps"] = state_.step;
  summary["generated_tokens"] = state_.generated_tokens;
  checkpoints_.summarise(summary);
  folder_->write_summary(summary);
  write_run_report(folder_->path());
}

}  // namespace laconic::trainers
