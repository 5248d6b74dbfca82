// Small runs on the chain task for tests of the trainers.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "laconic/core/base/files.h"
#include "laconic/core/config/config.h"
#include "laconic/trainers/rl_trainer.h"
#include "laconic/trainers/sft_trainer.h"
#include "tests/support/temporary_folder.h"

namespace laconic::trainers {

// A folder with the config of a tiny model for the chain task.
inline void write_chain_model(const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  write_file_atomic(folder / "config.json", R"({"architectures": ["Qwen3ForCausalLM"], "model_type": "qwen3",
    "vocab_size": 60, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "head_dim": 8, "max_position_embeddings": 256, "rms_norm_eps": 1e-6, "rope_theta": 1000.0,
    "hidden_act": "silu", "tie_word_embeddings": true, "eos_token_id": 2, "torch_dtype": "float32"})");
}

// A short GRPO run; `data` is the YAML of the sections data and eval.
inline RlConfig rl_config(const std::filesystem::path& folder, const std::string& data,
                          const std::vector<std::string>& overrides) {
  const std::string yaml = R"(
seed: 5
model: {tokenizer: chain, init: random}
objective:
  name: grpo
  group_size: 4
  updates_per_rollout: 2
  loss: {aggregation: token_mean}
  kl: {coefficient: 0.01}
  overlong: {buffer: 16}
rollout: {max_tokens: 24}
reward: {verifier: boxed_exact}
optimizer: {lr: 1.0e-2, warmup_steps: 2}
train: {steps: 4, prompts_per_step: 4, micro_batch_tokens: 200}
checkpoint: {every: 1, keep: 3}
output: {samples_per_step: 2, tensorboard: false}
)" + data;
  std::vector<std::string> all = {"--model.path=" + (folder / "model").string(),
                                  "--output.folder=" + (folder / "run").string()};
  all.insert(all.end(), overrides.begin(), overrides.end());
  RlConfig config;
  config::read_from_yaml(yaml, "test", all, config);
  return config;
}

// The same on the chain task; overlong shaping gives an untrained model rewards that differ.
inline RlConfig chain_config(const std::filesystem::path& folder, const std::vector<std::string>& overrides = {}) {
  return rl_config(folder, "data: {source: chain, chain_per_grade: 4}\neval: {every: 2}\n", overrides);
}

inline SftConfig sft_config(const std::filesystem::path& folder, const std::vector<std::string>& overrides = {}) {
  const std::string yaml = R"(
seed: 5
model: {tokenizer: chain, init: random}
data: {source: chain}
optimizer: {lr: 3.0e-3, schedule: linear, warmup_steps: 2}
train: {steps: 8, batch_size: 6, clean_batch_size: 8, micro_batch_tokens: 300, eval_every: 3, eval_samples: 5}
output: {tensorboard: false}
)";
  std::vector<std::string> all = {"--model.path=" + (folder / "model").string(),
                                  "--output.folder=" + (folder / "run").string()};
  all.insert(all.end(), overrides.begin(), overrides.end());
  SftConfig config;
  config::read_from_yaml(yaml, "test", all, config);
  return config;
}

// The files of a run that must not depend on how it was carried out.
inline std::map<std::string, std::string> reproducible_files(const std::filesystem::path& run) {
  std::map<std::string, std::string> files;
  for (const char* name :
       {"metrics.jsonl", "samples.jsonl", "evaluations.jsonl", "model/model.safetensors", "model/config.json"}) {
    if (std::filesystem::exists(run / name)) files[name] = read_file(run / name);
  }
  return files;
}

}  // namespace laconic::trainers
