// Axes of charts: readable bounds, ticks and figures.
#pragma once

#include <string>
#include <vector>

namespace laconic::metrics {

enum class Figure {
  number,   // 0.714, 3.2e-7
  percent,  // a fraction, shown as 71.4 %
  count,    // 41.2, 950, 12,345, 1.23M; on an axis 12k
};

struct Tick {
  double value = 0.0;
  std::string label;
};

struct Axis {
  double low = 0.0;
  double high = 1.0;
  bool logarithmic = false;
  std::vector<Tick> ticks;  // within [low, high]

  // 0 at low, 1 at high; values outside are clamped. The value must not be NaN.
  double place(double value) const;
};

struct AxisOptions {
  Figure figure = Figure::number;
  int ticks = 5;             // about so many
  bool whole = false;        // ticks at whole numbers only, a single value alone
  bool exact = false;        // keep the bounds given instead of widening them to ticks
  bool logarithmic = false;  // when the values are positive and span a factor of 30 or more
};

// An axis that shows low..high. A range of no width is widened around its value; zero is included when it is near, and
// percentages up to 100 do not get an axis beyond that. Limits must be finite with magnitudes up to 1e300 and
// low <= high (checked).
Axis make_axis(double low, double high, const AxisOptions& options);

// One value for a reader, with a true minus sign: three significant digits (percentages: one decimal).
std::string show_figure(double value, Figure figure);

}  // namespace laconic::metrics
