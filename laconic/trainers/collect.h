// The rollout phase of a step: an objective's plan becomes requests, completions become judged samples.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "laconic/algorithms/objective.h"
#include "laconic/core/base/thread_pool.h"
#include "laconic/core/distributed/communicator.h"
#include "laconic/core/rollout/engine.h"
#include "laconic/core/text/tokenizer.h"
#include "laconic/rewards/external/external_rewards.h"
#include "laconic/rewards/terms.h"
#include "laconic/rewards/verifier.h"
#include "laconic/trainers/prompts.h"

namespace laconic::trainers {

// A prompt and its position in the run's order, which identifies its draws.
struct PlacedPrompt {
  Prompt prompt;
  uint64_t position = 0;
  std::optional<double> reference_pass_rate = {};
};

struct CollectOptions {
  rollout::SamplingParams sampling;
  int64_t max_tokens = 256;
  std::vector<int32_t> stop_ids;
  std::vector<std::string> stop_strings;
  bool want_entropy = false;
  uint64_t seed = 0;
  uint64_t step = 0;
  // Deals the prompts to the ranks of the run; every rank calls collect() with the same arguments and returns all
  // groups. Null: this process samples all of them.
  distributed::Communicator* communicator = nullptr;
  int64_t window_samples = 0;  // completions in flight at once; 0 = all. Bounds the memory, changes no number
  // Hears each group as soon as it is complete, by its index among the prompts; may move its content away.
  std::function<void(size_t, algorithms::Group&)> on_group = {};
};

// Rewards of the user's own; `rewards` is null where there are none.
struct ExternalJudge {
  rewards::ExternalRewards* rewards = nullptr;
  ConversationForm form = ConversationForm::automatic;
  std::string gold_column = {};             // of their columns the one that is the gold answer; "" = none
  std::optional<double> correct_from = {};  // where they decide the verdict
  int64_t step = 0, steps = 0;              // finished steps of the run and all of them, told to the user's code
};

// What judges completions: a verifier on worker threads while decoding goes on.
struct Judge {
  const rewards::Verifier* verifier = nullptr;
  const text::Tokenizer* tokenizer = nullptr;
  ThreadPool* pool = nullptr;
  std::optional<int32_t> thinking_end_id;
  std::vector<std::string> terms = {};  // computed beside `correct` and `format`
  rewards::TermOptions term_options = {};
  ExternalJudge external = {};
};

struct CollectReport {
  double rollout_seconds = 0;
  double reward_wait_seconds = 0;  // spent waiting for verdicts, with nothing left to decode
  double verify_seconds = 0;       // of the verifier and the terms, summed over its threads
  int64_t drawn_tokens = 0;        // sampled: without kept and forced tokens
  // Of the engine. They depend on budgets and on what was computed again.
  int64_t prefilled_tokens = 0;
  int64_t adopted_tokens = 0;  // taken from a cache instead of being computed
  rewards::ExternalStatistics external = {};
};

// A weight of objective.reward_weights must name a reward that samples have: `correct`, `format` or one of the terms.
// Otherwise an Error of kind usage.
void check_reward_name(const std::string& name, std::vector<std::string> terms);

// Rewards that are not finite would spoil every advantage of their group: an Error of kind numeric that names one.
void check_rewards(const algorithms::Step& step);

// Thrown out of collect() when a stop was requested: the step is abandoned, nothing of it was used.
struct Stopped {};

// One group per prompt, in their order, with as many rounds as the objective plans. Every sample has its verdict and
// the named rewards `correct` (0 or 1), `format` (0 or 1: the thinking tags are as they should be) and the judge's
// terms, and the user's own rewards unless its group is `dropped`. `on_progress(done, total)` hears how many
// completions have ended; the total grows with further rounds.
std::vector<algorithms::Group> collect(rollout::Engine& engine, const algorithms::Objective& objective,
                                       std::span<const PlacedPrompt> prompts, const Judge& judge,
                                       const CollectOptions& options,
                                       const std::function<void(int64_t, int64_t)>& on_progress, CollectReport& report);

// A completion's text as it is judged and shown: without the stop token that ended it.
std::string completion_text(const text::Tokenizer& tokenizer, std::span<const int32_t> ids, bool stopped_by_token);

}  // namespace laconic::trainers
