#include "laconic/core/metrics/statistics.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <numbers>
#include <vector>

#include "laconic/core/base/error.h"

namespace laconic::metrics {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

void check_confidence(double confidence) {
  LACONIC_CHECK(confidence > 0.0 && confidence < 1.0, "confidence {} is not between 0 and 1", confidence);
}

// The continued fraction of the incomplete beta function, evaluated by Lentz's method.
double beta_fraction(double a, double b, double x) {
  constexpr double kTiny = 1e-300;
  const auto away_from_zero = [](double value) { return std::fabs(value) < kTiny ? kTiny : value; };
  double c = 1.0;
  double d = 1.0 / away_from_zero(1.0 - (a + b) * x / (a + 1.0));
  double result = d;
  for (int m = 1; m < 10000; ++m) {
    const double even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
    d = 1.0 / away_from_zero(1.0 + even * d);
    c = away_from_zero(1.0 + even / c);
    result *= d * c;
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
    d = 1.0 / away_from_zero(1.0 + odd * d);
    c = away_from_zero(1.0 + odd / c);
    result *= d * c;
    if (std::fabs(d * c - 1.0) < 1e-15) break;
  }
  return result;
}

// I_x(a, b). Its fraction converges fast on one side of the mean; the symmetry covers the other.
double incomplete_beta(double a, double b, double x) {
  if (x <= 0.0) return 0.0;
  if (x >= 1.0) return 1.0;
  const double front =
      std::exp(std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b) + a * std::log(x) + b * std::log1p(-x));
  if (x < (a + 1.0) / (a + b + 2.0)) return front * beta_fraction(a, b, x) / a;
  return 1.0 - front * beta_fraction(b, a, 1.0 - x) / b;
}

// The upper tail P(T > t) for t >= 0.
double student_tail(double t, double degrees) {
  return 0.5 * incomplete_beta(0.5 * degrees, 0.5, degrees / (degrees + t * t));
}

// The x >= 0 whose upper tail is `wanted` (0 < wanted <= 0.5), by doubling and bisection down to neighbouring doubles.
double invert_tail(const std::function<double(double)>& tail, double wanted) {
  double low = 0.0;
  double high = 1.0;
  while (tail(high) > wanted) {
    low = high;
    high *= 2.0;
  }
  for (int i = 0; i < 200; ++i) {
    const double middle = 0.5 * (low + high);
    if (middle <= low || middle >= high) break;
    (tail(middle) > wanted ? low : high) = middle;
  }
  return 0.5 * (low + high);
}

double symmetric_quantile(const std::function<double(double)>& tail, double p) {
  LACONIC_CHECK(p > 0.0 && p < 1.0, "probability {} is not between 0 and 1", p);
  if (p == 0.5) return 0.0;
  return p < 0.5 ? -invert_tail(tail, p) : invert_tail(tail, 1.0 - p);
}

Interval t_interval(double mean, double standard_error, int64_t units, double confidence) {
  if (units == 0) return {kNaN, -kInfinity, kInfinity};
  if (units == 1) return {mean, -kInfinity, kInfinity};
  const double half = student_t_quantile(0.5 + 0.5 * confidence, static_cast<double>(units - 1)) * standard_error;
  return {mean, mean - half, mean + half};
}

}  // namespace

void Moments::add(double value) {
  ++count_;
  const double delta = value - mean_;
  mean_ += delta / static_cast<double>(count_);
  squares_ += delta * (value - mean_);
}

double Moments::mean() const {
  return count_ > 0 ? mean_ : kNaN;
}
double Moments::variance() const {
  return count_ > 1 ? squares_ / static_cast<double>(count_ - 1) : kNaN;
}
double Moments::deviation() const {
  return std::sqrt(variance());
}
double Moments::standard_error() const {
  return std::sqrt(variance() / static_cast<double>(count_));
}

Moments moments_of(std::span<const double> values) {
  Moments moments;
  for (const double value : values) moments.add(value);
  return moments;
}

Interval mean_interval(std::span<const double> values, double confidence) {
  check_confidence(confidence);
  const Moments moments = moments_of(values);
  return t_interval(moments.mean(), moments.standard_error(), moments.count(), confidence);
}

Interval clustered_mean_interval(std::span<const double> values, std::span<const int64_t> group, double confidence) {
  check_confidence(confidence);
  LACONIC_CHECK(values.size() == group.size(), "{} values but {} groups", values.size(), group.size());
  const double mean = moments_of(values).mean();
  std::map<int64_t, double> residual;  // sum over the members of a group
  for (size_t i = 0; i < values.size(); ++i) residual[group[i]] += values[i] - mean;
  double squares = 0.0;
  for (const auto& [id, sum] : residual) squares += sum * sum;
  const auto groups = static_cast<double>(residual.size());
  const double error = std::sqrt(groups / (groups - 1.0) * squares) / static_cast<double>(values.size());
  return t_interval(mean, error, static_cast<int64_t>(residual.size()), confidence);
}

Interval wilson_interval(int64_t successes, int64_t trials, double confidence) {
  check_confidence(confidence);
  LACONIC_CHECK(0 <= successes && successes <= trials, "{} successes in {} trials", successes, trials);
  if (trials == 0) return {kNaN, 0.0, 1.0};
  const auto n = static_cast<double>(trials);
  const double share = static_cast<double>(successes) / n;
  const double z = normal_quantile(0.5 + 0.5 * confidence);
  const double shrink = 1.0 + z * z / n;
  const double centre = (share + z * z / (2.0 * n)) / shrink;
  const double half = z / shrink * std::sqrt(share * (1.0 - share) / n + z * z / (4.0 * n * n));
  // At the ends the bound is exact; rounding must not push it beyond the estimate.
  return {share, successes == 0 ? 0.0 : centre - half, successes == trials ? 1.0 : centre + half};
}

double quantile(std::span<const double> values, double q) {
  LACONIC_CHECK(q >= 0.0 && q <= 1.0, "quantile {} is not between 0 and 1", q);
  if (values.empty()) return kNaN;
  std::vector<double> sorted(values.begin(), values.end());
  LACONIC_CHECK(std::none_of(sorted.begin(), sorted.end(), [](double v) { return std::isnan(v); }),
                "quantile of a NaN");
  std::sort(sorted.begin(), sorted.end());
  const double rank = q * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<size_t>(rank);
  const size_t above = std::min(below + 1, sorted.size() - 1);
  const double share = rank - static_cast<double>(below);
  return share == 0.0 ? sorted[below] : sorted[below] + share * (sorted[above] - sorted[below]);
}

double normal_quantile(double p) {
  return symmetric_quantile([](double x) { return 0.5 * std::erfc(x / std::numbers::sqrt2); }, p);
}

double student_t_quantile(double p, double degrees) {
  LACONIC_CHECK(degrees > 0.0, "{} degrees of freedom", degrees);
  return symmetric_quantile([degrees](double t) { return student_tail(t, degrees); }, p);
}

}  // namespace laconic::metrics
