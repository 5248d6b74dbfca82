// Packed and paged attention against ATen, gradients against autograd in double, and bits that must not change.
#include "laconic/core/ops/attention.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <limits>
#include <numeric>
#include <vector>

#include "laconic/core/ops/paged_attention.h"
#include "tests/core/ops/threads.h"
#include "tests/support/error_of.h"
#include "tests/support/tensors.h"

namespace laconic::ops {
namespace {

const std::vector<int64_t> kLengths = {1, 31, 0, 32, 33, 200, 2, 0};

std::vector<int64_t> offsets_of(const std::vector<int64_t>& lengths) {
  std::vector<int64_t> offsets = {0};
  for (int64_t n : lengths) offsets.push_back(offsets.back() + n);
  return offsets;
}

// ATen's attention of each sequence on its own, heads repeated for their group; the dtype is that of qkv.
at::Tensor reference(const at::Tensor& qkv, const std::vector<int64_t>& offsets, const HeadShape& s) {
  std::vector<at::Tensor> parts;
  for (size_t i = 0; i + 1 < offsets.size(); ++i) {
    const int64_t n = offsets[i + 1] - offsets[i];
    if (n == 0) continue;
    const auto rows = qkv.narrow(0, offsets[i], n).view({n, -1, s.head_dim}).transpose(0, 1);
    const auto q = rows.narrow(0, 0, s.heads);
    const auto k = rows.narrow(0, s.heads, s.kv_heads).repeat_interleave(s.group(), 0);
    const auto v = rows.narrow(0, s.heads + s.kv_heads, s.kv_heads).repeat_interleave(s.group(), 0);
    const auto out = at::scaled_dot_product_attention(q, k, v, {}, 0.0, /*is_causal=*/true);
    parts.push_back(out.transpose(0, 1).reshape({n, -1}));
  }
  return at::cat(parts);
}

std::vector<at::Tensor> forward(const at::Tensor& qkv, const std::vector<int64_t>& offsets, const HeadShape& s) {
  auto out = at::empty({qkv.size(0), s.out_width()}), log_sum = at::empty({qkv.size(0), s.heads});
  packed_attention_into(qkv, offsets, s, out, &log_sum);
  return {out, log_sum};
}

class Attention : public testing::TestWithParam<HeadShape> {
 protected:
  HeadShape shape_ = GetParam();
  std::vector<int64_t> offsets_ = offsets_of(kLengths);
  at::Tensor qkv_ = normal_tensor({offsets_.back(), shape_.qkv_width()}, 1, 1.5);
};

TEST_P(Attention, ForwardAndBackwardAgreeWithAutograd) {
  const auto dout = normal_tensor({offsets_.back(), shape_.out_width()}, 2);
  const auto leaf = double_leaf(qkv_);
  const auto expected = reference(leaf, offsets_, shape_);
  torch::autograd::backward({expected}, {dout.to(at::kDouble)});
  const auto got = forward(qkv_, offsets_, shape_);
  EXPECT_LT(relative_difference(got[0], expected), 3e-6);
  auto without = at::empty_like(got[0]);
  packed_attention_into(qkv_, offsets_, shape_, without, nullptr);
  EXPECT_TRUE(at::equal(without, got[0]));
  auto dqkv = at::full_like(qkv_, std::numeric_limits<float>::quiet_NaN());  // overwritten, all of it
  packed_attention_backward(dout, qkv_, got[0], got[1], offsets_, shape_, dqkv);
  EXPECT_LT(relative_difference(dqkv, leaf.grad()), 1e-5);
}

TEST_P(Attention, ThreadsAndNeighboursChangeNoBit) {
  const auto dout = normal_tensor({offsets_.back(), shape_.out_width()}, 2);
  std::vector<at::Tensor> all;
  expect_same_for_any_thread_count([&] {
    all = forward(qkv_, offsets_, shape_);
    auto dqkv = at::empty_like(qkv_);
    packed_attention_backward(dout, qkv_, all[0], all[1], offsets_, shape_, dqkv);
    all.push_back(dqkv);
    return all;
  });
  for (size_t i = 0; i < kLengths.size(); ++i) {  // each sequence alone
    const int64_t begin = offsets_[i], n = kLengths[i];
    if (n == 0) continue;
    const auto qkv = qkv_.narrow(0, begin, n);
    const auto alone = forward(qkv, {0, n}, shape_);
    auto dqkv = at::empty_like(qkv);
    packed_attention_backward(dout.narrow(0, begin, n), qkv, alone[0], alone[1], std::vector<int64_t>{0, n}, shape_,
                              dqkv);
    EXPECT_TRUE(at::equal(alone[0], all[0].narrow(0, begin, n)));
    EXPECT_TRUE(at::equal(alone[1], all[1].narrow(0, begin, n)));
    EXPECT_TRUE(at::equal(dqkv, all[2].narrow(0, begin, n)));
    // And its beginning: a token does not see what follows.
    const int64_t half = (n + 1) / 2;
    EXPECT_TRUE(at::equal(forward(qkv.narrow(0, 0, half), {0, half}, shape_)[0], alone[0].narrow(0, 0, half)));
  }
}

// A cache whose pages are dealt in a shuffled order and hold NaN until they are written.
struct Paged {
  KvPages cache;
  std::vector<std::vector<int32_t>> pages;  // of each sequence

  Paged(const HeadShape& shape, const std::vector<int64_t>& lengths, Rng& rng) {
    std::vector<int32_t> order(64);
    std::iota(order.begin(), order.end(), 0);
    rng.shuffle(order);
    cache = make_kv_pages(static_cast<int64_t>(order.size()), shape, at::kFloat);
    cache.keys.fill_(std::numeric_limits<float>::quiet_NaN());
    cache.values.fill_(std::numeric_limits<float>::quiet_NaN());
    for (int64_t n : lengths) {
      auto& own = pages.emplace_back();
      for (int64_t page = 0; page * kPageTokens < n; ++page) own.push_back(order.back()), order.pop_back();
    }
  }
};

// Rows of the spans of one step, gathered from the sequences, attended, and compared with the whole sequence's rows.
void step_and_compare(const at::Tensor& qkv, const at::Tensor& expected, const std::vector<int64_t>& offsets,
                      const std::vector<std::pair<size_t, int64_t>>& chosen, std::vector<int64_t>& done, Paged& paged,
                      const HeadShape& shape) {
  std::vector<at::Tensor> rows, wanted;
  std::vector<PagedSpan> spans;
  int64_t first = 0;
  for (const auto& [sequence, count] : chosen) {
    const int64_t begin = offsets[sequence] + done[sequence];
    rows.push_back(qkv.narrow(0, begin, count));
    wanted.push_back(expected.narrow(0, begin, count));
    spans.push_back({first, count, done[sequence], paged.pages[sequence].data()});
    first += count;
    done[sequence] += count;
  }
  const auto in = at::cat(rows), want = at::cat(wanted);
  auto out = at::full({first, shape.out_width()}, -99.0f);
  paged_attention_into(in, spans, shape, paged.cache, out);
  ASSERT_TRUE(at::equal(out, want));
}

TEST_P(Attention, PagedEqualsPackedHoweverPromptsAreCut) {
  Rng rng(DrawPurpose::procedural_data, {5});
  const auto expected = forward(qkv_, offsets_, shape_)[0];
  for (int round = 0; round < 12; ++round) {
    set_threads(1 + round % 3);
    Paged paged(shape_, kLengths, rng);
    std::vector<int64_t> done(kLengths.size(), 0);
    const auto largest = static_cast<uint32_t>(round == 0 ? 200 : round == 1 ? 1 : 70);
    while (done != kLengths) {
      std::vector<std::pair<size_t, int64_t>> chosen;
      for (size_t i = 0; i < kLengths.size(); ++i) {
        const int64_t left = kLengths[i] - done[i];
        if (left == 0 || (round > 1 && rng.chance(0.3))) continue;
        chosen.emplace_back(i, std::min<int64_t>(left, round == 0 ? left : 1 + rng.below(largest)));
      }
      if (chosen.empty()) continue;
      step_and_compare(qkv_, expected, offsets_, chosen, done, paged, shape_);
      if (HasFatalFailure()) return;
    }
  }
  set_threads(0);
}

TEST_P(Attention, CopiedPagesContinueAnotherSequence) {
  Rng rng(DrawPurpose::procedural_data, {6});
  const auto expected = forward(qkv_, offsets_, shape_)[0];
  const size_t whole = 5;  // the one of 200 tokens
  for (const int64_t shared : {1, 31, 32, 33, 64, 90}) {
    Paged paged(shape_, {200, 200}, rng);
    std::vector<int64_t> done = {0, 0};
    const std::vector<int64_t> offsets = {offsets_[whole], offsets_[whole], offsets_[whole + 1]};
    step_and_compare(qkv_, expected, offsets, {{0, 120}}, done, paged, shape_);
    for (int64_t page = 0; page * kPageTokens < shared; ++page) {
      const auto at = static_cast<size_t>(page);
      copy_page(paged.cache, paged.pages[0][at], paged.pages[1][at], std::min(kPageTokens, shared - page * kPageTokens),
                shape_);
    }
    done[1] = shared;
    step_and_compare(qkv_, expected, offsets, {{0, 80}, {1, 200 - shared}}, done, paged, shape_);
    if (HasFatalFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, Attention,
                         testing::Values(HeadShape{1, 1, 8}, HeadShape{3, 3, 24}, HeadShape{4, 2, 64},
                                         HeadShape{7, 1, 80}, HeadShape{14, 2, 24}, HeadShape{30, 1, 8},
                                         HeadShape{4, 2, 10}),
                         [](const auto& test) {
                           const auto& s = test.param;
                           return fmt::format("q{}_kv{}_d{}", s.heads, s.kv_heads, s.head_dim);
                         });

TEST(AttentionChecks, ImpossibleShapesAreErrors) {
  const HeadShape shape{4, 2, 8};
  const auto qkv = normal_tensor({5, shape.qkv_width()}, 1);
  auto out = at::empty({5, shape.out_width()});
  const auto run = [&](std::vector<int64_t> offsets, const HeadShape& s) {
    return error_of([&] { packed_attention_into(qkv, offsets, s, out, nullptr); });
  };
  EXPECT_EQ(run({0, 5}, shape), "");
  EXPECT_NE(run({0, 4}, shape), "");
  EXPECT_NE(run({1, 5}, shape), "");
  EXPECT_NE(run({}, shape), "");
  EXPECT_NE(run({0, 4, 2, 5}, shape), "") << "offsets that go back";
  EXPECT_NE(run({0, 5}, {4, 2, 10}), "");
  const HeadShape many{256, 1, 2};
  const auto wide = normal_tensor({1, many.qkv_width()}, 1);
  auto wide_out = at::empty({1, many.out_width()});
  EXPECT_NE(error_of([&] { packed_attention_into(wide, std::vector<int64_t>{0, 1}, many, wide_out, nullptr); }), "");
  EXPECT_EQ(error_of([&] {
              auto none = at::empty({0, shape.out_width()});
              packed_attention_into(qkv.narrow(0, 0, 0), std::vector<int64_t>{0, 0, 0}, shape, none, nullptr);
            }),
            "");
}

}  // namespace
}  // namespace laconic::ops
