#include "laconic/trainers/run_facts.h"

namespace laconic::trainers {

algorithms::RunFacts run_facts(const TextWorkspace& workspace, const RlConfig& config) {
  algorithms::RunFacts facts;
  facts.seed = config.seed;
  facts.max_completion_tokens = config.rollout.max_tokens;
  facts.thinking_end_id = thinking_end_id(*workspace.tokenizer);
  facts.encode = [&tokenizer = *workspace.tokenizer](std::string_view text) { return tokenizer.encode(text); };
  return facts;
}

}  // namespace laconic::trainers
