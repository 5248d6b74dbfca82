#include "laconic/core/metrics/axis.h"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "laconic/core/base/error.h"

namespace laconic::metrics {
namespace {

using testing::ElementsAre;

std::vector<std::string> labels(const Axis& axis) {
  std::vector<std::string> result;
  for (const Tick& tick : axis.ticks) result.push_back(tick.label);
  return result;
}

TEST(Axis, HasRoundTicksAndIncludesANearZero) {
  EXPECT_THAT(labels(make_axis(0.9, 3.7, {})), ElementsAre("0", "1", "2", "3", "4"));
  EXPECT_THAT(labels(make_axis(0.71, 0.98, {.figure = Figure::percent})),
              ElementsAre("70 %", "75 %", "80 %", "85 %", "90 %", "95 %", "100 %"));
  EXPECT_THAT(labels(make_axis(-3, -1, {})), ElementsAre("−3", "−2", "−1", "0"));
  EXPECT_THAT(labels(make_axis(7600, 10200, {.figure = Figure::count})),
              ElementsAre("7.5k", "8.0k", "8.5k", "9.0k", "9.5k", "10.0k", "10.5k"));
  EXPECT_THAT(labels(make_axis(1e-8, 3.5e-7, {})), ElementsAre("0", "1e−7", "2e−7", "3e−7", "4e−7"));
}

TEST(Axis, ARangeWithoutWidthIsWidened) {
  EXPECT_THAT(labels(make_axis(0, 0, {})), ElementsAre("0.0", "0.2", "0.4", "0.6", "0.8", "1.0"));
  EXPECT_THAT(labels(make_axis(3, 3, {})), ElementsAre("2.7", "2.8", "2.9", "3.0", "3.1", "3.2", "3.3"));
  const Axis whole = make_axis(7, 7, {.figure = Figure::count, .whole = true, .exact = true});
  EXPECT_THAT(labels(whole), ElementsAre("7"));
  EXPECT_EQ(whole.place(7), 0.5);
  const Axis full = make_axis(1, 1, {.figure = Figure::percent});
  EXPECT_EQ(full.high, 1.0) << "no axis beyond 100 %";
  EXPECT_EQ(full.ticks.back().label, "100 %");
}

TEST(Axis, ShowsSmallDifferencesOfLargeValues) {
  EXPECT_THAT(labels(make_axis(1.0000001, 1.0000003, {})),
              ElementsAre("1.00000010", "1.00000015", "1.00000020", "1.00000025", "1.00000030"));
}

TEST(Axis, LogarithmicOverWideRanges) {
  const Axis axis = make_axis(2e-8, 5e-3, {.ticks = 6, .logarithmic = true});
  EXPECT_TRUE(axis.logarithmic);
  EXPECT_THAT(labels(axis), ElementsAre("10⁻⁸", "10⁻⁷", "10⁻⁶", "10⁻⁵", "10⁻⁴", "10⁻³", "0.01"));
  EXPECT_NEAR(axis.place(1e-5), 0.5, 1e-12);
  EXPECT_EQ(axis.place(0), 0.0);
  EXPECT_EQ(axis.place(-1), 0.0);
  EXPECT_FALSE(make_axis(1, 20, {.logarithmic = true}).logarithmic);
  EXPECT_FALSE(make_axis(0, 1e6, {.logarithmic = true}).logarithmic);
  EXPECT_FALSE(make_axis(-5, 1e6, {.logarithmic = true}).logarithmic);
}

// Any pair of limits gives a sane axis: that is what a plot of a failing run needs.
TEST(Axis, SweepOfLimits) {
  std::vector<double> limits = {0};
  for (const double size :
       {1e-300, 1e-12, 1e-7, 0.003, 0.49, 0.999, 1.0, 7.0, 99.95, 999.6, 12345.0, 3e6, 1e15, 1e300}) {
    limits.insert(limits.end(), {size, -size, size * (1 + 1e-12), size * 1.00001});
  }
  for (const double low : limits) {
    for (const double high : limits) {
      if (low > high || std::fabs(low) > 1e300 || std::fabs(high) > 1e300) continue;
      for (const Figure figure : {Figure::number, Figure::percent, Figure::count}) {
        for (const bool logarithmic : {false, true}) {
          const Axis axis = make_axis(low, high, {.figure = figure, .logarithmic = logarithmic});
          SCOPED_TRACE(testing::Message() << low << " " << high);
          ASSERT_LT(axis.low, axis.high);
          ASSERT_LE(axis.low, low + 1e-5 * (axis.high - axis.low));
          ASSERT_GE(axis.high, high - 1e-5 * (axis.high - axis.low));
          ASSERT_GE(axis.ticks.size(), 1U);
          ASSERT_LE(axis.ticks.size(), 12U);
          for (const double value : {low, high}) {
            ASSERT_GE(axis.place(value), 0.0);
            ASSERT_LE(axis.place(value), 1.0);
          }
          for (const Tick& tick : axis.ticks) ASSERT_LE(tick.label.size(), 24U) << tick.label;
        }
      }
    }
  }
  EXPECT_THROW(make_axis(2, 1, {}), Error);
  EXPECT_THROW(make_axis(0, std::numeric_limits<double>::infinity(), {}), Error);
}

TEST(ShowFigure, HasThreeDigitsAndATrueMinus) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(show_figure(0.5, Figure::number), "0.500");
  EXPECT_EQ(show_figure(-0.00328, Figure::number), "−0.00328");
  EXPECT_EQ(show_figure(99.96, Figure::number), "100.0");
  EXPECT_EQ(show_figure(1.234e-7, Figure::number), "1.2e−7");
  EXPECT_EQ(show_figure(0, Figure::number), "0");
  EXPECT_EQ(show_figure(-0.0, Figure::count), "0");
  EXPECT_EQ(show_figure(0.9615, Figure::percent), "96.2 %");
  EXPECT_EQ(show_figure(0, Figure::percent), "0.0 %");
  EXPECT_EQ(show_figure(1e300, Figure::percent), "1.0e302 %");
  EXPECT_EQ(show_figure(19.96, Figure::count), "20.0");
  EXPECT_EQ(show_figure(999.7, Figure::count), "1,000");
  EXPECT_EQ(show_figure(-12345.6, Figure::count), "−12,346");
  EXPECT_EQ(show_figure(123456, Figure::count), "123k");
  EXPECT_EQ(show_figure(4.5e6, Figure::count), "4.50M");
  EXPECT_EQ(show_figure(1e300, Figure::count), "1.0e291B");
  EXPECT_EQ(show_figure(std::nan(""), Figure::percent), "NaN");
  EXPECT_EQ(show_figure(-kInfinity, Figure::count), "−∞");
}

}  // namespace
}  // namespace laconic::metrics
