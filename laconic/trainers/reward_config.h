// The part of the `reward` section that is about rewards of the user's own.
#pragma once

#include <string>
#include <vector>

#include "laconic/core/config/visitor.h"
#include "laconic/trainers/run_config.h"

namespace laconic::trainers {

// Names of verifiers, and the one that lets the user's own rewards decide.
std::vector<std::string> verifier_choices();

// Fields of the user's own rewards.
void visit_external(config::Visitor& v, RewardSection& section);

// What the objective makes of the user's own rewards: without objective.reward_weights their sum is the reward, where
// the method takes rewards at all.
void settle_external(config::Visitor& v, const RewardSection& section, algorithms::ObjectiveSection& objective);

}  // namespace laconic::trainers
