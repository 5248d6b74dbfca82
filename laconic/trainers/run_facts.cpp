#include "laconic/trainers/run_facts.h"

#include <algorithm>

#include "laconic/core/base/error.h"

namespace laconic::trainers {

algorithms::RunFacts run_facts(const TextWorkspace& workspace, const RlConfig& config) {
  algorithms::RunFacts facts;
  facts.seed = config.seed;
  facts.max_completion_tokens = config.rollout.max_tokens;
  facts.thinking_end_id = thinking_end_id(*workspace.tokenizer);
  facts.encode = [&tokenizer = *workspace.tokenizer](std::string_view text) { return tokenizer.encode(text); };
  return facts;
}

int64_t longest_completion(const RlConfig& config, int64_t window) {
  const int64_t limit = std::max<int64_t>(config.rollout.max_tokens, config.eval.max_tokens);
  if (limit >= window) {
    fail(ErrorKind::usage,
         "rollout.max_tokens, eval.max_tokens: expected less than the model's window of {} tokens, found {}", window,
         limit);
  }
  return limit;
}

}  // namespace laconic::trainers
