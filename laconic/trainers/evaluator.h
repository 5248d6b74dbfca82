// Accuracy and length of a policy on a set of problems, with confidence intervals; resumable answer by answer.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "laconic/core/metrics/statistics.h"
#include "laconic/core/rollout/engine.h"
#include "laconic/trainers/collect.h"
#include "laconic/trainers/prompts.h"

namespace laconic::trainers {

struct EvalOptions {
  int samples_per_prompt = 1;
  rollout::SamplingParams sampling;
  int64_t max_tokens = 256;
  std::vector<int32_t> stop_ids;
  std::vector<std::string> stop_strings;
  uint64_t seed = 0;
  uint64_t step = 0;                            // identity of the draws
  std::string label = "eval";                   // of the progress bar
  std::optional<std::filesystem::path> output;  // one line per problem; problems already in it are not sampled again
  std::string model_identity;                   // which weights: a resumed file must come from the same
  std::string verifier;                         // describe_verifier(), recorded beside the answers
  distributed::Communicator* communicator = nullptr;  // deals the problems to the ranks; not together with `output`
  int keep_samples = 3;                               // completions kept for the report
  int64_t window_samples = 512;                       // completions in flight; bounds the memory, changes no number
};

struct EvalSample {
  std::string prompt, completion, answer, gold;
  bool correct = false, truncated = false;
  int64_t tokens = 0;
};

struct EvalReport {
  int64_t prompts = 0;
  int64_t samples = 0;
  metrics::Interval accuracy;     // pass@1: mean over samples, interval clustered by prompt
  double pass_at_k = 0;           // share of prompts with at least one right sample among samples_per_prompt
  metrics::Interval mean_tokens;  // clustered by prompt
  double truncated_share = 0;
  double answer_found_share = 0;
  double format_share = 0;
  std::optional<double>
      no_thinking_share;  // completions that begin with the end of thinking, where there is such a token
  int64_t reused = 0;     // problems taken from an earlier, interrupted run
  double seconds = 0;
  int64_t generated_tokens = 0;
  struct Part {
    int64_t samples = 0;
    double accuracy = 0, mean_tokens = 0, no_thinking_share = 0;
  };
  std::map<std::string, Part> by_label;
  std::map<std::string, double>
      rewards;  // of the user's own and tests_passed: means over the samples that they apply to
  // Of the user's own rewards, this session's: tries that failed by their kind, dropped_groups, zeroed_groups.
  std::map<std::string, int64_t> reward_failures;
  std::vector<EvalSample> examples;

  nlohmann::ordered_json to_json() const;
};

// Samples every evaluation prompt of the source. Throws Stopped when a stop was requested (finished problems are in
// `output`).
EvalReport evaluate(rollout::Engine& engine, const PromptSource& source, const Judge& judge,
                    const EvalOptions& options);

// "accuracy 72.3 % (70.1-74.4), mean tokens 50.1 (48.0-52.2), truncated 0.0 %, 600 problems x 1"
std::string describe(const EvalReport& report);

}  // namespace laconic::trainers
