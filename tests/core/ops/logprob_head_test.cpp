#include "laconic/core/ops/logprob_head.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "tests/core/ops/threads.h"
#include "tests/support/error_of.h"
#include "tests/support/tensors.h"

namespace laconic::ops {
namespace {

struct HeadCase {
  int64_t n, hidden, vocab;
  double temperature;
  at::ScalarType dtype;
};

struct Inputs {
  at::Tensor hidden, head, targets, g_logprob, g_entropy;
};

Inputs inputs_of(const HeadCase& c) {
  Inputs i;
  i.hidden = normal_tensor({c.n, c.hidden}, 1);
  i.head = normal_tensor({c.vocab, c.hidden}, 2, 0.7).to(c.dtype);
  i.targets = (at::arange(c.n, at::kLong) * 31 + c.vocab - 1) % c.vocab;
  i.g_logprob = normal_tensor({c.n}, 3);
  i.g_entropy = normal_tensor({c.n}, 4);
  return i;
}

struct Outputs {
  at::Tensor logprob, entropy, dhidden, dhead;
};

Outputs run(const Inputs& i, const HeadOptions& options, bool with_entropy) {
  HeadStatistics statistics;
  Outputs o;
  o.logprob = score_targets(i.hidden, i.head, i.targets, options, with_entropy, statistics);
  o.entropy = statistics.entropy;
  o.dhead = at::zeros(i.head.sizes());
  o.dhidden = score_targets_backward(i.g_logprob, with_entropy ? i.g_entropy : at::Tensor(), i.hidden, i.head,
                                     i.targets, statistics, options, &o.dhead);
  return o;
}

class LogprobHead : public testing::TestWithParam<HeadCase> {};

TEST_P(LogprobHead, AgreesWithLogSoftmaxAndAutograd) {
  const auto& c = GetParam();
  const auto i = inputs_of(c);
  for (const bool with_entropy : {false, true}) {
    const auto hidden = double_leaf(i.hidden), head = double_leaf(i.head);
    const auto log_p = at::log_softmax(at::linear(hidden, head) / c.temperature, -1);
    const auto logprob = log_p.gather(1, i.targets.unsqueeze(1)).squeeze(1);
    const auto entropy = -(log_p.exp() * log_p).sum(-1);
    auto loss = (logprob * i.g_logprob.to(at::kDouble)).sum();
    if (with_entropy) loss = loss + (entropy * i.g_entropy.to(at::kDouble)).sum();
    torch::autograd::backward({loss}, {});

    const auto got = run(i, {c.temperature, 32 << 20}, with_entropy);
    EXPECT_LT((got.logprob - logprob).abs().max().item<double>(), 1e-5);
    EXPECT_EQ(got.entropy.defined(), with_entropy);
    if (with_entropy) {
      EXPECT_LT((got.entropy - entropy).abs().max().item<double>(), 1e-5);
    }
    EXPECT_LT(relative_difference(got.dhidden, hidden.grad()), 1e-5);
    EXPECT_LT(relative_difference(got.dhead, head.grad()), 1e-5);
  }
}

TEST_P(LogprobHead, ChunksAndThreadsAndEntropiesChangeNoLogprob) {
  const auto& c = GetParam();
  const auto i = inputs_of(c);
  const auto whole = run(i, {c.temperature, 1 << 30}, true);
  for (const int64_t chunk_bytes : {int64_t{1}, int64_t{5000}, int64_t{70000}}) {
    const auto chunked = run(i, {c.temperature, chunk_bytes}, true);
    EXPECT_TRUE(at::equal(chunked.logprob, whole.logprob));
    EXPECT_TRUE(at::equal(chunked.entropy, whole.entropy));
    EXPECT_LT(relative_difference(chunked.dhidden, whole.dhidden), 2e-6);
    EXPECT_LT(relative_difference(chunked.dhead, whole.dhead), 2e-6);
  }
  EXPECT_TRUE(at::equal(run(i, {c.temperature, 9000}, false).logprob, whole.logprob));
  expect_same_for_any_thread_count([&] {
    const auto o = run(i, {c.temperature, 9000}, true);
    return std::vector<at::Tensor>{o.logprob, o.entropy, o.dhidden, o.dhead};
  });
  // A row alone.
  HeadStatistics statistics;
  const auto last = score_targets(i.hidden.narrow(0, c.n - 1, 1), i.head, i.targets.narrow(0, c.n - 1, 1),
                                  {c.temperature, 1 << 20}, false, statistics);
  EXPECT_TRUE(at::equal(last, whole.logprob.narrow(0, c.n - 1, 1)));
}

INSTANTIATE_TEST_SUITE_P(Sizes, LogprobHead,
                         testing::Values(HeadCase{1, 8, 5, 1.0, at::kFloat}, HeadCase{3, 33, 1, 1.0, at::kFloat},
                                         HeadCase{37, 40, 301, 0.7, at::kFloat},
                                         HeadCase{1100, 8, 290, 1.3, at::kFloat},
                                         HeadCase{29, 40, 1030, 1.0, at::kBFloat16}),
                         [](const auto& test) { return fmt::format("n{}_v{}", test.param.n, test.param.vocab); });

TEST(LogprobHeadEdges, NothingToScoreAndWrongInputs) {
  const auto hidden = normal_tensor({3, 8}, 1), head = normal_tensor({10, 8}, 2);
  HeadStatistics s;
  const auto score = [&](std::vector<int64_t> targets, double temperature, int64_t rows = 3) {
    return error_of([&] {
      score_targets(hidden.narrow(0, 0, rows), head, at::tensor(targets, at::kLong), {temperature}, true, s);
    });
  };
  EXPECT_EQ(score({1, 2, 3}, 1.0), "");
  EXPECT_EQ(score({}, 1.0, 0), "");
  EXPECT_NE(score({1, 2}, 1.0), "");
  EXPECT_NE(score({1, 2, 10}, 1.0), "");
  EXPECT_NE(score({1, 2, -1}, 1.0), "");
  EXPECT_NE(score({1, 2, 3}, 0.0), "");
  EXPECT_NE(score({1, 2, 3}, -1.0), "");
  EXPECT_NE(score({1, 2, 3}, std::numeric_limits<double>::quiet_NaN()), "");
  const auto none = hidden.narrow(0, 0, 0), no_targets = at::empty({0}, at::kLong);
  auto dhead = at::zeros({10, 8});
  score_targets(none, head, no_targets, {}, true, s);
  EXPECT_EQ(score_targets_backward(at::empty({0}), at::empty({0}), none, head, no_targets, s, {}, &dhead).size(0), 0);
  EXPECT_EQ(dhead.abs().sum().item<double>(), 0.0);
}

TEST(LogprobHeadEdges, TheHeadMayBeFrozen) {
  const auto i = inputs_of({5, 16, 40, 1.0, at::kFloat});
  HeadStatistics s;
  score_targets(i.hidden, i.head, i.targets, {}, true, s);
  auto dhead = at::zeros({40, 16});
  const auto with = score_targets_backward(i.g_logprob, i.g_entropy, i.hidden, i.head, i.targets, s, {}, &dhead);
  const auto without = score_targets_backward(i.g_logprob, i.g_entropy, i.hidden, i.head, i.targets, s, {}, nullptr);
  EXPECT_TRUE(at::equal(with, without));
}

}  // namespace
}  // namespace laconic::ops
