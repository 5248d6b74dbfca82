// What an objective sees and decides: one training step as groups of samples. Plain values, no tensors.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "laconic/rewards/verifier.h"

namespace laconic::algorithms {

// One completion. The first block is filled by the engine, the second is decided by the objective.
struct Sample {
  std::string kind;  // sub-group of a heterogeneous group: "thinking", "no_thinking", "exit", "full"; "" otherwise
  std::vector<int32_t> prompt_suffix;    // belongs to the prompt of this sample alone; usually empty
  std::vector<int32_t> ids;              // completion tokens, EOS included where emitted
  int64_t length = 0;                    // number of completion tokens (ids.size() where ids are known)
  bool truncated = false;                // hit its token limit; never inferred from the length
  std::optional<int64_t> thinking_end;   // index of the first end-of-thinking token
  std::optional<int64_t> exit_position;  // serial groups: thinking tokens kept before the forced exit
  rewards::Verdict verdict;
  std::optional<double> given_reward;           // a finished scalar that replaces the objective's own reward
  std::map<std::string, double> named_rewards;  // further reward terms by name
  std::vector<std::string> inapplicable;        // names of rewards that say nothing about this completion
  bool unscored = false;  // no reward says anything about it: it has no part in baselines and is not trained on
  std::vector<double> logp_rollout;  // [length] by the sampler; empty when unknown
  std::vector<double> logp_old;      // [length] by the trainer under the sampling weights; empty until computed
  std::vector<double> logp_ref;      // [length] by the frozen reference; empty unless needed
  std::vector<double> entropy;       // [length] nats, rollout policy; empty unless needed
  std::vector<uint8_t> forced;       // [length] 1 where the token was not drawn by the policy; empty = all drawn

  double reward = 0.0;
  std::vector<double> advantage;   // one value for all tokens, or [length]
  std::vector<uint8_t> loss_mask;  // [length] 1 = in the loss; empty = all ones
  std::vector<std::pair<int64_t, double>>
      old_logp_override;  // (position, value): the sampling probability where it is not the policy's
  double weight = 1.0;    // factor on this sample's loss terms; 0 = not trained on, and left out of the denominators
};

struct Group {
  std::string prompt_id;
  uint64_t prompt_index = 0;  // position in the prompt order of the run: identity of the draws
  std::vector<int32_t> prompt_ids;
  std::optional<double> reference_pass_rate;
  std::vector<Sample> samples;
  bool dropped = false;  // its rewards could not be computed: left out of the step
};

// All groups of all ranks.
struct Step {
  uint64_t seed = 0;
  uint64_t index = 0;                 // 0-based training step
  int64_t max_completion_tokens = 0;  // the run's limit (constant_norm, overlong shaping)
  std::vector<Group> groups;
};

}  // namespace laconic::algorithms
