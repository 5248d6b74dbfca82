// A running check of losses and gradient norms: how unusual is a value among the last ones?
#pragma once

#include <cstddef>
#include <deque>
#include <vector>

namespace laconic::metrics {

class OutlierCheck {
 public:
  // Compares with the last `window` finite values, once at least `minimum` of them were seen.
  explicit OutlierCheck(size_t window = 128, size_t minimum = 20);

  // The distance from the window's median in deviations that an earlier outlier does not widen: 1.4826 times the median
  // distance from the median (the standard deviation of normal values), or where most values are equal their standard
  // deviation. The value then enters the window. 0 while there are too few values. A non-finite value scores infinity
  // and does not enter. A value off a constant window scores infinity with its sign.
  double score(double value);

  // Of the window; NaN while it is empty.
  double median() const;
  // The values of the window, the oldest first: with them a check goes on where another has ended.
  std::vector<double> values() const { return {values_.begin(), values_.end()}; }
  void restore(const std::vector<double>& values);

 private:
  size_t window_;
  size_t minimum_;
  std::deque<double> values_;
};

}  // namespace laconic::metrics
