// Mixtures and curricula: shares, epochs, movement; all of them functions of seed and position.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "laconic/core/data/curriculum_order.h"
#include "laconic/core/data/mixture_order.h"

namespace laconic::data {
namespace {

TEST(MixtureOrder, EveryRunOfPositionsHasTheShares) {
  const std::vector<double> weights = {1, 2, 0.5, 6.5};
  for (const uint64_t seed : {0u, 1u, 99u}) {
    const MixtureOrder order(weights, seed);
    for (const uint64_t begin : {uint64_t{0}, uint64_t{12345}, uint64_t{1} << 61}) {
      std::vector<int> count(4, 0);
      for (uint64_t p = begin; p < begin + 1000; ++p) ++count[order.at(p).set];
      for (size_t i = 0; i < 4; ++i) EXPECT_NEAR(count[i], 100 * weights[i], 4) << "set " << i;
    }
  }
}

TEST(MixtureOrder, EachSetIsGoneThroughWithoutAGap) {
  const MixtureOrder order({3, 1, 2}, 5);
  std::vector<uint64_t> next(3, 0);
  for (uint64_t p = 0; p < 5000; ++p) {
    const auto place = order.at(p);
    ASSERT_EQ(place.position, next[place.set]++);
  }
}

TEST(MixtureOrder, DependsOnTheSeedAlone) {
  const MixtureOrder a({1, 1.3, 0.9}, 1), again({1, 1.3, 0.9}, 1), b({1, 1.3, 0.9}, 2);
  int differences = 0;
  for (uint64_t p = 0; p < 300; ++p) {
    EXPECT_EQ(a.at(299 - p).set, again.at(299 - p).set);
    differences += a.at(p).set != b.at(p).set ? 1 : 0;
  }
  EXPECT_GT(differences, 0);
  const MixtureOrder one({7}, 1);
  EXPECT_EQ(one.at(41).set, 0u);
  EXPECT_EQ(one.at(41).position, 41u);
}

TEST(MixtureOrder, ExtremeWeights) {
  const MixtureOrder order({1e-9, 1, 1e9}, 3);
  std::vector<int> count(3, 0);
  for (uint64_t p = 0; p < 10000; ++p) ++count[order.at(p).set];
  EXPECT_GE(count[2], 9998);
}

std::vector<uint32_t> identity(uint32_t count) {
  return easy_to_hard(std::vector<double>(count, 0.5), 0);
}

TEST(Curriculum, RanksByPassRate) {
  const std::vector<double> rates = {0.5, 1.0, 0.0, 0.5, 0.9};
  const auto ranked = easy_to_hard(rates, 7);
  EXPECT_EQ(ranked[0], 1u);
  EXPECT_EQ(ranked[1], 4u);
  EXPECT_EQ(ranked[4], 2u);
  EXPECT_EQ(ranked, easy_to_hard(rates, 7));
  std::set<uint32_t> first;
  for (uint64_t seed = 0; seed < 20; ++seed) first.insert(easy_to_hard(rates, seed)[2]);
  EXPECT_EQ(first.size(), 2u) << "ties are drawn";
}

TEST(Curriculum, EasyToHardVisitsEverythingOncePerEpochByStages) {
  for (const uint32_t count : {1u, 2u, 9u, 10u, 11u, 57u, 100u}) {
    std::vector<uint32_t> ranked(count);
    for (uint32_t i = 0; i < count; ++i) ranked[i] = i;
    CurriculumPlan plan;
    plan.stages = 4;
    const CurriculumOrder order(ranked, plan, 3);
    std::vector<size_t> first;
    for (uint64_t epoch = 0; epoch < 3; ++epoch) {
      std::vector<size_t> visited;
      for (uint64_t i = 0; i < count; ++i) visited.push_back(order.at(epoch * count + i));
      auto sorted = visited;
      std::sort(sorted.begin(), sorted.end());
      for (uint32_t i = 0; i < count; ++i) ASSERT_EQ(sorted[i], i);
      for (uint32_t i = 0; i < count; ++i)
        EXPECT_LE(std::abs(static_cast<double>(visited[i]) - i), count / 4.0 + 1) << "stays in its stage";
      if (epoch == 0) first = visited;
      EXPECT_TRUE(epoch != 1 || count < 50 || visited != first) << "another order";
    }
  }
}

TEST(Curriculum, TheBandMovesAndStays) {
  std::vector<uint32_t> ranked(100);
  for (uint32_t i = 0; i < 100; ++i) ranked[i] = i;
  CurriculumPlan plan;
  plan.kind = CurriculumKind::band;
  plan.band = 0.2;
  plan.positions = 200;  // ten places of the band
  const CurriculumOrder order(ranked, plan, 3);
  double last_mean = -1;
  for (uint64_t block = 0; block < 12; ++block) {
    std::set<size_t> seen;
    double sum = 0;
    for (uint64_t i = 0; i < 20; ++i) {
      const size_t rank = order.at(block * 20 + i);
      seen.insert(rank);
      sum += static_cast<double>(rank);
    }
    ASSERT_EQ(seen.size(), 20u) << "each once";
    EXPECT_EQ(*seen.rbegin() - *seen.begin(), 19u);
    EXPECT_TRUE(block >= 10 || sum / 20 > last_mean) << block;
    last_mean = sum / 20;
  }
  EXPECT_EQ(last_mean, 89.5) << "at the hard end";
  for (uint64_t i = 0; i < 20; ++i) EXPECT_LT(order.at(i), 20u) << "from the easy end";
  plan.band = 1;
  const CurriculumOrder whole(identity(7), plan, 3);
  std::set<size_t> all;
  for (uint64_t i = 0; i < 7; ++i) all.insert(whole.at(i));
  EXPECT_EQ(all.size(), 7u);
}

}  // namespace
}  // namespace laconic::data
