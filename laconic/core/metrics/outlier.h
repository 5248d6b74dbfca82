// A running check of losses and gradient norms: how unusual is a value among the last ones?
#pragma once

#include <cstddef>
#include <deque>

namespace laconic::metrics {

class OutlierCheck {
 public:
  // Compares with the last `window` finite values, once at least `minimum` of them were seen.
  explicit OutlierCheck(size_t window = 128, size_t minimum = 20);

  // The distance from the window's mean in its standard deviations; the value then enters the window. 0 while there are
  // too few values. A non-finite value scores infinity and does not enter. A value off a constant window scores
  // infinity with its sign.
  double score(double value);

 private:
  size_t window_;
  size_t minimum_;
  std::deque<double> values_;
};

}  // namespace laconic::metrics
