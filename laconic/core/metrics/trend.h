// A smooth line through the noisy values of a series.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "laconic/core/metrics/series.h"

namespace laconic::metrics {

// Finite and of a magnitude up to 1e300, so that sums and axes over such values stay finite.
bool is_drawable(double value);

// One place of a trend. It stands for the drawable values of one step or, in a long series, of several.
struct TrendPoint {
  int64_t first_step = 0;
  int64_t last_step = 0;
  double low = 0.0;  // the smallest and the largest value that it stands for; NaN where there is none
  double high = 0.0;
  double value = 0.0;  // of the trend; NaN where there is none

  double middle() const { return 0.5 * (static_cast<double>(first_step) + static_cast<double>(last_step)); }
};

inline constexpr size_t kMostTrendPoints = 300;
inline constexpr size_t kFewestSmoothed = 12;  // a shorter series is its own trend

// A local linear fit with tricube weights over the nearest eighth of the points, 15 at least (Cleveland, 1979), held
// within the values that it was fitted to: a trend is bent neither at the ends nor below what was measured. A series of
// more than kMostTrendPoints values is first averaged over pieces of equal numbers of values. `logarithmic`: a fit of
// the logarithms, for a logarithmic axis; only positive values count.
// A series of fewer than `fewest_smoothed` values is its own trend.
std::vector<TrendPoint> trend_of(const Series& series, bool logarithmic = false,
                                 size_t fewest_smoothed = kFewestSmoothed);

}  // namespace laconic::metrics
