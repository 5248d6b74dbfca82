#include "laconic/algorithms/outcome_rewards.h"

namespace laconic::algorithms {

void OutcomeRewards::visit(config::Visitor& v) {
  v.field("wrong_reward", wrong, {.help = "reward of a wrong, well-formed completion; a right one has 1"});
  v.field("malformed_reward", malformed,
          {.help = "reward of a malformed completion: thinking not closed, or no answer behind it (as the verifier "
                   "defines it)"});
}

double OutcomeRewards::of(const Sample& sample) const {
  if (!sample.verdict.format_ok) return malformed;
  return sample.verdict.correct ? 1.0 : wrong;
}

}  // namespace laconic::algorithms
