// Logprobs and entropies of chunks of logits, and their gradient, against the CPU kernels.
#include <gtest/gtest.h>

#include "laconic/core/ops/kernels.h"
#include "laconic/cuda/kernels/kernels.h"
#include "tests/cuda/device.h"
#include "tests/cuda/values.h"

namespace laconic::cuda {
namespace {

constexpr int64_t kVocabularies[] = {1, 2, 31, 64, 513, 2048, 5003, 20000};
constexpr float kInf = HUGE_VALF;

template <typename T>
class LogitKernels : public testing::Test {};
using Elements = testing::Types<float, Bf16>;
TYPED_TEST_SUITE(LogitKernels, Elements);

struct Scores {
  std::vector<float> logprob, largest, log_sum, entropy;
};

Scores reference(const std::vector<float>& logits, const std::vector<int64_t>& targets, int64_t vocab, float inverse) {
  Scores s;
  for (size_t row = 0; row < targets.size(); ++row) {
    const float* x = logits.data() + static_cast<int64_t>(row) * vocab;
    const auto statistics = ops::kernels().logit_statistics(x, vocab, inverse, true);
    s.largest.push_back(statistics.largest);
    s.log_sum.push_back(statistics.log_sum);
    s.entropy.push_back(statistics.entropy);
    s.logprob.push_back(x[targets[row]] * inverse - statistics.largest - statistics.log_sum);
  }
  return s;
}

template <typename T>
Scores run(const std::vector<float>& logits, const std::vector<int64_t>& targets, int64_t vocab, float inverse) {
  const size_t rows = targets.size();
  DeviceArray<T> x(as_elements<T>(logits));
  DeviceArray<int64_t> target(targets);
  DeviceArray<float> logprob(rows), largest(rows), log_sum(rows), entropy(rows);
  launch(LogitScoreArgs{.element = element_of<T>(),
                        .logits = x.data(),
                        .targets = target.data(),
                        .inverse_temperature = inverse,
                        .logprob = logprob.data(),
                        .largest = largest.data(),
                        .log_sum = log_sum.data(),
                        .entropy = entropy.data(),
                        .rows = static_cast<int64_t>(rows),
                        .vocab = vocab},
         nullptr);
  return {logprob.values(), largest.values(), log_sum.values(), entropy.values()};
}

std::vector<int64_t> some_targets(int64_t rows, int64_t vocab) {
  std::vector<int64_t> targets;
  for (int64_t row = 0; row < rows; ++row) targets.push_back((row * 7919 + vocab / 2) % vocab);
  return targets;
}

TYPED_TEST(LogitKernels, Score) {
  using T = TypeParam;
  for (const int64_t rows : {0, 1, 3}) {
    for (const int64_t vocab : kVocabularies) {
      for (const float inverse : {1.0f, 1.0f / 0.6f}) {
        const auto logits = element_values<T>(rows * vocab, 1, 6.0);
        const auto targets = some_targets(rows, vocab);
        const auto expected = reference(logits, targets, vocab, inverse);
        std::vector<float> first;
        for_each_run([&] {
          const auto found = run<T>(logits, targets, vocab, inverse);
          EXPECT_LT(worst_difference(found.logprob, expected.logprob), 3e-6) << rows << " x " << vocab;
          EXPECT_LT(worst_difference(found.log_sum, expected.log_sum), 3e-6);
          EXPECT_LT(worst_difference(found.entropy, expected.entropy), 1e-5) << rows << " x " << vocab;
          EXPECT_EQ(found.largest, expected.largest);
          if (first.empty()) first = found.entropy;
          EXPECT_EQ(found.entropy, first) << "depends on the order of the threads";
        });
      }
    }
  }
}

TYPED_TEST(LogitKernels, ExtremeRows) {
  using T = TypeParam;
  const int64_t vocab = 1500;
  const auto filled = [&](float rest, const std::vector<std::pair<size_t, float>>& values) {
    std::vector<float> row(static_cast<size_t>(vocab), rest);
    for (const auto& [at, value] : values) row[at] = value;
    return row;
  };
  const std::vector<std::vector<float>> rows = {
      filled(-1000, {{0, 1000.0f}}),
      filled(-1000, {{1499, 1000.0f}}),
      filled(-kInf, {{7, 1.0f}, {1300, 1.0f}}),
      filled(2.5f, {}),
      filled(-kInf, {{1499, -3.0f}}),
      filled(-250, {{3, 0.0f}}),
      filled(0, {{1, -kInf}, {2, 9}}),
  };
  for (const auto& row : rows) {
    for (const int64_t target : {int64_t{7}, vocab - 1}) {
      const auto expected = reference(row, {target}, vocab, 1.0f);
      const auto found = run<T>(row, {target}, vocab, 1.0f);
      EXPECT_LT(worst_difference(found.logprob, expected.logprob), 3e-6);
      EXPECT_LT(worst_difference(found.entropy, expected.entropy), 1e-5);
    }
  }
  // Damaged rows are NaN, wherever the damage lies.
  for (const float bad : {std::nanf(""), kInf}) {
    for (const size_t at : {size_t{0}, size_t{700}, size_t{1499}})
      EXPECT_TRUE(std::isnan(run<T>(filled(0.5f, {{at, bad}}), {3}, vocab, 1.0f).logprob[0])) << bad << " at " << at;
  }
  EXPECT_TRUE(std::isnan(run<T>(filled(-kInf, {}), {3}, vocab, 1.0f).logprob[0]));
}

TYPED_TEST(LogitKernels, Gradient) {
  using T = TypeParam;
  const int64_t rows = 3;
  for (const int64_t vocab : kVocabularies) {
    for (const bool with_entropy : {false, true}) {
      const float inverse = 1.0f / 0.8f;
      const auto logits = element_values<T>(rows * vocab, 2, 4.0);
      auto targets = some_targets(rows, vocab);
      const auto s = reference(logits, targets, vocab, inverse);
      targets[1] = -5;  // in another chunk of columns
      const auto g_logprob = normal_values(rows, 3), g_entropy = normal_values(rows, 4);
      auto expected = logits;
      for (size_t row = 0; row < 3; ++row) {
        ops::LogitStatistics statistics{s.largest[row], s.log_sum[row], with_entropy ? s.entropy[row] : 0.0f};
        ops::kernels().logit_gradient(expected.data() + static_cast<int64_t>(row) * vocab, vocab, inverse, statistics,
                                      targets[row], g_logprob[row], with_entropy ? g_entropy[row] : 0.0f);
      }
      DeviceArray<T> x(as_elements<T>(logits));
      DeviceArray<int64_t> target(targets);
      DeviceArray<float> largest(s.largest), log_sum(s.log_sum), entropy(s.entropy), gl(g_logprob), ge(g_entropy);
      launch(LogitGradientArgs{.element = element_of<T>(),
                               .logits = x.data(),
                               .targets = target.data(),
                               .inverse_temperature = inverse,
                               .largest = largest.data(),
                               .log_sum = log_sum.data(),
                               .entropy = with_entropy ? entropy.data() : nullptr,
                               .g_logprob = gl.data(),
                               .g_entropy = with_entropy ? ge.data() : nullptr,
                               .rows = rows,
                               .vocab = vocab},
             nullptr);
      EXPECT_LT(worst_difference(as_floats(x.values()), expected), rounding<T>()) << vocab;
    }
  }
}

}  // namespace
}  // namespace laconic::cuda
