// What an objective may learn of a training run before its first step.
#pragma once

#include "laconic/algorithms/objective.h"
#include "laconic/trainers/run_config.h"
#include "laconic/trainers/workspace.h"

namespace laconic::trainers {

// The result refers to the workspace's tokenizer, which outlives it.
algorithms::RunFacts run_facts(const TextWorkspace& workspace, const RlConfig& config);

}  // namespace laconic::trainers
