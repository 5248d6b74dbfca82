#include "laconic/trainers/dry_run.h"

#include <algorithm>
#include <vector>

#include "laconic/core/base/strings.h"
#include "laconic/core/ops/paged_attention.h"
#include "laconic/core/policy/policy.h"
#include "laconic/trainers/costs.h"
#include "laconic/trainers/memory.h"
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

// The rows of the memory table and their sum.
std::string memory_lines(const std::vector<std::pair<std::string, int64_t>>& parts) {
  std::string text = line("memory", "");
  int64_t total = 0;
  for (const auto& [name, value] : parts) {
    text += fmt::format("  {:38} {:>10}\n", name, bytes(value));
    total += value;
  }
  const int64_t available = available_memory_bytes();
  return text + fmt::format("  {:38} {:>10} of {} available{}\n", "total", bytes(total), bytes(available),
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

}  // namespace

std::string describe_plan(const RlConfig& config) {
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
  } else if (config.data.source == DataSource::chain) {
    text += line("evaluation", fmt::format("{} held-out problems, before and after", source->evaluation_size()));
  }
  const auto states = state_bytes(model, config.model.dtype == Precision::bf16);
  const policy::PolicyOptions policy;
  const int64_t longest = source->longest_prompt() + limit;
  const int64_t micro =
      std::max<int64_t>(longest, std::min<int64_t>(config.train.micro_batch_tokens, completions * longest));
  const int64_t kv_tokens =
      engine_options(model, *loaded.tokenizer, config.rollout, completions, source->longest_prompt(), limit).kv_tokens;
  std::vector<std::pair<std::string, int64_t>> parts = {
      {"weights", states.weights}, {"gradients (f32)", states.gradients}, {"optimizer", states.optimizer}};
  if (objective->needs().reference_logprobs) parts.emplace_back("frozen reference", states.weights);
  parts.emplace_back(fmt::format("KV cache ({} tokens, at most)", kv_tokens), kv_tokens * kv_bytes_per_token(model));
  parts.emplace_back(fmt::format("activations ({} tokens at once)", micro),
                     activation_bytes(model, micro, config.train.recompute, policy.head_chunk_bytes).total());
  text += memory_lines(parts);
  return text + output_line(config.output);
}

std::string describe_plan(const SftConfig& config) {
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
  const auto states = state_bytes(loaded.config, config.model.dtype == Precision::bf16);
  const int64_t micro = std::max<int64_t>(longest, config.train.micro_batch_tokens);
  text += memory_lines(
      {{"weights", states.weights},
       {"gradients (f32)", states.gradients},
       {"optimizer", states.optimizer},
       {fmt::format("activations ({} tokens at once)", micro),
        activation_bytes(loaded.config, micro, config.train.recompute, policy::PolicyOptions{}.head_chunk_bytes)
            .total()}});
  return text + output_line(config.output);
}

}  // namespace laconic::trainers
