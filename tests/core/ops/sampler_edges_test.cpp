// The sampler where distributions are degenerate and numbers come close to their ends.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <set>
#include <vector>

#include "tests/core/ops/sampler_reference.h"

namespace laconic::ops {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr double kLowest = 0x1.0p-54, kHighest = 1.0 - 0x1.0p-53;

DrawnToken draw(const std::vector<float>& logits, const SamplingParams& params, double u) {
  SamplerScratch scratch;
  return sample_token(logits.data(), static_cast<int64_t>(logits.size()), params, u, true, scratch);
}

TEST(Sampler, GreedyTakesTheFirstOfTheLargest) {
  EXPECT_EQ(draw({1, 5, 5, 2, 5}, {0.0}, 0.9).id, 1);
  EXPECT_EQ(draw({7, 7, 7}, {0.0}, 0.9).id, 0);
  EXPECT_EQ(draw({-kInf, -3, -kInf}, {0.0}, 0.1).id, 1);
  // Its logprob is that of the full distribution at temperature 1.
  const auto token = draw({0, 0, -kInf, 0}, {0.0, 1, 0.1, 0.9}, 0.9);
  EXPECT_NEAR(static_cast<double>(token.logprob), -std::log(3.0), 1e-6);
  EXPECT_NEAR(static_cast<double>(token.entropy), std::log(3.0), 1e-6);
}

TEST(Sampler, TopKOneIsGreedyWithCertainty) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    auto logits = random_logits(300, seed, 2.0);
    if (seed % 2 == 0) logits[200] = logits[100] = 50.0f;  // equal ones
    for (const double u : {kLowest, 0.5, kHighest}) {
      const auto token = draw(logits, {1.7, 1}, u);
      EXPECT_EQ(token.id, draw(logits, {0.0}, u).id);
      EXPECT_EQ(token.logprob, 0.0f);
    }
  }
  // Logits that differ by less than their weights can show: still the largest one, not the first.
  const float top = 0.25f, below = std::nextafter(top, 0.0f);
  EXPECT_EQ(draw({below, below, top, below}, {1.0, 1}, 0.3).id, 2);
  EXPECT_EQ(draw({below, below, top, below}, {1.0, 0, 1e-9}, 0.3).id, 2);
}

// Tokens whose weights are too small for a float are still ordered.
TEST(Sampler, TopKBelowTheSmallestWeight) {
  const std::vector<float> logits = {-300, 0, -200, -400, -100};
  SamplerScratch scratch;
  std::set<int32_t> kept;
  for (int32_t id = 0; id < 5; ++id) {
    if (std::isfinite(score_token(logits.data(), 5, {1.0, 3}, id, false, scratch).logprob)) kept.insert(id);
  }
  EXPECT_EQ(kept, (std::set<int32_t>{1, 2, 4}));
}

TEST(Sampler, TinyTopPAndMinPOfOneKeepTheLargest) {
  const auto logits = random_logits(1000, 3, 1.0);
  const auto greedy = draw(logits, {0.0}, 0.5).id;
  for (const double u : {kLowest, 0.37, kHighest}) {
    EXPECT_EQ(draw(logits, {1.0, 0, 1e-12}, u).id, greedy);
    EXPECT_EQ(draw(logits, {1.0, 0, 1.0, 1.0}, u).id, greedy);
    EXPECT_EQ(draw(logits, {1.0, 0, 1e-12}, u).logprob, 0.0f);
  }
  // Equal ones: min_p keeps both, top_p the fewest, the first.
  EXPECT_EQ(draw({3, 1, 3}, {1.0, 0, 1.0, 1.0}, 0.9).id, 2);
  EXPECT_EQ(draw({3, 1, 3}, {1.0, 0, 0.3}, 0.9).id, 0);
}

// The front of the vocabulary that is sorted for top-p grows; its first size is 64.
TEST(Sampler, TopPOfFlatDistributions) {
  for (const int64_t vocab : {63, 64, 65, 512, 513, 5000}) {
    const std::vector<float> logits(static_cast<size_t>(vocab), 1.0f);
    for (const double top_p : {0.01, 0.5, 0.99, 0.999999}) {
      const double expected = std::ceil(top_p * static_cast<double>(vocab) - 1e-6);
      const auto token = draw(logits, {1.0, 0, top_p}, kHighest);
      EXPECT_EQ(token.id, static_cast<int32_t>(expected) - 1) << vocab << " " << top_p;
      EXPECT_NEAR(static_cast<double>(token.logprob), -std::log(expected), 1e-5);
    }
  }
}

TEST(Sampler, AllMassOnOneToken) {
  for (const size_t at : {0u, 1u, 255u, 256u, 599u}) {
    std::vector<float> logits(600, -1000.0f);
    logits[at] = 1000.0f;
    for (const auto& c : sampling_cases()) {
      for (const double u : {kLowest, 0.5, kHighest}) {
        const auto token = draw(logits, c.params, u);
        EXPECT_EQ(token.id, static_cast<int32_t>(at)) << c.name;
        EXPECT_EQ(token.logprob, 0.0f);
        EXPECT_EQ(token.entropy, 0.0f);
      }
    }
  }
}

TEST(Sampler, TheEndsOfTheUnitIntervalDrawPossibleTokens) {
  for (const size_t first : {0u, 3u, 256u, 300u}) {
    for (const size_t last : {301u, 511u, 512u, 599u}) {
      std::vector<float> logits(600, -kInf);
      logits[first] = logits[last] = 0.3f;
      for (const auto& c : sampling_cases()) {
        if (c.params.top_p < 1) continue;
        EXPECT_EQ(draw(logits, c.params, kLowest).id, static_cast<int32_t>(first)) << c.name;
        EXPECT_EQ(draw(logits, c.params, kHighest).id, static_cast<int32_t>(last)) << c.name;
        EXPECT_EQ(draw(logits, c.params, std::nextafter(0.5, 0.0)).id, static_cast<int32_t>(first)) << c.name;
        EXPECT_EQ(draw(logits, c.params, std::nextafter(0.5, 1.0)).id, static_cast<int32_t>(last)) << c.name;
      }
    }
  }
}

TEST(Sampler, OneToken) {
  for (const auto& c : sampling_cases()) {
    const auto token = draw({-12.5f}, c.params, 0.77);
    EXPECT_EQ(token.id, 0);
    EXPECT_EQ(token.logprob, 0.0f);
    EXPECT_EQ(token.entropy, 0.0f);
    EXPECT_TRUE(token.finite);
  }
}

TEST(Sampler, DamagedLogitsAreReported) {
  SamplerScratch scratch;
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), kInf}) {
    for (const double temperature : {0.0, 1.0}) {
      for (size_t at = 0; at < 21; ++at) {
        std::vector<float> logits(21, 0.5f);
        logits[at] = bad;
        EXPECT_FALSE(draw(logits, {temperature, 3}, 0.5).finite);
        EXPECT_FALSE(score_token(logits.data(), 21, {temperature}, 4, true, scratch).finite);
      }
      EXPECT_FALSE(draw(std::vector<float>(9, -kInf), {temperature}, 0.5).finite);
    }
  }
}

TEST(Sampler, ScratchOfAnotherRowDoesNotMatter) {
  SamplerScratch used;
  const auto large = random_logits(900, 1, 1.0), small = random_logits(20, 2, 1.0);
  for (const auto& c : sampling_cases()) {
    sample_token(large.data(), 900, {0.7, 50, 0.9}, 0.9, true, used);
    for (const double u : {0.1, 0.5, 0.9}) {
      const auto token = sample_token(small.data(), 20, c.params, u, true, used);
      EXPECT_EQ(token.id, draw(small, c.params, u).id) << c.name;
      EXPECT_EQ(token.logprob, draw(small, c.params, u).logprob) << c.name;
    }
  }
}

}  // namespace
}  // namespace laconic::ops
