// Carries a suite out: bases, reference pass rates, then every method with every seed on every base, each in a process
// of its own.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "laconic/trainers/suite_plan.h"

namespace laconic::trainers {

// A base that has reached its target.
struct ReadyBase {
  int attempt = 0;
  std::filesystem::path model;
  std::filesystem::path evaluation;  // folder
};

struct SuiteFailure {
  std::string what;  // "laser_d on strong, seed 1"
  std::string reason;
};

struct SuiteOutcome {
  std::map<std::string, ReadyBase> bases;
  std::vector<SuiteFailure> failures;
  bool stopped = false;
};

// Runs what is not finished, `jobs` processes at a time; what an earlier call finished under the same configuration
// stays, what it began goes on. A failure is logged at once and leaves the rest of the suite running; what depends on
// it fails as well. So does what was finished under another configuration.
SuiteOutcome run_suite(const SuitePlan& plan, int jobs);

}  // namespace laconic::trainers
