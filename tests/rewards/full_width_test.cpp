// Digits and signs as Chinese and Japanese texts may write them.
#include <gtest/gtest.h>

#include "laconic/rewards/grade.h"

namespace laconic::rewards {
namespace {

TEST(FullWidth, DigitsAndSignsAreDigitsAndSigns) {
  EXPECT_TRUE(grade("12", "\\boxed{１２}").correct);
  EXPECT_TRUE(grade("１２", "\\boxed{12}").correct);
  EXPECT_TRUE(grade("-1/3", "\\boxed{－１／３}").correct);
  EXPECT_TRUE(grade("0.5", "\\boxed{０．５}").correct);
  EXPECT_FALSE(grade("12", "\\boxed{１３}").correct);
}

}  // namespace
}  // namespace laconic::rewards
