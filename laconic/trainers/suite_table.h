// The table of a suite: the same cells for Markdown and for the page.
#pragma once

#include <string>
#include <vector>

#include "laconic/trainers/suite_results.h"

namespace laconic::trainers {

struct SuiteTable {
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;  // the base first
};

// Names of the parts in reading order: easy, medium, hard, then the others.
std::vector<std::string> suite_parts(const SuiteRow& row);

// What one base's methods came to.
SuiteTable suite_table(const SuiteBaseResult& result);

// Headings, tables, what the columns mean, and the failures.
std::string suite_markdown(const SuitePlan& plan, const SuiteResults& results);

// One sentence on how the figures were measured, and one on what the columns mean.
std::string suite_measurement(const SuiteBaseResult& result);

}  // namespace laconic::trainers
