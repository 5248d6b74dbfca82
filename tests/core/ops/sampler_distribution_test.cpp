// What the sampler draws, against the distribution that it should draw from.
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "tests/core/ops/sampler_reference.h"

namespace laconic::ops {
namespace {

class SamplerDistribution : public testing::TestWithParam<SamplingCase> {};

// Chi-square over tokens, those of few expected draws taken together; z of its normal approximation (Wilson-Hilferty).
double chi_square_z(const std::vector<int>& counts, const std::vector<double>& p, int draws) {
  double statistic = 0, rest_expected = 0, rest_counted = 0;
  int cells = 0;
  const auto add = [&](double counted, double expected) {
    statistic += (counted - expected) * (counted - expected) / expected;
    ++cells;
  };
  for (size_t i = 0; i < p.size(); ++i) {
    const double expected = p[i] * draws;
    if (expected < 8) {
      rest_expected += expected;
      rest_counted += counts[i];
    } else {
      add(counts[i], expected);
    }
  }
  if (rest_expected > 1) add(rest_counted, rest_expected);
  if (cells < 2) return 0;
  const double freedom = cells - 1;
  return (std::cbrt(statistic / freedom) - (1 - 2 / (9 * freedom))) / std::sqrt(2 / (9 * freedom));
}

TEST_P(SamplerDistribution, RandomDrawsPassAChiSquareTest) {
  constexpr int kDraws = 20000;
  SamplerScratch scratch;
  uint64_t seed = 100;
  for (const int64_t vocab : {2, 13, 700}) {
    const auto logits = random_logits(vocab, ++seed, 1.5);
    const auto p = sampling_reference(logits, GetParam().params);
    std::vector<int> counts(logits.size(), 0);
    for (uint32_t i = 0; i < kDraws; ++i) {
      const double u = uniform_draw({seed, 2, 3, i / 100}, DrawPurpose::sample_token, i % 100);
      const auto token = sample_token(logits.data(), vocab, GetParam().params, u, false, scratch);
      ASSERT_GT(p[static_cast<size_t>(token.id)], 0.0) << "a token that truncation drops was drawn";
      ++counts[static_cast<size_t>(token.id)];
    }
    EXPECT_LT(chi_square_z(counts, p, kDraws), 4.0) << "vocabulary " << vocab;
  }
}

// Evenly spaced u: every token receives its share to within one draw at either end of its interval.
TEST_P(SamplerDistribution, EvenlySpacedDrawsGiveEveryTokenItsShare) {
  constexpr int kDraws = 20000;
  SamplerScratch scratch;
  for (const int64_t vocab : {1, 3, 257, 700}) {
    const auto logits = random_logits(vocab, static_cast<uint64_t>(vocab), 1.5);
    const auto p = sampling_reference(logits, GetParam().params);
    std::vector<int> counts(logits.size(), 0);
    for (int i = 0; i < kDraws; ++i) {
      const double u = (i + 0.5) / kDraws;
      ++counts[static_cast<size_t>(sample_token(logits.data(), vocab, GetParam().params, u, false, scratch).id)];
    }
    for (size_t i = 0; i < p.size(); ++i) ASSERT_NEAR(counts[i], p[i] * kDraws, 1.1) << i << " of " << vocab;
  }
}

TEST_P(SamplerDistribution, LogprobsAndEntropiesAreThoseOfTheDistribution) {
  const auto& params = GetParam().params;
  SamplerScratch scratch, other;
  for (const int64_t vocab : {1, 2, 13, 300, 1025}) {
    const auto logits = random_logits(vocab, static_cast<uint64_t>(vocab) + 50, 1.5);
    const auto p = sampling_reference(logits, params), full = sampling_reference(logits, {params.temperature});
    double entropy = 0, mass = 0;
    for (double q : full) entropy -= q > 0 ? q * std::log(q) : 0;
    for (size_t i = 0; i < p.size(); ++i) {
      const auto id = static_cast<int32_t>(i);
      const auto scored = score_token(logits.data(), vocab, params, id, true, scratch);
      EXPECT_TRUE(scored.finite);
      EXPECT_EQ(scored.id, id);
      EXPECT_NEAR(static_cast<double>(scored.entropy), entropy, 1e-5);  // of the full vocabulary
      if (p[i] > 0) {
        EXPECT_NEAR(static_cast<double>(scored.logprob), std::log(p[i]), 1e-5);
        mass += std::exp(static_cast<double>(scored.logprob));
      } else {
        EXPECT_TRUE(std::isinf(scored.logprob) && scored.logprob < 0);
      }
    }
    EXPECT_NEAR(mass, 1.0, 1e-5);
    // What the sampler says of the token that it draws is what scoring says of it, bit for bit.
    for (int i = 0; i < 50; ++i) {
      const double u = (i + 0.5) / 50;
      const auto drawn = sample_token(logits.data(), vocab, params, u, true, other);
      const auto scored = score_token(logits.data(), vocab, params, drawn.id, true, scratch);
      EXPECT_EQ(drawn.logprob, scored.logprob);
      EXPECT_EQ(drawn.entropy, scored.entropy);
      EXPECT_EQ(sample_token(logits.data(), vocab, params, u, false, scratch).logprob, drawn.logprob);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, SamplerDistribution, testing::ValuesIn(sampling_cases()),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace laconic::ops
