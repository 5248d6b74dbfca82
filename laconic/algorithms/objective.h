// The one interface behind which the methods differ. The engine asks an objective in this order, and never which method
// it is:
//
//   prepare -> needs, once
//   -> (monitor) -> plan -> (rollout, verdicts) -> next_round -> (rollout, verdicts) -> ... -> rewards -> keep
//   -> advantages -> loss per micro-batch -> metrics, every step
//
// An objective sees the whole step over all ranks at once, holds no files and starts no processes.
#pragma once

#include <nlohmann/json.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "laconic/algorithms/objective_config.h"
#include "laconic/algorithms/policy_loss.h"
#include "laconic/algorithms/step.h"

namespace laconic::algorithms {

using Metrics = std::vector<std::pair<std::string, double>>;

// What an objective may learn of its run before the first step. A recorded step has none of it.
struct RunFacts {
  uint64_t seed = 0;
  int64_t max_completion_tokens = 0;
  std::optional<int32_t> thinking_end_id;                        // absent where the tokenizer has no such token
  std::function<std::vector<int32_t>(std::string_view)> encode;  // text to ids, without added special tokens
};

// What the engine must compute beyond sampling and the forward pass.
struct Needs {
  bool rollout_entropy = false;      // Sample::entropy before rewards
  bool reference_logprobs = false;   // Sample::logp_ref
  bool old_logprobs_early = false;   // Sample::logp_old before rewards
  bool reference_pass_rate = false;  // Group::reference_pass_rate
  int monitor_every = 0;             // steps between monitor passes; 0 = none
};

// Completions wanted for one prompt: `count` samples that begin with the same forced tokens.
struct PlannedRequest {
  int count = 1;
  std::string kind;
  std::vector<int32_t> prompt_suffix;  // follows the prompt and belongs to it: a variant of the prompt within a group
  std::vector<int32_t> forced_prefix;  // the completion begins with these
  std::optional<int64_t> max_tokens;   // null: the run's limit
};

// A continuation of sample `parent` of the group: its first `keep` ids, then forced ids, then sampled tokens.
struct PlannedContinuation {
  int64_t parent = 0;
  int64_t keep = 0;
  std::string kind;
  std::vector<int32_t> forced;
  std::optional<int64_t> max_tokens;  // new tokens after the kept ones; null: what the run's limit leaves
};

class Objective {
 public:
  explicit Objective(ObjectiveConfig config) : config_(std::move(config)) {}
  virtual ~Objective() = default;

  const ObjectiveConfig& config() const { return config_; }

  // Once, before anything else; texts become ids here. What the run cannot do is an Error that says so.
  virtual void prepare(const RunFacts& /*run*/) {}
  virtual Needs needs() const;
  // Takes in a monitor pass: groups of the monitor prompts, sampled by plan() as in training, with their verdicts.
  // Before the first step and then after every needs().monitor_every steps.
  virtual void monitor(const Step& /*pass*/) {}
  // What to sample for a prompt; `prompt` has no samples yet. Default: group_size plain samples.
  virtual std::vector<PlannedRequest> plan(const Group& prompt, uint64_t step) const;
  // The most rounds of sampling that a group may take; with more than one the engine keeps the caches of its samples.
  virtual int rounds() const { return 1; }
  // Asked when every sample of the group has ended and has its verdict, for round 1, 2, ... rounds()-1 or until it
  // returns nothing. Their samples are appended to the group. `seed` and `step` identify random choices together with
  // the group's prompt_index.
  virtual std::vector<PlannedContinuation> next_round(const Group& group, int round, uint64_t seed,
                                                      uint64_t step) const;
  // Whether keep() may drop a group. Default: config().filter.keep is not `all`.
  virtual bool filters() const { return config_.filter.keep != KeepRule::all; }
  // Whether a group is trained on; asked after rewards() on it. Default: config().filter.keep.
  virtual bool keep(const Group& group) const;
  // Fills Sample::reward. Default: given or weighted rewards, overlong shaping, KL in the reward.
  virtual void rewards(Step& step);
  // Fills Sample::advantage, and where a method wants them loss_mask, old_logp_override and weight.
  virtual void advantages(Step& step);
  // The terms of one micro-batch; their sum over the mini-batch is the scalar that is minimised.
  virtual LossTerms loss(const TokenBatch& batch) const;
  // The method's own diagnostics of a finished step.
  virtual Metrics metrics(const Step& step) const;
  // State across steps, saved with a checkpoint.
  virtual nlohmann::json state() const { return nlohmann::json::object(); }
  virtual void restore(const nlohmann::json& state);

 protected:
  // The reward before shaping: given_reward, else the weighted named rewards, else correctness.
  double base_reward(const Sample& sample) const;
  // What the common options add to rewards that are set: overlong shaping and the KL in the reward. A reward that is
  // not finite is an Error.
  void shape_rewards(Step& step) const;

 private:
  ObjectiveConfig config_;
};

}  // namespace laconic::algorithms
