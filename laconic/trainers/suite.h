// `laconic suite`: methods compared on the same bases with the same seeds.
#pragma once

#include <string>

#include "laconic/trainers/suite_plan.h"

namespace laconic::trainers {

struct SuiteReport {
  std::string markdown;  // the tables
  size_t failures = 0;
  bool stopped = false;
};

// Carries the suite out and writes suite.html, suite.json and suite.md into plan.out from what is finished, also after
// failures and after a stop. `command` is shown on the page.
SuiteReport suite(const SuitePlan& plan, int jobs, const std::string& command);

}  // namespace laconic::trainers
