// An objective applied to a recorded step in JSON: the engine of the `score` filter and of the data-driven tests.
#pragma once

#include <nlohmann/json.hpp>

namespace laconic::algorithms {

// Input and output as described in docs/filters.md. The whole step is one mini-batch; arithmetic is in f64.
nlohmann::ordered_json score_recorded_step(const nlohmann::ordered_json& input);

}  // namespace laconic::algorithms
