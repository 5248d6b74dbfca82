#include "laconic/trainers/suite.h"

#include <nlohmann/json.hpp>

#include "laconic/core/base/files.h"
#include "laconic/core/metrics/jsonl.h"
#include "laconic/trainers/suite_page.h"
#include "laconic/trainers/suite_run.h"
#include "laconic/trainers/suite_table.h"

namespace laconic::trainers {

SuiteReport suite(const SuitePlan& plan, int jobs, const std::string& command) {
  const auto outcome = run_suite(plan, jobs);
  const auto results = read_suite_results(plan, outcome);
  SuiteReport report{suite_markdown(plan, results), results.failures.size(), outcome.stopped};
  write_file_atomic(plan.out / "suite.md", report.markdown);
  write_file_atomic(plan.out / "suite.json", metrics::pretty_json(suite_json(plan, results)));
  write_file_atomic(plan.out / "suite.html", render_suite_page(plan, results, command));
  return report;
}

}  // namespace laconic::trainers
