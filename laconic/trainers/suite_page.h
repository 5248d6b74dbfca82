// The page of a suite: one self-contained HTML file.
#pragma once

#include <string>

#include "laconic/trainers/suite_results.h"

namespace laconic::trainers {

// For each base the table, accuracy against tokens with error bars, and the curves over steps and over generated
// training tokens; then what failed, and how to repeat it.
std::string render_suite_page(const SuitePlan& plan, const SuiteResults& results, const std::string& command);

}  // namespace laconic::trainers
