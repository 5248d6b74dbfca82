// `laconic eval`: a model on a set of problems, its answers in a folder, resumable answer by answer.
#pragma once

#include <string>

#include "laconic/trainers/evaluator.h"
#include "laconic/trainers/run_config.h"

namespace laconic::trainers {

// Writes config.yaml, versions.json, eval.jsonl (a line per problem as it ends) and summary.json into output.folder.
// Problems that an earlier, interrupted call finished under the same settings are not sampled again. Throws Stopped
// when a stop was requested.
EvalReport run_evaluation(const EvalConfig& config, const std::string& command);

}  // namespace laconic::trainers
