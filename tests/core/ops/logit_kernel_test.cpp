// exp() and the kernels over rows of logits: accuracy, tails, and logits that are not finite.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <vector>

#include "laconic/core/base/error.h"
#include "tests/core/ops/kernel_tables.h"

namespace laconic::ops {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInf = std::numeric_limits<float>::infinity();

double d(float x) {
  return static_cast<double>(x);
}

using LogitKernel = EachTable;

// exp() through sample_weights at temperature 1 and a largest logit of 0.
std::vector<float> exp_of(const Kernels& k, const std::vector<float>& x) {
  std::vector<float> y(x.size());
  k.sample_weights(x.data(), y.data(), static_cast<int64_t>(x.size()), 1.0f, 0.0f);
  return y;
}

TEST_P(LogitKernel, ExpIsWithinTwoUnitsInTheLastPlace) {
  std::vector<float> x;
  for (float v = -87.0f; v <= 88.0f; v += 0.000731f) x.push_back(v);
  for (float v = 1e-30f; v < 1.0f; v *= 1.07f) x.push_back(v), x.push_back(-v);
  const auto y = exp_of(table(), x);
  double worst = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    const double exact = std::exp(d(x[i]));
    const auto nearest = static_cast<float>(exact);
    const double unit = d(std::nextafter(nearest, kInf)) - d(nearest);
    worst = std::max(worst, std::abs(d(y[i]) - exact) / unit);
  }
  EXPECT_LE(worst, 2.0);
}

TEST_P(LogitKernel, ExpAtItsEnds) {
  const std::vector<float> x = {0.0f, -0.0f, -kInf, -88.0f, -1e38f, kNan, -kNan, 1.0f, -87.3f};
  for (size_t begin = 0; begin < x.size(); ++begin) {  // in every lane and tail
    const std::vector<float> part(x.begin() + static_cast<std::ptrdiff_t>(begin), x.end());
    const auto y = exp_of(table(), part);
    for (size_t i = 0; i < part.size(); ++i) {
      const float v = part[i];
      if (std::isnan(v)) {
        EXPECT_TRUE(std::isnan(y[i]));
      } else if (v < -87.5f) {
        EXPECT_EQ(y[i], 0.0f);
      } else {
        EXPECT_NEAR(d(y[i]), std::exp(d(v)), 1e-6 * std::exp(d(v)));
      }
    }
    EXPECT_EQ(exp_of(table(), {0.0f})[0], 1.0f);  // the largest logit has weight 1 exactly: min_p relies on it
  }
}

struct Expected {
  double largest = -1e300, log_sum = 0, entropy = 0;
};

Expected statistics_of(const std::vector<float>& logits, float inverse) {
  Expected e;
  for (float x : logits) e.largest = std::max(e.largest, d(x * inverse));
  double total = 0, weighted = 0;
  for (float x : logits) {
    const double z = d(x * inverse) - e.largest, p = std::exp(z);
    total += p;
    if (p > 0) weighted += p * z;
  }
  e.log_sum = std::log(total);
  e.entropy = e.log_sum - weighted / total;
  return e;
}

TEST_P(LogitKernel, Statistics) {
  Rng rng(DrawPurpose::procedural_data, {8});
  const GuardedMemory<float> memory(8192);
  for (int64_t n : {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 100, 1023, 1024, 1025, 2049, 5000}) {
    for (const float inverse : {1.0f, 1.0f / 0.7f, 0.25f}) {
      for (const float spread : {0.1f, 5.0f}) {
        float* x = memory.last(n);
        fill_normal(x, n, rng);
        for (int64_t i = 0; i < n; ++i) x[i] = x[i] * spread - 300.0f;  // all far below zero
        if (n > 4) x[n / 2] = -kInf;
        const std::vector<float> logits(x, x + n);
        const auto expected = statistics_of(logits, inverse);
        const auto got = table().logit_statistics(x, n, inverse, true);
        EXPECT_TRUE(got.finite);
        EXPECT_EQ(d(got.largest), expected.largest);
        EXPECT_NEAR(d(got.log_sum), expected.log_sum, 1e-6 * (1 + expected.log_sum)) << n;
        EXPECT_NEAR(d(got.entropy), expected.entropy, 2e-6 * (1 + expected.entropy)) << n;
        const auto without = table().logit_statistics(x, n, inverse, false);
        EXPECT_EQ(without.log_sum, got.log_sum);  // asking for the entropy changes no logprob
        EXPECT_EQ(without.entropy, 0.0f);
        std::vector<float> moved(logits.size() + 1);  // nor does the alignment
        std::copy(logits.begin(), logits.end(), moved.begin() + 1);
        const auto elsewhere = table().logit_statistics(moved.data() + 1, n, inverse, true);
        EXPECT_EQ(elsewhere.log_sum, got.log_sum);
        EXPECT_EQ(elsewhere.entropy, got.entropy);
      }
    }
  }
}

TEST_P(LogitKernel, DamageAnywhereIsReported) {
  const std::vector<int64_t> sizes = {1, 3, 4, 5, 8, 9, 16, 17, 37, 1030};
  for (const int64_t n : sizes) {
    for (const float bad : {kNan, -kNan, kInf}) {
      for (int64_t at = 0; at<n; at += n> 100 ? 41 : 1) {
        std::vector<float> x(static_cast<size_t>(n), 0.5f);
        x[static_cast<size_t>(at)] = bad;
        EXPECT_FALSE(table().logit_statistics(x.data(), n, 1.0f, true).finite) << bad << " at " << at << " of " << n;
      }
    }
    const std::vector<float> none(static_cast<size_t>(n), -kInf);
    EXPECT_FALSE(table().logit_statistics(none.data(), n, 1.0f, false).finite) << "no token is possible";
    std::vector<float> one(static_cast<size_t>(n), -kInf);
    one.back() = 3.0f;
    const auto s = table().logit_statistics(one.data(), n, 1.0f, true);
    EXPECT_TRUE(s.finite);
    EXPECT_EQ(s.log_sum, 0.0f);
    EXPECT_EQ(s.entropy, 0.0f);
    std::vector<float> far(static_cast<size_t>(n), -1e38f);
    far.front() = 1e38f;
    EXPECT_TRUE(table().logit_statistics(far.data(), n, 1.0f, true).finite);
    EXPECT_EQ(table().logit_statistics(far.data(), n, 1.0f, true).entropy, 0.0f);
  }
}

TEST_P(LogitKernel, Gradient) {
  Rng rng(DrawPurpose::procedural_data, {9});
  const GuardedMemory<float> memory(2048);
  for (const int64_t n : {1, 2, 3, 5, 8, 9, 16, 17, 33, 1027}) {
    for (const int64_t target : {int64_t{-3}, int64_t{0}, n / 2, n - 1, n, n + 5}) {
      float* x = memory.last(n);
      fill_normal(x, n, rng);
      for (int64_t i = 0; i < n; ++i) x[i] *= 3;
      if (n > 4) x[1] = -kInf;
      const std::vector<float> logits(x, x + n);
      const float inverse = 1.0f / 0.7f, g_logprob = 0.6f, g_entropy = -0.3f;
      const auto s = table().logit_statistics(x, n, inverse, true);
      table().logit_gradient(x, n, inverse, s, target, g_logprob, g_entropy);
      const auto e = statistics_of(logits, inverse);
      for (int64_t i = 0; i < n; ++i) {
        const double log_p = d(logits[static_cast<size_t>(i)] * inverse) - e.largest - e.log_sum, p = std::exp(log_p);
        double expected = d(g_logprob) * ((i == target ? 1 : 0) - p);
        if (p > 0) expected -= d(g_entropy) * p * (log_p + e.entropy);
        EXPECT_NEAR(d(x[i]), expected * d(inverse), 3e-6) << i << " of " << n;
      }
    }
  }
}

TEST_P(LogitKernel, SampleWeights) {
  Rng rng(DrawPurpose::procedural_data, {10});
  const GuardedMemory<float> x_memory(128), w_memory(128);
  for (const int64_t n : awkward_sizes()) {
    float* x = x_memory.last(n);
    float* w = w_memory.last(n);
    fill_normal(x, n, rng);
    const float total = table().sample_weights(x, w, n, 0.5f, 1.0f);
    double sum = 0;
    for (int64_t i = 0; i < n; ++i) {
      const double expected = std::exp(d(x[i]) * 0.5 - 1.0);
      EXPECT_NEAR(d(w[i]), expected, 1e-6 * expected);
      sum += d(w[i]);
    }
    EXPECT_NEAR(d(total), sum, 1e-6 * sum);
  }
}

INSTANTIATE_TEST_SUITE_P(Tables, LogitKernel, testing::ValuesIn(runnable_kernels()), table_name);

TEST(KernelChoice, IsOneOfTheTablesThatRun) {
  const auto tables = runnable_kernels();
  EXPECT_NE(std::find(tables.begin(), tables.end(), &kernels()), tables.end());
  if (std::getenv("LACONIC_ISA") == nullptr) {
    EXPECT_EQ(&kernels(), tables.back());
  }
}

}  // namespace
}  // namespace laconic::ops
