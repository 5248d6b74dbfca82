#include "laconic/core/metrics/trend.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace laconic::metrics {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// Each piece of the series as one point; its value is the mean, of the logarithms where the scale says so.
std::vector<TrendPoint> pieces_of(const Series& series, bool logarithmic) {
  std::vector<TrendPoint> points;
  const size_t count = series.values.size();
  const size_t size = (count + kMostTrendPoints - 1) / kMostTrendPoints;
  for (size_t begin = 0; begin < count; begin += size) {
    const size_t end = std::min(begin + size, count);
    TrendPoint point{series.steps[begin], series.steps[end - 1], kNaN, kNaN, kNaN};
    double sum = 0.0;
    size_t used = 0;
    for (size_t i = begin; i < end; ++i) {
      const double value = series.values[i];
      if (!is_drawable(value)) continue;
      point.low = std::fmin(point.low, value);  // fmin and fmax pass over a NaN
      point.high = std::fmax(point.high, value);
      if (logarithmic && value <= 0.0) continue;
      sum += logarithmic ? std::log(value) : value;
      ++used;
    }
    if (used > 0) point.value = sum / static_cast<double>(used);
    points.push_back(point);
  }
  return points;
}

// The line fitted to xs, ys with weights falling to zero at `reach` from x, at x.
double local_fit(const std::vector<double>& xs, const std::vector<double>& ys, size_t begin, size_t end, double x,
                 double reach) {
  double w_sum = 0.0, u_sum = 0.0, uu_sum = 0.0, y_sum = 0.0, uy_sum = 0.0;
  double low = ys[begin], high = ys[begin];
  for (size_t i = begin; i < end; ++i) {
    const double u = (xs[i] - x) / reach;
    const double rest = 1.0 - std::fabs(u * u * u);
    const double weight = rest * rest * rest;
    w_sum += weight;
    u_sum += weight * u;
    uu_sum += weight * u * u;
    y_sum += weight * ys[i];
    uy_sum += weight * u * ys[i];
    low = std::min(low, ys[i]);
    high = std::max(high, ys[i]);
  }
  const double spread = w_sum * uu_sum - u_sum * u_sum;
  const double fit = spread > 1e-9 * w_sum * w_sum ? (uu_sum * y_sum - u_sum * uy_sum) / spread : y_sum / w_sum;
  return std::clamp(fit, low, high);
}

void smooth(std::vector<TrendPoint>& points) {
  std::vector<double> xs, ys;
  for (const auto& point : points) {
    if (std::isnan(point.value)) continue;
    xs.push_back(point.middle());
    ys.push_back(point.value);
  }
  const size_t span = std::min(xs.size(), std::max<size_t>(15, xs.size() / 8));
  size_t begin = 0;
  size_t at = 0;
  for (auto& point : points) {
    if (std::isnan(point.value)) continue;
    const double x = xs[at++];
    // The window of the `span` nearest points moves on while its next one is nearer than its first.
    while (begin + span < xs.size() && xs[begin + span] - x < x - xs[begin]) ++begin;
    const double farthest = std::max(x - xs[begin], xs[begin + span - 1] - x);
    point.value = local_fit(xs, ys, begin, begin + span, x, std::max(farthest, 0.5) * 1.001);
  }
}

}  // namespace

bool is_drawable(double value) {
  return std::isfinite(value) && std::fabs(value) <= 1e300;
}

std::vector<TrendPoint> trend_of(const Series& series, bool logarithmic, size_t fewest_smoothed) {
  auto points = pieces_of(series, logarithmic);
  if (series.values.size() >= fewest_smoothed) smooth(points);
  if (logarithmic) {
    for (auto& point : points) point.value = std::exp(point.value);
  }
  return points;
}

}  // namespace laconic::metrics
