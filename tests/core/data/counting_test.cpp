// Lengths and samples of a set that is not held.
#include <gmock/gmock.h>

#include <set>

#include "laconic/core/data/length_counts.h"
#include "laconic/core/data/reservoir.h"

namespace laconic::data {
namespace {

TEST(LengthCounts, AreThoseOfTheSortedLengths) {
  LengthCounts counts;
  EXPECT_EQ(counts.quantile(0.5), 0);
  EXPECT_EQ(counts.mean(), 0);
  EXPECT_TRUE(counts.histogram(4).empty());
  for (int i = 1; i <= 100; ++i) counts.add(i);
  EXPECT_EQ(counts.total(), 100);
  EXPECT_EQ(counts.mean(), 50.5);
  EXPECT_EQ(counts.quantile(0.5), 50);
  EXPECT_EQ(counts.quantile(0.95), 95);
  EXPECT_EQ(counts.quantile(1), 100);
}

TEST(LengthCounts, HistogramsHaveRoundBinsThatHoldEverything) {
  for (const int64_t greatest : {0, 1, 9, 10, 11, 12, 99, 1000, 12345}) {
    for (const int64_t least : {int64_t{0}, greatest / 2, greatest}) {
      LengthCounts counts;
      for (int64_t i = least; i <= greatest; ++i) counts.add(i);
      const auto bins = counts.histogram(12);
      ASSERT_FALSE(bins.empty());
      EXPECT_LE(bins.size(), 12u);
      EXPECT_LE(bins.front().first, least);
      EXPECT_GE(bins.back().last, greatest);
      int64_t sum = 0;
      for (size_t i = 0; i < bins.size(); ++i) {
        sum += bins[i].count;
        EXPECT_EQ(bins[i].first, i > 0 ? bins[i - 1].last + 1 : bins[0].first);
      }
      EXPECT_EQ(sum, counts.total());
    }
  }
}

std::vector<std::string> drawn(size_t wanted, uint64_t seed, uint64_t count) {
  Reservoir reservoir(wanted, seed);
  for (uint64_t i = 0; i < count; ++i) {
    if (reservoir.wants(i)) reservoir.put(i, std::to_string(i));
  }
  return reservoir.take();
}

TEST(Reservoir, DrawsWithoutRepetitionInOrder) {
  const auto sample = drawn(10, 3, 1000);
  ASSERT_EQ(sample.size(), 10u);
  for (size_t i = 1; i < sample.size(); ++i) EXPECT_LT(std::stoi(sample[i - 1]), std::stoi(sample[i]));
  EXPECT_EQ(sample, drawn(10, 3, 1000));
  EXPECT_NE(sample, drawn(10, 4, 1000));
  const auto larger = drawn(20, 3, 1000);
  for (const auto& item : sample) EXPECT_THAT(larger, testing::Contains(item));
  EXPECT_EQ(drawn(10, 3, 4).size(), 4u);
}

TEST(Reservoir, EveryPlaceIsEquallyLikely) {
  std::vector<int> count(20, 0);
  for (uint64_t seed = 0; seed < 4000; ++seed) {
    for (const auto& item : drawn(5, seed, 20)) ++count[static_cast<size_t>(std::stoi(item))];
  }
  for (const int n : count) EXPECT_NEAR(n, 1000, 150);
}

}  // namespace
}  // namespace laconic::data
