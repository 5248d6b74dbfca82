// What an objective may learn of a training run before its first step.
#pragma once

#include <cstdint>

#include "laconic/algorithms/objective.h"
#include "laconic/trainers/run_config.h"
#include "laconic/trainers/workspace.h"

namespace laconic::trainers {

// The result refers to the workspace's tokenizer, which outlives it.
algorithms::RunFacts run_facts(const TextWorkspace& workspace, const RlConfig& config);

// Tokens of the longest completion of training and evaluation. Throws (usage) when it leaves no room for a prompt in a
// window of so many tokens.
int64_t longest_completion(const RlConfig& config, int64_t window);

}  // namespace laconic::trainers
