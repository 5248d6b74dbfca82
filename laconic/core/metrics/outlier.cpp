#include "laconic/core/metrics/outlier.h"

#include <cmath>
#include <limits>

#include "laconic/core/base/error.h"
#include "laconic/core/metrics/statistics.h"

namespace laconic::metrics {

OutlierCheck::OutlierCheck(size_t window, size_t minimum) : window_(window), minimum_(minimum) {
  LACONIC_CHECK(minimum >= 2 && window >= minimum, "window {} and minimum {} do not fit", window, minimum);
}

double OutlierCheck::score(double value) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (!std::isfinite(value)) return kInfinity;
  double result = 0.0;
  if (values_.size() >= minimum_) {
    Moments moments;
    for (const double earlier : values_) moments.add(earlier);
    const double distance = value - moments.mean();
    const double deviation = moments.deviation();
    if (deviation > 0.0) {
      result = distance / deviation;
    } else if (distance != 0.0) {
      result = std::copysign(kInfinity, distance);
    }
  }
  values_.push_back(value);
  if (values_.size() > window_) values_.pop_front();
  return result;
}

}  // namespace laconic::metrics
