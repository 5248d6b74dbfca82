#include "laconic/core/metrics/outlier.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "laconic/core/base/error.h"
#include "laconic/core/metrics/statistics.h"

namespace laconic::metrics {
namespace {

// Of values around `centre`.
double usual_distance(const std::vector<double>& values, double centre) {
  constexpr double kNormal = 1.4826;
  std::vector<double> distances;
  distances.reserve(values.size());
  Moments moments;
  for (const double value : values) {
    distances.push_back(std::abs(value - centre));
    moments.add(value);
  }
  const double middle = quantile(distances, 0.5);
  return middle > 0.0 ? kNormal * middle : moments.deviation();
}

}  // namespace

OutlierCheck::OutlierCheck(size_t window, size_t minimum) : window_(window), minimum_(minimum) {
  LACONIC_CHECK(minimum >= 2 && window >= minimum, "window {} and minimum {} do not fit", window, minimum);
}

double OutlierCheck::median() const {
  return quantile(values(), 0.5);
}

double OutlierCheck::score(double value) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (!std::isfinite(value)) return kInfinity;
  double result = 0.0;
  if (values_.size() >= minimum_) {
    const double distance = value - median(), usual = usual_distance(values(), median());
    if (usual > 0.0) {
      result = distance / usual;
    } else if (distance != 0.0) {
      result = std::copysign(kInfinity, distance);
    }
  }
  values_.push_back(value);
  if (values_.size() > window_) values_.pop_front();
  return result;
}

void OutlierCheck::restore(const std::vector<double>& values) {
  values_.assign(values.begin(), values.end());
}

}  // namespace laconic::metrics
