// Contradictions between common options and what a method is, told at the option's place in the file.
#pragma once

#include "laconic/algorithms/objective_config.h"
#include "laconic/core/config/visitor.h"

namespace laconic::algorithms {

// The method computes its reward from the verdict itself; weighted named rewards would have to replace it.
void check_own_reward(config::Visitor& v, const ObjectiveConfig& common);

// Groups in which all completions are right carry the method's signal, so a filter for mixed groups must be off; exits
// exist only where a method plans them.
void check_keeps_all_correct(config::Visitor& v, const ObjectiveConfig& common);

}  // namespace laconic::algorithms
