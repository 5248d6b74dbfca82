// The part of the report that says what the run achieved: figures before and after, their intervals, and the picture.
#pragma once

#include <string>

#include "laconic/core/metrics/report.h"

namespace laconic::metrics {

// Empty when there is nothing to show.
std::string render_outcome(const ReportInput& input);

}  // namespace laconic::metrics
