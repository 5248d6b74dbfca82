#include "laconic/trainers/run_config.h"

#include <algorithm>

#include "laconic/core/base/error.h"
#include "laconic/core/base/strings.h"
#include "laconic/core/text/chat_template.h"
#include "laconic/rewards/terms.h"
#include "laconic/trainers/reward_config.h"

namespace laconic::trainers {
namespace {

void visit_run(config::Visitor& v, uint64_t& seed, int& threads, std::string& today) {
  v.field("seed", seed, {.help = "every random draw of the run follows from it"});
  v.field("threads", threads, {.help = "threads of tensor operations; 0 = all cores", .min = 0.0, .max = 4096.0});
  v.field("today", today,
          {.help = "the day that a chat template prints, such as 2025-07-10; empty = the day on which the run begins, "
                   "which a resumed run keeps"});
  v.check(today.empty() || text::noon_of_day(today).has_value(), "today", "expected a day such as 2025-07-10");
}

// The gold field of a puzzle is read by its own verifier.
void check_puzzle_verifier(config::Visitor& v, const DataSection& data, const RewardSection& reward,
                           const std::string& section) {
  const std::string wanted = data::to_string(data.puzzle.options.kind);
  v.check(
      data.source != DataSource::puzzle || reward.external_decides() || reward.verifier == wanted,
      fmt::format("{}.puzzle.kind, reward.verifier", section),
      fmt::format("the answers of {0} are judged by verifier: {0} (or external), found {1}", wanted, reward.verifier));
}

// Nothing of a section whose errors are told elsewhere.
algorithms::Needs needs_of(const algorithms::ObjectiveSection& section) {
  try {
    return section.make()->needs();
  } catch (const Error&) {
    return {};
  }
}

}  // namespace

void ModelSection::visit(config::Visitor& v) {
  v.field("path", path, {.help = "Hugging Face folder with config.json (and weights, unless init: random)"});
  v.field("tokenizer", tokenizer,
          {.help = "folder or tokenizer.json; empty = path; chain = the words of the chain task"});
  v.choice("init", init, {{"pretrained", ModelInit::pretrained}, {"random", ModelInit::random}},
           {.help = "load the weights, or initialise them from the seed"});
  v.choice("dtype", dtype, {{"f32", Precision::f32}, {"bf16", Precision::bf16}},
           {.help = "of the weights; bf16 weights are trained through f32 master copies"});
  v.choice("device", device, {{"cpu", ComputeDevice::cpu}, {"cuda", ComputeDevice::cuda}},
           {.help = "where the run computes: the processor, or an NVIDIA GPU for each rank"});
  v.check(!path.empty(), "path", "expected the folder of a model, found nothing");
}

void MonitorSection::visit(config::Visitor& v) {
  v.field("prompts", prompts, {.help = "prompts of a pass, each sampled as in training", .min = 1.0});
  v.field("seed", seed, {.help = "which prompts are drawn, together with the run's seed"});
  v.optional_section("data", data, "where they are drawn from; absent: the training prompts");
}

void ReferenceSection::visit(config::Visitor& v) {
  v.field("pass_rates", pass_rates,
          {.help = "eval.jsonl of `laconic eval` on the training prompts with the model before training"});
  v.check(!pass_rates.empty(), "pass_rates",
          "the objective needs the reference pass rate of every training prompt; expected the eval.jsonl of `laconic "
          "eval`, found nothing");
}

std::string describe_verifier(const RewardSection& section) {
  std::string text = section.verifier;
  for (const auto& [name, value] : section.options) text += fmt::format(" {}={}", name, value);
  if (!section.external.python.empty()) text += fmt::format(" python={}", section.external.python);
  if (!section.external.command.empty()) text += fmt::format(" command={}", section.external.command);
  if (section.external_decides()) text += fmt::format(" correct_from={}", section.correct_from);
  return text;
}

void RolloutSection::visit(config::Visitor& v) {
  v.field("max_tokens", max_tokens, {.help = "limit of a completion", .min = 1.0, .unit = "tokens"});
  v.field("top_p", top_p,
          {.help = "nucleus sampling; training with less than 1 biases the ratio",
           .min = 0.0,
           .max = 1.0,
           .exclusive_min = true});
  v.field("top_k", top_k, {.help = "keep the k most probable tokens; 0 = all", .min = 0.0});
  v.field("min_p", min_p, {.help = "drop tokens below this share of the most probable one", .min = 0.0, .max = 1.0});
  v.field("stop", stop, {.help = "strings that end a completion"});
  v.field("kv_tokens", kv_tokens,
          {.help = "token budget of the KV cache; 0 = from max_rows and the lengths", .min = 0.0, .unit = "tokens"});
  v.field("max_rows", max_rows, {.help = "completions decoded at once", .min = 1.0, .max = 65536.0});
  v.field("prefill_tokens", prefill_tokens, {.help = "prompt tokens per engine step", .min = 1.0});
}

namespace {

struct CosineFields {
  rewards::CosineLength& shape;
  void visit(config::Visitor& v) {
    v.field("correct_begin", shape.correct_begin, {.help = "a right completion of length 0"});
    v.field("correct_end", shape.correct_end, {.help = "a right one at the limit"});
    v.field("wrong_begin", shape.wrong_begin, {.help = "a wrong completion of length 0"});
    v.field("wrong_end", shape.wrong_end, {.help = "a wrong one at the limit"});
    v.field("exceeded", shape.exceeded, {.help = "from margin tokens below the limit on"});
    v.field("margin", shape.margin, {.help = "-1: no exceeded length", .min = -1.0, .unit = "tokens"});
  }
};

struct RepetitionFields {
  rewards::RepetitionTerm& term;
  void visit(config::Visitor& v) {
    v.field("ngram", term.ngram, {.help = "length of the n-grams", .min = 1.0});
    v.field("max_penalty", term.max_penalty, {.help = "value towards which a loop tends", .max = 0.0});
    v.field("words", term.words, {.help = "n-grams of words instead of tokens"});
  }
};

void visit_terms(config::Visitor& v, RewardSection& section) {
  const auto known = rewards::term_names();
  v.field("terms", section.terms,
          {.help = "reward terms to compute beside `correct` and `format`, for objective.reward_weights: " +
                   join(known, ", ")});
  const bool names_known = std::all_of(section.terms.begin(), section.terms.end(), [&](const std::string& name) {
    return std::find(known.begin(), known.end(), name) != known.end();
  });
  v.check(names_known, "terms", "expected names of reward terms: " + join(known, ", "));
  const auto has = [&](std::string_view name) {
    return std::find(section.terms.begin(), section.terms.end(), name) != section.terms.end();
  };
  if (const auto block = v.when(has("cosine_length"), "terms has cosine_length")) {
    CosineFields fields{section.term_options.cosine};
    v.section("cosine_length", fields, "half a cosine over the length (arXiv 2502.03373)");
  }
  if (const auto block = v.when(has("repetition"), "terms has repetition")) {
    RepetitionFields fields{section.term_options.repetition};
    v.section("repetition", fields, "share of repeated n-grams");
  }
  if (const auto block = v.when(has("overlong"), "terms has overlong")) {
    v.field("overlong_buffer", section.term_options.overlong_buffer,
            {.help = "tokens below the limit over which `overlong` falls from 0 to -1", .min = 0.0, .unit = "tokens"});
  }
}

}  // namespace

void RewardSection::visit(config::Visitor& v) {
  v.choice("verifier", verifier, verifier_choices(),
           {.help = "how a completion is judged against the gold answer; external = by the rewards of python and "
                    "command, without a gold answer"});
  v.field("options", options, {.help = "options of the verifier, name: value"});
  visit_terms(v, *this);
  v.field("threads", threads, {.help = "worker threads of the verifier", .min = 1.0, .max = 256.0});
  visit_external(v, *this);
}

void OptimizerSection::visit(config::Visitor& v) {
  v.field("lr", schedule.lr, {.help = "learning rate of AdamW", .min = 0.0});
  v.field("beta1", adamw.beta1, {.help = "decay of the first moment", .min = 0.0, .max = 0.999999});
  v.field("beta2", adamw.beta2, {.help = "decay of the second moment", .min = 0.0, .max = 0.999999});
  v.field("epsilon", adamw.epsilon,
          {.help = "added to the root of the second moment", .min = 0.0, .exclusive_min = true});
  v.field("weight_decay", adamw.weight_decay, {.help = "decoupled weight decay", .min = 0.0});
  v.field("decay_norms_and_biases", adamw.decay_norms_and_biases, {.help = "decay vectors as well as matrices"});
  v.field("max_grad_norm", adamw.max_grad_norm, {.help = "clipping by the global norm; 0 = off", .min = 0.0});
  v.choice("schedule", schedule.kind,
           {{"constant", optim::ScheduleKind::constant},
            {"linear", optim::ScheduleKind::linear},
            {"cosine", optim::ScheduleKind::cosine}},
           {.help = "after the warm-up"});
  v.field("warmup_steps", schedule.warmup_steps, {.help = "optimizer steps of linear warm-up", .min = 0.0});
  v.field("hold", schedule.hold,
          {.help = "share of the steps after the warm-up at full rate before the decay", .min = 0.0, .max = 0.999});
  v.field("final_fraction", schedule.final_fraction,
          {.help = "rate at the end of the decay, as a share of lr", .min = 0.0, .max = 1.0});
  v.field("max_skipped_steps", max_skipped_steps,
          {.help = "non-finite optimizer steps in a row before the run ends with an error", .min = 0.0});
}

void TrainSection::visit(config::Visitor& v) {
  v.field("steps", steps, {.help = "rollout steps", .min = 1.0});
  v.field("prompts_per_step", prompts_per_step, {.help = "groups per step", .min = 1.0});
  v.field("micro_batch_tokens", micro_batch_tokens,
          {.help = "token budget of one forward and backward pass; changes no number", .min = 1.0, .unit = "tokens"});
  v.field("recompute", recompute, {.help = "keep only each layer's input for the backward pass"});
}

void EvalSection::visit(config::Visitor& v) {
  v.field("every", every, {.help = "steps between evaluations; 0 = none during training", .min = 0.0});
  v.field("samples_per_prompt", samples_per_prompt, {.help = "completions per prompt", .min = 1.0});
  v.field("temperature", temperature, {.help = "0 = greedy", .min = 0.0});
  v.field("top_p", top_p, {.help = "nucleus sampling", .min = 0.0, .max = 1.0, .exclusive_min = true});
  v.field("top_k", top_k, {.help = "keep the k most probable tokens; 0 = all", .min = 0.0});
  v.field("max_tokens", max_tokens,
          {.help = "limit of a completion; 0 = rollout.max_tokens", .min = 0.0, .unit = "tokens"});
}

void CheckpointSection::visit(config::Visitor& v) {
  v.field("every", every, {.help = "steps between checkpoints; 0 = only when the run ends or is stopped", .min = 0.0});
  v.field("keep", keep, {.help = "newest checkpoints that stay", .min = 1.0});
  v.field("keep_every", keep_every,
          {.help = "steps between checkpoints that stay beside the newest; 0 = none", .min = 0.0});
  v.choice("best", best, {"", "accuracy", "pass_at_k", "mean_tokens", "truncated_share", "loss"},
           {.help = "metric of the evaluations during training: the checkpoint that is best by it stays beside the "
                    "newest; loss is that of sft, the others those of train; empty = none"});
  v.field("asynchronous", asynchronous,
          {.help = "write on a thread while training goes on; takes memory for a copy of what is written"});
  v.choice("on_error", on_error, {{"fail", checkpoint::OnError::fail}, {"continue", checkpoint::OnError::go_on}},
           {.help = "when the system refuses to write one (a full disk): end the run, or warn and go on; the earlier "
                    "ones are intact in any case"});
}

void ParallelSection::visit(config::Visitor& v) {
  using distributed::Shard;
  v.choice("shard", shard,
           {{"none", Shard::none},
            {"optimizer", Shard::optimizer},
            {"gradients", Shard::gradients},
            {"parameters", Shard::parameters}},
           {.help = "what is divided between the ranks instead of held by each: nothing; the optimizer's state; the "
                    "gradient as well; the weights as well"});
  v.choice("reduction", reduction, {{"f32", Precision::f32}, {"bf16", Precision::bf16}},
           {.help = "in which gradients travel; bf16 halves the traffic and rounds"});
  if (const auto block = v.when(shard == Shard::parameters, "shard: parameters")) {
    v.choice("gather_for_rollout", gather_for_rollout,
             {{"auto", GatherForRollout::automatic},
              {"whole", GatherForRollout::whole},
              {"layers", GatherForRollout::layers}},
             {.help = "weights while completions are sampled: gathered once and whole, or layer by layer in every "
                      "decoding step, which is slow; auto = whole where they fit into the memory"});
  }
  v.field("timeout", timeout,
          {.help = "without progress for so long the run ends and says which rank was doing what",
           .min = 0.0,
           .exclusive_min = true,
           .unit = "seconds"});
  v.field("start_timeout", start_timeout,
          {.help = "until all ranks have come", .min = 0.0, .exclusive_min = true, .unit = "seconds"});
  v.field("check_every", check_every,
          {.help = "steps between comparisons of the ranks' weights; 0 = only at the start", .min = 0.0});
  v.field("interface", interface,
          {.help = "network interface of the collectives; empty = the one that leads to rank 0"});
}

void OutputSection::visit(config::Visitor& v) {
  v.field("folder", folder, {.help = "run folder: metrics, samples, checkpoints, the trained model"});
  v.field("samples_per_step", samples_per_step, {.help = "completions written to samples.jsonl per step", .min = 0.0});
  v.field("show_samples_every", show_samples_every,
          {.help = "steps between a completion shown on the screen; 0 = never", .min = 0.0});
  v.field("tensorboard", tensorboard, {.help = "write TensorBoard event files"});
  v.check(!folder.empty(), "folder", "expected the folder to write to, found nothing");
}

void RlConfig::visit(config::Visitor& v) {
  visit_run(v, seed, threads, today);
  v.section("model", model, "the policy");
  v.section("data", data, "training prompts");
  v.optional_section("eval_data", eval_data,
                     "evaluation prompts; absent: the held-out problems of source: chain and puzzle, none for files");
  v.check(!eval_data || !eval_data->curriculum, "eval_data.curriculum",
          "an evaluation takes every prompt once; a curriculum belongs to data");
  v.section("objective", objective, "the method");
  const auto needs = needs_of(objective);
  if (const auto block = v.when(needs.monitor_every > 0, "the objective has a monitor pass"))
    v.section("monitor", monitor, "prompts of the objective's monitor pass");
  if (const auto block = v.when(needs.reference_pass_rate, "the objective needs reference pass rates"))
    v.section("reference", reference, "the model before training");
  v.section("rollout", rollout, "sampling of completions");
  v.section("reward", reward, "judging of completions");
  settle_external(v, reward, objective);
  check_puzzle_verifier(v, data, reward, "data");
  if (eval_data) check_puzzle_verifier(v, *eval_data, reward, "eval_data");
  v.section("optimizer", optimizer, "AdamW and its schedule");
  v.section("train", train, "the loop");
  v.section("eval", eval, "evaluation during and after training");
  v.section("checkpoint", checkpoint, "saving and resuming");
  v.section("parallel", parallel, "several ranks");
  v.section("output", output, "what is written where");
  v.check(train.prompts_per_step % objective.common.updates_per_rollout == 0,
          "train.prompts_per_step, objective.updates_per_rollout",
          "the groups of a step are split evenly into mini-batches: prompts_per_step must be a multiple of "
          "updates_per_rollout");
  v.check(eval.every == 0 || eval_data.has_value() || data.procedural(), "eval.every, eval_data",
          "evaluation during training needs a section eval_data");
  v.check(checkpoint.best != "loss", "checkpoint.best", "loss is the metric of `laconic sft`; expected another one");
  v.check(checkpoint.best.empty() || eval_data.has_value() || data.procedural(), "checkpoint.best, eval_data",
          "the best checkpoint is found by evaluations, which need a section eval_data");
}

void SftTrainSection::visit(config::Visitor& v) {
  v.field("steps", steps, {.help = "optimizer steps; 0 = epochs decides", .min = 0.0});
  if (const auto block = v.when(steps == 0, "steps: 0"))
    v.field("epochs", epochs, {.help = "passes over the data", .min = 0.0, .exclusive_min = true});
  v.field("batch_size", batch_size, {.help = "samples per optimizer step", .min = 1.0});
  v.field("clean_share", clean_share,
          {.help = "chain: share of the steps spent in the clean phase", .min = 0.0, .max = 1.0});
  v.field("clean_batch_size", clean_batch_size,
          {.help = "chain: samples per optimizer step in the clean phase", .min = 1.0});
  v.field("self_exit", self_exit,
          {.help = "chain: share of the samples that answer after an early exit whose `stop </think>` the model learns "
                   "to write; in the others it stands in the prompt",
           .min = 0.0,
           .max = 1.0});
  v.field("micro_batch_tokens", micro_batch_tokens,
          {.help = "token budget of one forward and backward pass; changes no number", .min = 1.0, .unit = "tokens"});
  v.field("max_tokens", max_tokens,
          {.help = "a longer sample is an error; 0 = the model's window", .min = 0.0, .unit = "tokens"});
  v.field("token_mean", token_mean,
          {.help = "mean over all tokens instead of the mean over samples of their token means"});
  v.field("recompute", recompute, {.help = "keep only each layer's input for the backward pass"});
  v.field("log_every", log_every, {.help = "steps between lines on the screen; 0 = about fifty in all", .min = 0.0});
  v.field("eval_every", eval_every, {.help = "steps between evaluation losses; 0 = only at the end", .min = 0.0});
  v.field("eval_samples", eval_samples,
          {.help = "samples held out for the evaluation loss (files: the last ones)", .min = 0.0});
}

void SftConfig::visit(config::Visitor& v) {
  visit_run(v, seed, threads, today);
  v.section("model", model, "the model to train");
  v.section("data", data, "prompts and responses");
  v.check(data.mixture.empty(), "data.mixture", "`laconic sft` reads one set; expected data.path");
  v.check(!data.curriculum, "data.curriculum", "`laconic sft` shuffles its samples; a curriculum belongs to train");
  v.section("optimizer", optimizer, "AdamW and its schedule");
  v.section("train", train, "the loop");
  v.section("checkpoint", checkpoint, "saving and resuming");
  v.section("parallel", parallel, "several ranks");
  v.check(parallel.gather_for_rollout == GatherForRollout::automatic, "parallel.gather_for_rollout",
          "`laconic sft` samples nothing");
  v.section("output", output, "what is written where");
  v.check(data.source != DataSource::puzzle, "data.source",
          "puzzles have no responses to learn from; expected file or chain");
  v.check(data.source != DataSource::chain || train.steps > 0, "train.steps, data.source",
          "the chain task has no end, so that epochs cannot count: expected the number of steps");
  v.check(checkpoint.best.empty() || checkpoint.best == "loss", "checkpoint.best",
          "the one metric of `laconic sft` is loss");
  v.check(checkpoint.best.empty() || train.eval_samples > 0, "checkpoint.best, train.eval_samples",
          "the best checkpoint is found by the evaluation loss, which needs held-out samples; expected eval_samples "
          "above 0");
}

void EvalConfig::visit(config::Visitor& v) {
  visit_run(v, seed, threads, today);
  v.section("model", model, "the model to evaluate");
  v.section("data", data, "the problems");
  v.check(!data.curriculum, "data.curriculum", "an evaluation takes every prompt once; a curriculum belongs to train");
  v.section("rollout", rollout, "budgets of the engine");
  v.section("reward", reward, "judging of completions");
  check_puzzle_verifier(v, data, reward, "data");
  v.section("eval", eval, "sampling");
  v.section("output", output, "what is written where");
}

}  // namespace laconic::trainers
