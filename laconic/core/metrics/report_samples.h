// The part of the report that shows completions side by side.
#pragma once

#include <string>
#include <vector>

#include "laconic/core/metrics/report.h"

namespace laconic::metrics {

// Empty without samples. The middle of a text beyond kMostTextBytes is left out, with a line that says so: the page
// stays readable, and the run's samples.jsonl has the whole.
std::string render_samples(const std::vector<ReportSample>& samples);
inline constexpr size_t kMostTextBytes = 16000;

}  // namespace laconic::metrics
