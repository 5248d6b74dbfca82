// `--dry-run`: what a run would do and need, without loading weights or writing anything.
#pragma once

#include <string>

#include "laconic/trainers/run_config.h"

namespace laconic::trainers {

// Reads the configuration's model, tokenizer and data as the run would, and fails as it would. Memory and traffic are
// those of one of so many ranks.
std::string describe_plan(const RlConfig& config, int ranks = 1);
std::string describe_plan(const SftConfig& config, int ranks = 1);

}  // namespace laconic::trainers
