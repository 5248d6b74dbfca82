#include "laconic/core/metrics/trend.h"

#include <gmock/gmock.h>

#include <cmath>
#include <functional>
#include <limits>
#include <vector>

#include "laconic/core/base/rng.h"

namespace laconic::metrics {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

Series series_of(int64_t count, const std::function<double(int64_t)>& value) {
  Series series{"x", {}, {}};
  for (int64_t i = 0; i < count; ++i) {
    series.steps.push_back(i + 1);
    series.values.push_back(value(i));
  }
  return series;
}

TEST(Trend, KeepsShortSeriesAsTheyAre) {
  EXPECT_TRUE(trend_of({}).empty());
  const auto trend = trend_of({"x", {3, 7}, {5.0, kNaN}});
  ASSERT_EQ(trend.size(), 2U);
  EXPECT_EQ(trend[0].first_step, 3);
  EXPECT_EQ(trend[0].last_step, 3);
  EXPECT_EQ(trend[0].value, 5.0);
  EXPECT_TRUE(std::isnan(trend[1].value));
  EXPECT_TRUE(std::isnan(trend[1].low));
}

TEST(Trend, ReproducesALineToItsEnds) {
  for (const int64_t count : {12, 80, 300}) {
    const auto trend = trend_of(series_of(count, [](int64_t i) { return 3.0 - 0.25 * static_cast<double>(i); }));
    ASSERT_EQ(trend.size(), static_cast<size_t>(count));
    for (int64_t i = 0; i < count; ++i) {
      EXPECT_NEAR(trend[static_cast<size_t>(i)].value, 3.0 - 0.25 * static_cast<double>(i), 1e-9);
    }
  }
}

TEST(Trend, RemovesMostOfTheNoise) {
  Rng rng(DrawPurpose::bootstrap, {5});
  const auto noisy = series_of(100, [&](int64_t) { return rng.normal(); });
  double raw = 0.0, smooth = 0.0;
  const auto trend = trend_of(noisy);
  for (size_t i = 0; i < 100; ++i) {
    raw += noisy.values[i] * noisy.values[i];
    smooth += trend[i].value * trend[i].value;
  }
  EXPECT_LT(smooth, 0.25 * raw);
}

TEST(Trend, StaysWithinWhatWasMeasured) {
  const auto jump = trend_of(series_of(60, [](int64_t i) { return i < 30 ? 0.0 : 1.0; }));
  for (const auto& point : jump) {
    EXPECT_GE(point.value, 0.0);
    EXPECT_LE(point.value, 1.0);
  }
  const auto equal = trend_of(series_of(60, [](int64_t) { return 0.1; }));
  for (const auto& point : equal) EXPECT_NEAR(point.value, 0.1, 1e-15);
}

TEST(Trend, LongSeriesAreAveragedAndRemainExactAfterASpike) {
  const auto series =
      series_of(100000, [](int64_t i) { return i == 500 ? 1e300 : 2.0 + 1e-3 * static_cast<double>(i % 2); });
  const auto trend = trend_of(series);
  ASSERT_LE(trend.size(), kMostTrendPoints);
  EXPECT_EQ(trend.front().first_step, 1);
  EXPECT_EQ(trend.back().last_step, 100000);
  EXPECT_EQ(trend[1].high, 1e300);
  EXPECT_EQ(trend.back().low, 2.0);
  EXPECT_NEAR(trend.back().value, 2.0005, 1e-9);  // a sum that ran through the spike would have lost it
  for (const auto& point : trend) EXPECT_TRUE(std::isfinite(point.value));
}

TEST(Trend, LeavesGapsWhereNothingIsFinite) {
  const auto trend = trend_of(series_of(40, [](int64_t i) {
    return i == 10 ? kNaN : i == 11 ? std::numeric_limits<double>::infinity() : i == 12 ? 1e301 : 1.0;
  }));
  for (size_t i = 0; i < trend.size(); ++i) EXPECT_EQ(std::isnan(trend[i].value), i >= 10 && i <= 12) << i;
  for (const auto& point : trend_of(series_of(1000, [](int64_t) { return kNaN; })))
    EXPECT_TRUE(std::isnan(point.value));
}

TEST(Trend, OnALogarithmicScaleASpikeHasNoShadow) {
  const auto series = series_of(200, [](int64_t i) { return i == 100 ? 1e9 : i == 150 ? 0.0 : 1.0; });
  const auto trend = trend_of(series, true);
  EXPECT_NEAR(trend[60].value, 1.0, 1e-9);
  EXPECT_LT(trend[95].value, 1e3);
  EXPECT_GT(trend_of(series)[95].value, 1e6);
  EXPECT_TRUE(std::isnan(trend[150].value));
  EXPECT_EQ(trend[150].low, 0.0);
}

}  // namespace
}  // namespace laconic::metrics
