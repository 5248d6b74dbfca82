// Small-sample statistics for what a run reports: means, proportions and their confidence intervals.
//
// Undefined figures are NaN and unbounded limits are infinite; nothing throws for a short sample. `confidence` is the
// two-sided level, 0 < confidence < 1 (checked).
#pragma once

#include <cstdint>
#include <span>

namespace laconic::metrics {

struct Interval {
  double estimate = 0.0;
  double low = 0.0;
  double high = 0.0;
};

// Running count, mean and spread (Welford's recurrence: no cancellation for values far from zero).
class Moments {
 public:
  void add(double value);
  int64_t count() const { return count_; }
  double mean() const;            // NaN without values
  double variance() const;        // of the population, from the sample: divides by n - 1; NaN below two values
  double deviation() const;       // square root of variance()
  double standard_error() const;  // of the mean

 private:
  int64_t count_ = 0;
  double mean_ = 0.0;
  double squares_ = 0.0;
};

Moments moments_of(std::span<const double> values);

// Student's t interval for a mean of independent values. One value: unbounded.
Interval mean_interval(std::span<const double> values, double confidence = 0.95);

// The same for values that come in groups (several samples of one prompt): the groups are independent, their members
// are not. group[i] belongs to values[i]. Cluster-robust standard error with G / (G - 1), t with G - 1 degrees.
Interval clustered_mean_interval(std::span<const double> values, std::span<const int64_t> group,
                                 double confidence = 0.95);

// Wilson's score interval for a proportion: within [0, 1] and sensible for 0 or all successes. No trials: NaN, [0, 1].
Interval wilson_interval(int64_t successes, int64_t trials, double confidence = 0.95);

// Quantile by linear interpolation between order statistics (type 7 of Hyndman and Fan, 1996). 0 <= q <= 1 (checked).
// NaN for no values; values must not be NaN (checked).
double quantile(std::span<const double> values, double q);

// x with P(X <= x) = p, 0 < p < 1.
double normal_quantile(double p);
double student_t_quantile(double p, double degrees);

}  // namespace laconic::metrics
