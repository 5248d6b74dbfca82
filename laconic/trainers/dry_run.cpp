#include "laconic/trainers/dry_run.h"

#include <algorithm>
#include <vector>

#include "laconic/core/base/strings.h"
#include "laconic/core/ops/paged_attention.h"
#include "laconic/core/policy/policy.h"
#include "laconic/trainers/costs.h"
#include "laconic/trainers/memory.h"
#include "laconic/trainers/rank_costs.h"
#include "laconic/trainers/run_facts.h"
#include "laconic/trainers/sft_data.h"
#include "laconic/trainers/workspace.h"

namespace laconic::trainers {
namespace {

std::string line(const char* label, const std::string& text) {
  return fmt::format("{:13}{}\n", label, text);
}

std::string bytes(int64_t value) {
  return human_bytes(static_cast<double>(value));
}

std::string model_line(const ModelSection& section, const model::ModelConfig& config) {
  const bool bf16 = section.dtype == Precision::bf16;
  return line("model",
              fmt::format("{}: {} parameters ({} in matrix products), {} layers, window {} tokens, {}, {}",
                          section.path, human_count(static_cast<double>(config.total_parameters())),
                          human_count(static_cast<double>(config.matmul_parameters())), config.layers,
                          config.max_positions, bf16 ? "bf16 with f32 masters" : "f32",
                          section.init == ModelInit::random ? "initialised from the seed" : "weights from its folder"));
}

int64_t parts_of(int64_t whole, int64_t parts) {
  return (whole + parts - 1) / parts;
}

// When a row of the memory table is there: rollouts and updates take turns.
enum class During { always, rollout, update };

struct MemoryRow {
  std::string name;
  int64_t bytes = 0;
  During during = During::always;
};

std::string ranks_text(int ranks, const ParallelSection& parallel) {
  const char* names[] = {"none", "optimizer", "gradients", "parameters"};
  return ranks == 1 ? ""
                    : fmt::format("of each of {} ranks, parallel.shard: {}", ranks,
                                  names[static_cast<size_t>(parallel.shard)]);
}

RankPlan rank_plan(const ModelSection& model, const ParallelSection& parallel, int ranks, int64_t micro_batches) {
  RankPlan plan;
  plan.ranks = ranks;
  plan.shard = ranks == 1 ? distributed::Shard::none : parallel.shard;
  plan.weight_bytes = model.dtype == Precision::bf16 ? 2 : 4;
  plan.reduction_bytes = parallel.reduction == Precision::bf16 ? 2 : 4;
  plan.micro_batches = micro_batches;
  return plan;
}

// Of weights, optimizer, gradient and what a checkpoint needs.
std::vector<MemoryRow> state_rows(const RankMemory& memory, const CheckpointSection& checkpoint) {
  std::vector<MemoryRow> rows = {{"weights", memory.weights},
                                 {"optimizer", memory.optimizer},
                                 {"gradient (f32)", memory.gradients, During::update}};
  if (memory.gathered > 0) rows.push_back({"gathered weights, layers", memory.gathered, During::update});
  if (checkpoint.asynchronous) rows.push_back({"copy for checkpoints", memory.checkpoint});
  return rows;
}

// The rows of the memory table and the most that is there at once.
std::string memory_lines(const std::string& of_whom, const std::vector<MemoryRow>& rows) {
  std::string text = line("memory", of_whom);
  int64_t always = 0, rollout = 0, update = 0;
  for (const auto& row : rows) {
    text += fmt::format("  {:38} {:>10}\n", row.name, bytes(row.bytes));
    (row.during == During::always ? always : row.during == During::rollout ? rollout : update) += row.bytes;
  }
  const int64_t total = always + std::max(rollout, update);
  const int64_t available = available_memory_bytes();
  const char* label = rollout > 0 ? "peak (rollout and update take turns)" : "total";
  return text + fmt::format("  {:38} {:>10} of {} available{}\n", label, bytes(total), bytes(available),
                            total > available ? "  <- more than there is: lower train.micro_batch_tokens or "
                                                "rollout.kv_tokens, or set train.recompute"
                                              : "");
}

// Where the run would write, and what it would meet there.
std::string output_line(const OutputSection& output) {
  std::error_code error;
  const bool used =
      std::filesystem::is_directory(output.folder, error) && !std::filesystem::is_empty(output.folder, error);
  return line("output", output.folder + (used ? ", which is not empty: --resume, --overwrite or another folder" : ""));
}

std::string prompt_lengths(const PromptSource& source, int64_t count) {
  std::vector<int64_t> lengths;
  for (int64_t i = 0; i < count; ++i)
    lengths.push_back(static_cast<int64_t>(source.training_prompt(static_cast<uint64_t>(i)).ids.size()));
  std::sort(lengths.begin(), lengths.end());
  return fmt::format("prompt tokens {} to {}, median {}", lengths.front(), lengths.back(), lengths[lengths.size() / 2]);
}

// Memory and traffic of an RL run whose sequences have at most `longest` tokens.
std::string resource_lines(const RlConfig& config, const TextWorkspace& loaded, const algorithms::Needs& needs,
                           int64_t longest, int ranks) {
  const auto& model = loaded.config;
  const int64_t group = config.objective.common.group_size, updates = config.objective.common.updates_per_rollout;
  const int64_t own = parts_of(config.train.prompts_per_step, ranks) * group;  // completions
  const int64_t budget = std::max<int64_t>(longest, config.train.micro_batch_tokens), together = budget / longest;
  const int64_t micro = std::min(budget, own * longest);
  const int64_t sequences = config.train.prompts_per_step * group;
  const auto micro_batches = [&](int64_t count) { return parts_of(parts_of(count, ranks), together); };
  const auto plan = rank_plan(config.model, config.parallel, ranks, micro_batches(parts_of(sequences, updates)));
  const auto memory = rank_memory(model, plan);
  const int64_t limit = config.rollout.max_tokens;
  const int64_t kv_tokens =
      engine_options(model, *loaded.tokenizer, config.rollout, own, longest - limit, limit).kv_tokens;
  const bool divided = plan.shard == distributed::Shard::parameters;
  const bool layered = config.parallel.gather_for_rollout == GatherForRollout::layers;

  auto rows = state_rows(memory, config.checkpoint);
  if (needs.reference_logprobs) rows.push_back({"frozen reference", memory.weights});
  rows.push_back({fmt::format("KV cache ({} tokens, at most)", kv_tokens), kv_tokens * kv_bytes_per_token(model)});
  rows.push_back(
      {fmt::format("activations ({} tokens at once)", micro),
       activation_bytes(model, micro, config.train.recompute, policy::PolicyOptions{}.head_chunk_bytes).total(),
       During::update});
  if (divided) {
    rows.push_back({layered ? "gathered weights, layers, for a rollout" : "gathered weights, whole, for a rollout",
                    layered ? memory.gathered : memory.gathered_whole, During::rollout});
  }
  std::string text = memory_lines(ranks_text(ranks, config.parallel), rows);
  if (ranks == 1) return text;

  // Logprobs of the sampling policy find the weights gathered whole; those of the reference do not.
  const bool old = needs.old_logprobs_early || updates > 1;
  const auto passes =
      static_cast<double>(((layered && old ? 1 : 0) + (needs.reference_logprobs ? 1 : 0)) * micro_batches(sequences));
  const double rollout = (layered ? 0.0 : 1.0) * pass_wire_bytes(model, plan) + passes * pass_wire_bytes(model, plan);
  text += line("wire", fmt::format("of each rank and step: {} for {} update(s) of at most {} micro-batches",
                                   human_bytes(static_cast<double>(updates) * update_wire_bytes(model, plan)), updates,
                                   plan.micro_batches));
  if (divided)
    text += line("", fmt::format("{} to gather weights for rollout and scores at most", human_bytes(rollout)));
  if (divided && layered)
    text += line("", fmt::format("{} for each of at least {} decoding steps of the longest completion",
                                 human_bytes(decoding_wire_bytes(model, plan)), limit));
  return text;
}

}  // namespace

std::string describe_plan(const RlConfig& config, int ranks) {
  const auto loaded = load_text(config.model);
  const auto& model = loaded.config;
  const auto& common = config.objective.common;
  const auto objective = config.objective.make();
  objective->prepare(run_facts(loaded, config));
  make_judge(config.reward, loaded);  // options of the verifier
  for (const auto& [name, weight] : common.reward_weights) check_reward_name(name, config.reward.all_terms());
  const int64_t limit = config.rollout.max_tokens;
  const int64_t prompt_room = model.max_positions - longest_completion(config, model.max_positions);
  const auto source =
      make_prompt_source(config.data, config.seed, *loaded.tokenizer, loaded.chat.get(), prompt_room, config.reward);
  const int64_t groups = config.train.prompts_per_step, completions = groups * common.group_size;
  const auto size = source->size();
  std::string text = model_line(config.model, model);
  text += line("data", fmt::format("{} prompts; {}", size ? std::to_string(*size) : "endless",
                                   prompt_lengths(*source, size ? std::min<int64_t>(*size, 2000) : 2000)));
  text += line("objective", fmt::format("{}{}, {} completions per prompt, temperature {}", common.name,
                                        common.preset.empty() ? "" : " (preset " + common.preset + ")",
                                        common.group_size, common.temperature));
  text += line("step",
               fmt::format("{} prompts x {} = {} completions of at most {} tokens (at most {} tokens), {} update(s)",
                           groups, common.group_size, completions, limit,
                           human_count(static_cast<double>(completions * limit)), common.updates_per_rollout));
  text += line("run", fmt::format("{} steps, {} completions", config.train.steps,
                                  human_count(static_cast<double>(completions) * config.train.steps)));
  if (const int every = objective->needs().monitor_every; every > 0) {
    const double monitor = static_cast<double>(config.monitor.prompts) * common.group_size;
    text += line("monitor", fmt::format("{} prompts x {} before step 1 and after every {} steps: +{:.1f} % completions",
                                        config.monitor.prompts, common.group_size, every,
                                        100.0 * monitor / static_cast<double>(completions * every)));
  }
  if (config.eval_data) {
    const auto eval = make_prompt_source(*config.eval_data, config.seed, *loaded.tokenizer, loaded.chat.get(),
                                         prompt_room, config.reward);
    text +=
        line("evaluation",
             fmt::format("{} problems x {}, before, after{}", eval->evaluation_size(), config.eval.samples_per_prompt,
                         config.eval.every > 0 ? fmt::format(" and every {} steps", config.eval.every) : ""));
  } else if (config.data.procedural()) {
    text += line("evaluation", fmt::format("{} held-out problems, before and after", source->evaluation_size()));
  }
  text += resource_lines(config, loaded, objective->needs(), source->longest_prompt() + limit, ranks);
  return text + output_line(config.output);
}

std::string describe_plan(const SftConfig& config, int ranks) {
  const auto loaded = load_text(config.model);
  const auto source = make_sft_source(config, loaded);
  int64_t longest = 0;
  double tokens = 0;
  const int64_t looked_at = 200;
  for (int64_t i = 0; i < looked_at; ++i) {
    const auto sample = source->sample(i / source->batch_size(0), i % source->batch_size(0));
    longest = std::max(longest, static_cast<int64_t>(sample.ids.size()));
    tokens += static_cast<double>(sample.ids.size());
  }
  std::string text = model_line(config.model, loaded.config);
  text += line("data", fmt::format("samples of {:.0f} tokens on average, {} held out", tokens / looked_at,
                                   source->evaluation_size()));
  text += line("run", fmt::format("{} steps of {} samples", source->steps(), source->batch_size(source->steps() - 1)));
  const int64_t budget = std::max<int64_t>(longest, config.train.micro_batch_tokens);
  const int64_t own = parts_of(source->batch_size(source->steps() - 1), ranks);
  const auto plan = rank_plan(config.model, config.parallel, ranks, parts_of(own, budget / longest));
  auto rows = state_rows(rank_memory(loaded.config, plan), config.checkpoint);
  rows.push_back(
      {fmt::format("activations ({} tokens at once)", budget),
       activation_bytes(loaded.config, budget, config.train.recompute, policy::PolicyOptions{}.head_chunk_bytes)
           .total(),
       During::update});
  text += memory_lines(ranks_text(ranks, config.parallel), rows);
  if (ranks > 1)
    text += line("wire", fmt::format("of each rank and step: {} for at most {} micro-batches",
                                     human_bytes(update_wire_bytes(loaded.config, plan)), plan.micro_batches));
  return text + output_line(config.output);
}

}  // namespace laconic::trainers
