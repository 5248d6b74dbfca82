#include "laconic/core/optim/schedule.h"

#include <gtest/gtest.h>

namespace laconic::optim {
namespace {

TEST(Schedule, WarmsUpLinearly) {
  const Schedule s{ScheduleKind::constant, 1.0, 4, 0.0, 0.0};
  EXPECT_DOUBLE_EQ(s.rate(0, 100), 0.25);
  EXPECT_DOUBLE_EQ(s.rate(3, 100), 1.0);
  EXPECT_DOUBLE_EQ(s.rate(99, 100), 1.0);
}

TEST(Schedule, HoldsThenDecaysToTheFinalFraction) {
  const Schedule s{ScheduleKind::linear, 1.0, 0, 0.5, 0.02};
  EXPECT_DOUBLE_EQ(s.rate(50, 100), 1.0);
  EXPECT_NEAR(s.rate(75, 100), 0.51, 1e-12);
  EXPECT_NEAR(s.rate(100, 100), 0.02, 1e-12);
  EXPECT_NEAR(s.rate(1000, 100), 0.02, 1e-12);
}

TEST(Schedule, CosineIsHalfWayInTheMiddle) {
  const Schedule s{ScheduleKind::cosine, 2.0, 0, 0.0, 0.0};
  EXPECT_NEAR(s.rate(50, 100), 1.0, 1e-12);
  EXPECT_NEAR(s.rate(100, 100), 0.0, 1e-12);
}

}  // namespace
}  // namespace laconic::optim
