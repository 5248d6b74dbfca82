// Everything that a run loads before it starts: model, tokenizer, template, verifier. Loaded once, checked together.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "laconic/core/base/thread_pool.h"
#include "laconic/core/model/model.h"
#include "laconic/core/rollout/engine.h"
#include "laconic/core/text/chat_template.h"
#include "laconic/core/text/tokenizer.h"
#include "laconic/rewards/verifier.h"
#include "laconic/trainers/collect.h"
#include "laconic/trainers/run_config.h"

namespace laconic::trainers {

// What is known of a model without its weights.
struct TextWorkspace {
  model::ModelConfig config;
  std::unique_ptr<text::Tokenizer> tokenizer;
  std::unique_ptr<text::ChatTemplate> chat;  // null where the model has none
  std::filesystem::path tokenizer_folder;    // "" for the built-in tokenizer of the chain task
  std::vector<int32_t> stop_ids;             // the model's end tokens; never empty
};

struct Workspace : TextWorkspace {
  explicit Workspace(TextWorkspace text, model::Model loaded)
      : TextWorkspace(std::move(text)), model(std::move(loaded)) {}
  model::Model model;
};

// Reads config, tokenizer and template; a vocabulary that does not fit the tokenizer is an error, and so is a device
// that the run cannot have.
TextWorkspace load_text(const ModelSection& section);
// Fixes the day that the chat template prints, where it prints one: that of the configuration, else that of the run in
// `earlier_run` (which is continued; "" = none), else the present one. `today` becomes that day, to be recorded.
void fix_today(const TextWorkspace& workspace, std::string& today, const std::filesystem::path& earlier_run);
// Adds the weights: loaded, or initialised from the seed.
Workspace load_weights(TextWorkspace text, const ModelSection& section, uint64_t seed);
Workspace load_workspace(const ModelSection& section, uint64_t seed);

// Copies tokenizer and template files beside saved weights, so that the folder is complete.
void copy_tokenizer_files(const TextWorkspace& workspace, const std::filesystem::path& folder);

// Weights as they are in memory, config and tokenizer: a folder that any Hugging Face loader reads.
void save_model_folder(const Workspace& workspace, const std::filesystem::path& folder);

// This process computes on the GPU of its local rank from now on, or on the only one that it sees; returns which. Where
// it cannot: an Error that names model.device.
int use_gpu(int local_rank);

// An engine with the run's budgets, for completions of at most `new_tokens` to prompts of at most `prompt_tokens`, of
// which `requests` are expected at once, in a quarter of the machine's memory at most, or half of what is free on the
// GPU. The tokenizer outlives the engine.
rollout::EngineOptions engine_options(const model::ModelConfig& config, const text::Tokenizer& tokenizer,
                                      const RolloutSection& section, int64_t requests, int64_t prompt_tokens,
                                      int64_t new_tokens, const ModelSection& model = {});

// The token that ends thinking, where the tokenizer has one.
std::optional<int32_t> thinking_end_id(const text::Tokenizer& tokenizer);

// A verifier and what it needs, kept together.
struct JudgeOwner {
  std::unique_ptr<rewards::Verifier> verifier;
  std::unique_ptr<ThreadPool> pool;
  std::unique_ptr<rewards::ExternalRewards> external;  // null: none
  Judge judge;
};
JudgeOwner make_judge(const RewardSection& section, const TextWorkspace& workspace);

}  // namespace laconic::trainers
