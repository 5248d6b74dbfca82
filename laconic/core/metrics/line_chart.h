// A metric over the steps of one or several runs, as inline SVG: the values faint, their trend over them.
//
// Colours come from the page's style sheet by class (s0, s1, ... for the runs). The element carries what the page's
// script needs to show values under the pointer; without the script it is complete but for those.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "laconic/core/metrics/axis.h"
#include "laconic/core/metrics/series.h"
#include "laconic/core/metrics/trend.h"

namespace laconic::metrics {

inline constexpr size_t kRunColors = 6;  // s0 .. s5 of the style sheet; a seventh run looks like the first

struct LineChartRun {
  const Series* series = nullptr;  // not owned, never null
  size_t color = 0;                // the run's place in the page's legend
};

struct LineChart {
  std::string title;  // for screen readers
  Figure figure = Figure::number;
  // A logarithmic axis where none of the values is negative and the positive ones span a factor of 30 or more. Zeros
  // then lie on the lower edge.
  bool logarithmic = false;
  std::optional<std::pair<int64_t, int64_t>> steps;  // the range of the horizontal axis; default: that of the runs
  size_t fewest_smoothed = kFewestSmoothed;          // a shorter series is drawn as it is, with a dot for each value
  std::vector<LineChartRun> runs;
};

// Values that are not drawable (trend.h) are left out of the lines and marked at the lower edge. Long series are
// thinned: each of a few hundred pieces keeps its smallest and largest value.
std::string render_line_chart(const LineChart& chart);

// How many values of the chart's runs the lines leave out.
size_t count_left_out(const LineChart& chart);

// The end of a run's trend as a figure; "" when the run has no drawable value.
std::string last_figure(const LineChart& chart, const LineChartRun& run);

}  // namespace laconic::metrics
