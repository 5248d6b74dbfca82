// A step's samples as bytes, exactly: what a checkpoint keeps when it falls inside the reuse of a rollout.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>

#include "laconic/algorithms/policy_loss.h"
#include "laconic/algorithms/step.h"

namespace laconic::trainers {

// Doubles survive bit for bit when the JSON value is written as CBOR.
nlohmann::json to_json(const algorithms::Step& step);
algorithms::Step step_from_json(const nlohmann::json& json);

nlohmann::json to_json(const algorithms::LossStatistics& statistics);
algorithms::LossStatistics statistics_from_json(const nlohmann::json& json);

}  // namespace laconic::trainers
