#include "laconic/core/base/rng.h"

#include <gtest/gtest.h>

#include <set>

namespace laconic {
namespace {

// Known-answer vectors of the Random123 distribution for philox4x32-10.
TEST(Philox, MatchesThePublishedVectors) {
  EXPECT_EQ(philox(0, {0, 0, 0, 0}), (std::array<uint32_t, 4>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox(~0ull, {~0u, ~0u, ~0u, ~0u}),
            (std::array<uint32_t, 4>{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox(0x299f31d0a4093822ull, {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}),
            (std::array<uint32_t, 4>{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(UniformDraw, EveryPartOfTheIdentityMatters) {
  const DrawIdentity base{1, 2, 3, 4};
  std::set<double> seen{uniform_draw(base, DrawPurpose::sample_token, 5)};
  seen.insert(uniform_draw({9, 2, 3, 4}, DrawPurpose::sample_token, 5));
  seen.insert(uniform_draw({1, 9, 3, 4}, DrawPurpose::sample_token, 5));
  seen.insert(uniform_draw({1, 2, 9, 4}, DrawPurpose::sample_token, 5));
  seen.insert(uniform_draw({1, 2, 3, 9}, DrawPurpose::sample_token, 5));
  seen.insert(uniform_draw(base, DrawPurpose::sample_token, 9));
  seen.insert(uniform_draw(base, DrawPurpose::exit_position, 5));
  EXPECT_EQ(seen.size(), 7u);
  EXPECT_EQ(uniform_draw(base, DrawPurpose::sample_token, 5), uniform_draw(base, DrawPurpose::sample_token, 5));
}

TEST(Rng, IsUniformEnough) {
  Rng rng(DrawPurpose::procedural_data, {7});
  std::vector<int> counts(10);
  for (int i = 0; i < 100000; ++i) ++counts[rng.below(10)];
  for (int count : counts) EXPECT_NEAR(count, 10000, 400);
  double sum = 0, squares = 0;
  for (int i = 0; i < 100000; ++i) {
    const double x = rng.normal();
    sum += x;
    squares += x * x;
  }
  EXPECT_NEAR(sum / 1e5, 0.0, 0.02);
  EXPECT_NEAR(squares / 1e5, 1.0, 0.03);
}

}  // namespace
}  // namespace laconic
