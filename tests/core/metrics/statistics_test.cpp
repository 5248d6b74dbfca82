#include "laconic/core/metrics/statistics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "laconic/core/base/error.h"
#include "laconic/core/metrics/outlier.h"

namespace laconic::metrics {
namespace {

TEST(Statistics, QuantilesMatchPublishedTables) {
  EXPECT_NEAR(normal_quantile(0.975), 1.959963984540054, 1e-12);
  EXPECT_NEAR(normal_quantile(0.025), -1.959963984540054, 1e-12);
  EXPECT_EQ(normal_quantile(0.5), 0.0);
  EXPECT_NEAR(normal_quantile(1e-10), -6.361340902404056, 1e-9);
  EXPECT_NEAR(student_t_quantile(0.975, 1), 12.706204736432095, 1e-9);
  EXPECT_NEAR(student_t_quantile(0.975, 10), 2.2281388519649385, 1e-10);
  EXPECT_NEAR(student_t_quantile(0.995, 3), 5.840909309733355, 1e-9);
  EXPECT_NEAR(student_t_quantile(0.05, 30), -1.6972608865939574, 1e-10);
  EXPECT_NEAR(student_t_quantile(0.975, 1e7), 1.959964, 1e-5);
  EXPECT_THROW(normal_quantile(0.0), Error);
  EXPECT_THROW(student_t_quantile(0.5, 0.0), Error);
}

TEST(Statistics, MomentsSurviveFarFromZero) {
  const Moments moments = moments_of(std::vector<double>{1e9 + 4, 1e9 + 7, 1e9 + 13, 1e9 + 16});
  EXPECT_DOUBLE_EQ(moments.mean(), 1e9 + 10);
  EXPECT_DOUBLE_EQ(moments.variance(), 30.0);
  EXPECT_DOUBLE_EQ(moments.standard_error(), std::sqrt(7.5));
  EXPECT_TRUE(std::isnan(Moments().mean()));
  EXPECT_TRUE(std::isnan(moments_of(std::vector<double>{3.0}).variance()));
}

TEST(Statistics, MeanIntervalIsStudents) {
  const auto interval = mean_interval(std::vector<double>{1, 2, 3, 4, 5});
  EXPECT_DOUBLE_EQ(interval.estimate, 3.0);
  EXPECT_NEAR(interval.high - 3.0, 2.7764451051977987 * std::sqrt(0.5), 1e-9);
  EXPECT_NEAR(interval.low, 6.0 - interval.high, 1e-12);
  const auto single = mean_interval(std::vector<double>{4});
  EXPECT_EQ(single.estimate, 4.0);
  EXPECT_TRUE(std::isinf(single.low) && std::isinf(single.high));
  EXPECT_TRUE(std::isnan(mean_interval({}).estimate));
}

TEST(Statistics, ClustersOfOneAreThePlainInterval) {
  const std::vector<double> values = {1, 0, 1, 1, 0, 1};
  const auto plain = mean_interval(values);
  const auto clustered = clustered_mean_interval(values, std::vector<int64_t>{0, 1, 2, 3, 4, 5});
  EXPECT_NEAR(plain.low, clustered.low, 1e-12);
  EXPECT_NEAR(plain.high, clustered.high, 1e-12);
}

TEST(Statistics, RepeatedMembersAddNoEvidence) {
  // Each prompt sampled four times with equal results is worth no more than each prompt once.
  const auto once = clustered_mean_interval(std::vector<double>{1, 0, 1}, std::vector<int64_t>{0, 1, 2});
  std::vector<double> values;
  std::vector<int64_t> group;
  for (int64_t i = 0; i < 12; ++i) {
    group.push_back(i / 4);
    values.push_back(i / 4 == 1 ? 0.0 : 1.0);
  }
  const auto repeated = clustered_mean_interval(values, group);
  EXPECT_NEAR(once.low, repeated.low, 1e-12);
  EXPECT_NEAR(once.high, repeated.high, 1e-12);
}

TEST(Statistics, WilsonStaysInsideAndIsExactWhereKnown) {
  const auto half = wilson_interval(5, 10);
  EXPECT_NEAR(half.low, 0.2365931, 1e-6);
  EXPECT_NEAR(half.high, 0.7634069, 1e-6);
  EXPECT_EQ(wilson_interval(0, 10).low, 0.0);
  EXPECT_NEAR(wilson_interval(0, 10).high, 0.2775328, 1e-6);
  EXPECT_EQ(wilson_interval(10, 10).high, 1.0);
  EXPECT_TRUE(std::isnan(wilson_interval(0, 0).estimate));
  EXPECT_THROW(wilson_interval(3, 2), Error);
  EXPECT_THROW(wilson_interval(1, 2, 1.0), Error);
}

TEST(Statistics, QuantilesInterpolate) {
  const std::vector<double> values = {4, 1, 3, 2};
  EXPECT_EQ(quantile(values, 0.0), 1.0);
  EXPECT_EQ(quantile(values, 0.5), 2.5);
  EXPECT_EQ(quantile(values, 1.0), 4.0);
  EXPECT_EQ(quantile(std::vector<double>{7}, 0.3), 7.0);
  EXPECT_TRUE(std::isnan(quantile({}, 0.5)));
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(quantile(std::vector<double>{1, kInfinity, kInfinity}, 1.0), kInfinity);
  EXPECT_THROW(quantile(std::vector<double>{std::nan("")}, 0.5), Error);
}

TEST(OutlierCheck, ScoresAgainstTheWindow) {
  OutlierCheck check(8, 4);
  for (const double value : {1.0, 2.0, 4.0, 3.0}) EXPECT_EQ(check.score(value), 0.0);
  EXPECT_EQ(check.median(), 2.5);
  EXPECT_NEAR(check.score(10.0), 7.5 / 1.4826, 1e-12);  // distances 1.5, 0.5, 1.5, 0.5
  EXPECT_NEAR(check.score(10.0), 7.0 / 1.4826, 1e-12) << "an outlier does not hide the next";
  EXPECT_TRUE(std::isinf(check.score(std::nan(""))));
  OutlierCheck constant(8, 2);
  constant.score(5.0);
  constant.score(5.0);
  EXPECT_EQ(constant.score(5.0), 0.0);
  EXPECT_EQ(constant.score(4.0), -std::numeric_limits<double>::infinity());
  EXPECT_NEAR(constant.score(4.5), 0.0, 1.1) << "most are equal: their standard deviation";
}

TEST(OutlierCheck, GoesOnWhereAnotherHasEnded) {
  OutlierCheck whole(8, 4), first(8, 4), second(8, 4);
  for (int i = 0; i < 11; ++i) {
    whole.score(i * i % 7);
    first.score(i * i % 7);
  }
  second.restore(first.values());
  EXPECT_EQ(second.score(50), whole.score(50));
  EXPECT_EQ(second.values(), whole.values());
}

}  // namespace
}  // namespace laconic::metrics
