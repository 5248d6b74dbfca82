// The figures of a suite, read back from the folders of its runs.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "laconic/core/metrics/series.h"
#include "laconic/core/metrics/statistics.h"
#include "laconic/trainers/suite_run.h"

namespace laconic::trainers {

// A mean over seeds and problems. Two things could have come out differently, the training seed and the held-out
// problems: `seeds` is Student's interval over the means of the seeds (unbounded for one seed), `problems` the one over
// the means of the problems, and `both` joins them as the root of the sum of their squared half-widths, which counts
// the noise of the single answers twice and so is wide rather than narrow. With one seed `both` is `problems`.
struct SuiteEstimate {
  double mean = 0;
  metrics::Interval seeds, problems, both;
};

// values[seed][problem].
SuiteEstimate estimate_over(const std::vector<std::vector<double>>& values);

// A part of the held-out problems, or all.
struct SuitePart {
  double accuracy = 0, tokens = 0;
  double no_thinking = 0;  // share of completions that begin with the end of thinking
};

inline constexpr const char* kHeldOutAccuracy = "eval/accuracy";
inline constexpr const char* kHeldOutTokens = "eval/mean_tokens";
inline constexpr const char* kRolloutAccuracy = "reward/accuracy";
inline constexpr const char* kRolloutTokens = "completion/mean_tokens";

// A metric over training, mean over the seeds.
struct SuiteCurve {
  std::string metric;         // one of the above
  metrics::Series by_step;    // where every seed has a value
  metrics::Series by_tokens;  // the same over generated training tokens, in thousands
};

struct SuiteRow {
  std::string method;  // "" = the base itself
  int seeds = 0;       // finished
  SuiteEstimate accuracy, tokens;
  SuitePart all;
  std::map<std::string, SuitePart> parts;  // by label of the problems
  // Means over the seeds, of training: completions sampled, what monitor passes and reference pass rates sampled on
  // top, and wall time.
  double training_tokens = 0, extra_tokens = 0, seconds = 0;
  std::vector<SuiteCurve> curves;
};

struct SuiteBaseResult {
  std::string base;
  int attempt = 0;
  int seeds = 0;  // wanted of each method
  SuiteRow before;
  std::vector<SuiteRow> rows;  // methods with at least one finished seed, in the plan's order
  double equal_tokens = 0;     // generated training tokens that every method has, in thousands
};

struct SuiteResults {
  std::vector<SuiteBaseResult> bases;
  std::vector<SuiteFailure> failures;
};

SuiteResults read_suite_results(const SuitePlan& plan, const SuiteOutcome& outcome);

// Null where the row has no such curve.
const SuiteCurve* find_curve(const SuiteRow& row, std::string_view metric);

// The value of a curve at `x`, linear between its points; NaN outside of them.
double value_at(const metrics::Series& series, double x);

nlohmann::ordered_json suite_json(const SuitePlan& plan, const SuiteResults& results);

}  // namespace laconic::trainers
