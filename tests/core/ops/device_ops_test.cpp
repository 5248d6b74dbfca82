// The reference of the device operations against the CPU's kernels: every operation, forward and backward, in f32
// within rounding; and in bf16 against the same operation in f32.
#include "laconic/core/ops/device_ops.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <functional>

#include "laconic/core/ops/linear.h"
#include "laconic/core/ops/norm.h"
#include "laconic/core/ops/swiglu.h"
#include "laconic/core/ops/upload.h"
#include "tests/support/error_of.h"
#include "tests/support/tensors.h"

namespace laconic::ops {
namespace {

constexpr double kRounding = 3e-6, kBf16Rounding = 0.02;

using Tensors = std::vector<at::Tensor>;

// `body` gets the inputs as fresh copies and gives its results; the same by the CPU's kernels and by the reference, and
// by the reference on bf16.
void expect_agreement(const Tensors& inputs, const std::function<Tensors(Tensors&)>& body,
                      double tolerance = kRounding) {
  const auto copies = [&](at::ScalarType type) {
    Tensors all;
    all.reserve(inputs.size());
    for (const auto& t : inputs) all.push_back(t.is_floating_point() ? t.to(type, false, /*copy=*/true) : t.clone());
    return all;
  };
  // Both on numbers that bf16 can hold.
  const auto rounded = [&] {
    auto all = copies(at::kBFloat16);
    for (auto& t : all) t = t.is_floating_point() ? t.to(at::kFloat) : t;
    return all;
  };
  auto plain = copies(at::kFloat), plain_rounded = rounded();
  const auto expected = body(plain), coarse = body(plain_rounded);
  const ReferenceScope scope;
  auto same = copies(at::kFloat), short_ones = copies(at::kBFloat16);
  const auto got = body(same), narrow = body(short_ones);
  ASSERT_EQ(got.size(), expected.size());
  for (size_t i = 0; i < got.size(); ++i) {
    EXPECT_LT(relative_difference(got[i], expected[i], 1e-2), tolerance) << "result " << i;
    EXPECT_LT(relative_difference(narrow[i], coarse[i], 1e-2), kBf16Rounding) << "result " << i << " in bf16";
  }
}

TEST(DeviceOps, TheCpuKeepsItsKernelsOutsideOfAScope) {
  EXPECT_EQ(device_ops(at::kCPU), nullptr);
  EXPECT_NE(device_ops(at::Device(at::kCUDA, 0)), nullptr);
  EXPECT_EQ(activation_dtype(at::kCPU, at::kBFloat16), at::kFloat);
  {
    const ReferenceScope scope;
    EXPECT_NE(device_ops(at::kCPU), nullptr);
    EXPECT_EQ(activation_dtype(at::kCPU, at::kBFloat16), at::kBFloat16);
    EXPECT_NE(error_of([] { const ReferenceScope another; }), "");
  }
  EXPECT_EQ(device_ops(at::kCPU), nullptr);
}

TEST(DeviceOps, Linear) {
  for (const int64_t rows : {1, 3, 130}) {
    for (const bool add : {false, true}) {
      expect_agreement({normal_tensor({rows, 40}, 1), normal_tensor({25, 40}, 2), normal_tensor({25}, 3),
                        normal_tensor({rows, 25}, 4)},
                       [&](Tensors& t) {
                         const auto dw_like = at::TensorOptions().dtype(at::kFloat);
                         auto y = t[3].clone(), dw = at::ones({25, 40}, dw_like), dbias = at::ones({25}, dw_like);
                         linear_into(t[0], t[1], t[2], y, add);
                         add_linear_weight_gradient(t[3], t[0], dw, &dbias);
                         auto plain = t[3].clone();
                         linear_into(t[0], t[1], {}, plain, add);
                         return Tensors{y, plain, linear_input_gradient(t[3], t[1]), dw, dbias};
                       });
    }
  }
}

TEST(DeviceOps, Norm) {
  for (const bool add : {false, true}) {
    expect_agreement({normal_tensor({7, 50}, 1), normal_tensor({50}, 2), normal_tensor({7, 50}, 3)}, [&](Tensors& t) {
      auto y = at::empty_like(t[0]), inverse = at::empty({7}, at::kFloat), dx = at::ones_like(t[0]);
      auto dweight = at::ones({50}, at::kFloat);
      rms_norm_into(t[0], t[1], 1e-5, y, &inverse);
      rms_norm_backward(t[2], t[0], t[1], inverse, dx, add, dweight);
      rms_norm_into(t[0], t[1], 1e-5, t[0]);  // in place
      return Tensors{y, inverse, dx, dweight, t[0]};
    });
  }
}

TEST(DeviceOps, Swiglu) {
  expect_agreement({normal_tensor({9, 34}, 1, 2.0), normal_tensor({9, 17}, 2)}, [](Tensors& t) {
    auto out = at::empty_like(t[1]);
    swiglu_into(t[0], out);
    const auto activation = swiglu_backward_(t[1], t[0]);
    return Tensors{out, activation, t[0]};
  });
}

TEST(DeviceOps, Rotation) {
  for (const bool norms : {false, true}) {
    const HeadShape s{6, 2, 12};
    const auto angles = normal_tensor({60, 6}, 5, 2.0).to(at::kDouble);
    const auto table = at::cat({angles.cos(), angles.sin()}, 1).to(at::kFloat);
    expect_agreement(
        {normal_tensor({31, s.qkv_width()}, 1), normal_tensor({31, s.qkv_width()}, 2), normal_tensor({12}, 3),
         normal_tensor({12}, 4)},
        [&](Tensors& t) {
          Rotation r{(at::arange(31, at::kLong) * 7) % 60, table, {}, {}, 1e-6};
          if (norms) r.q_norm = t[2], r.k_norm = t[3];
          auto out = at::empty_like(t[0]), in_place = t[0].clone();
          rotate_into(t[0], s, r, out);
          rotate_into(in_place, s, r, in_place);
          auto dq = at::ones({12}, at::kFloat), dk = at::ones({12}, at::kFloat);
          rotate_backward_(t[1], t[0], s, r, norms ? &dq : nullptr, norms ? &dk : nullptr);
          return Tensors{out, in_place, t[1], dq, dk};
        },
        1e-5);
  }
}

TEST(DeviceOps, PackedAttention) {
  for (const HeadShape s : {HeadShape{6, 2, 12}, HeadShape{3, 3, 8}}) {
    const std::vector<int64_t> offsets = {0, 1, 1, 34, 70};
    expect_agreement({normal_tensor({70, s.qkv_width()}, 1), normal_tensor({70, s.out_width()}, 2)}, [&](Tensors& t) {
      auto out = at::empty_like(t[1]), log_sum = at::empty({70, s.heads}, at::kFloat), dqkv = at::empty_like(t[0]);
      packed_attention_into(t[0], offsets, s, out, &log_sum);
      packed_attention_backward(t[1], t[0], out, log_sum, packed_sequences(offsets, at::kCPU), s, dqkv);
      return Tensors{out, log_sum, dqkv};
    });
  }
}

// Two sequences with 40 and 3 tokens in the cache, whose next 5 and 1 tokens come; against the kernels on the same
// cache.
TEST(DeviceOps, PagedAttention) {
  const HeadShape s{6, 2, 12};
  const auto angles = normal_tensor({60, 6}, 5, 2.0).to(at::kDouble);
  const auto table = at::cat({angles.cos(), angles.sin()}, 1).to(at::kFloat);
  const auto qkv = normal_tensor({6, s.qkv_width()}, 1), q_norm = normal_tensor({12}, 2),
             k_norm = normal_tensor({12}, 3);
  const std::vector<int32_t> pages = {4, 1, 2, 0};  // of the first sequence two, of the second one
  const auto filled = [&] {
    auto cache = make_kv_pages(5, s, at::kFloat);
    cache.keys.copy_(normal_tensor(cache.keys.sizes(), 7));
    cache.values.copy_(normal_tensor(cache.values.sizes(), 8));
    return cache;
  };
  const auto positions = at::tensor({40, 41, 42, 43, 44, 3}, at::kLong);
  const Rotation rotation{positions, table, q_norm, k_norm, 1e-6};

  auto expected_cache = filled();
  auto rotated = qkv.clone(), expected = at::empty({6, s.out_width()});
  rotate_into(rotated, s, rotation, rotated);
  paged_attention_into(rotated, std::vector<PagedSpan>{{0, 5, 40, pages.data()}, {5, 1, 3, pages.data() + 2}}, s,
                       expected_cache, expected);

  const ReferenceScope scope;
  auto cache = filled();
  // Page 3 is nobody's: idle rows must leave it alone, and nobody may read it.
  cache.keys.select(0, 3).fill_(std::nan(""));
  cache.values.select(0, 3).fill_(std::nan(""));
  auto padded = at::cat({qkv, at::full({2, s.qkv_width()}, 3.0)}), out = at::empty({8, s.out_width()});
  const PagedRows rows{at::tensor({4, 1, 3, 2, 3, 3}, at::kInt).view({2, 3}),
                       at::tensor({0, 0, 0, 0, 0, 1, 0, 0}, at::kInt),
                       at::cat({positions, at::full({2}, -1, at::kLong)}), 3 * kPageTokens};
  const auto* ops = device_ops(qkv);
  ops->rotate_append(padded, s, rotation, cache, rows);
  ops->paged_attention(padded, s, cache, rows, out);
  EXPECT_LT(relative_difference(out.narrow(0, 0, 6), expected), kRounding);
  for (const int64_t page : {0, 1, 2, 4}) {
    EXPECT_LT(relative_difference(cache.keys.select(0, page), expected_cache.keys.select(0, page)), kRounding) << page;
    EXPECT_TRUE(at::equal(cache.values.select(0, page), expected_cache.values.select(0, page))) << page;
  }
  EXPECT_TRUE(cache.keys.select(0, 3).isnan().all().item<bool>());

  auto narrow = make_kv_pages(2, s, at::kBFloat16);
  narrow.keys.normal_();
  narrow.values.normal_();
  copy_page(narrow, 0, 1, 9, s);
  EXPECT_TRUE(at::equal(narrow.keys[0], narrow.keys[1]));
  EXPECT_TRUE(at::equal(narrow.values[0], narrow.values[1]));
}

TEST(DeviceOps, LogprobHead) {
  const auto targets = at::arange(13, at::kLong) * 4;
  for (const bool entropy : {false, true}) {
    expect_agreement(
        {normal_tensor({13, 20}, 1), normal_tensor({61, 20}, 2), normal_tensor({13}, 3), normal_tensor({13}, 4)},
        [&](Tensors& t) {
          HeadStatistics s;
          const HeadOptions options{0.8, 1 << 20};
          const auto logprob = score_targets(t[0], t[1], targets, options, entropy, s);
          auto dhead = at::ones({61, 20}, at::kFloat);
          const auto dhidden =
              score_targets_backward(t[2], entropy ? t[3] : at::Tensor(), t[0], t[1], targets, s, options, &dhead);
          Tensors all = {logprob, s.largest, s.log_sum, dhidden, dhead};
          if (entropy) all.push_back(s.entropy);
          return all;
        },
        1e-5);
  }
}

// Every combination of parameters, drawn and given tokens, damaged rows: the CPU's tokens with the CPU's numbers.
TEST(DeviceOps, SamplerDrawsTheTokensOfTheCpu) {
  const int64_t vocab = 301;
  std::vector<SamplingParams> params = {{1.0, 0, 1.0, 0.0},   {0.0, 0, 1.0, 0.0}, {0.6, 0, 1.0, 0.0},
                                        {1.0, 5, 1.0, 0.0},   {1.3, 0, 0.8, 0.0}, {1.0, 0, 1.0, 0.1},
                                        {0.9, 40, 0.7, 0.02}, {0.0, 5, 0.5, 0.0}, {1.0, 400, 1.0, 0.0},
                                        {1.0, 1, 1.0, 0.0},   {1.0, 0, 1e-9, 0.0}};
  std::vector<SampleRequest> requests;
  for (uint32_t i = 0; i < 40; ++i) {
    for (const auto& p : params) {
      requests.push_back({p, {3, 1, i, 2}, i + 5});
      if (i % 4 == 0) requests.back().given = static_cast<int32_t>(7 * i);
    }
  }
  auto logits = normal_tensor({static_cast<int64_t>(requests.size()), vocab}, 1, 2.0);
  logits = (logits * 4).round() / 4;  // many equal ones
  logits.index({3, 7}) = std::nan("");
  logits.index({4, 8}) = std::numeric_limits<float>::infinity();
  logits.index({5, 9}) = -std::numeric_limits<float>::infinity();
  logits.select(0, 6).fill_(-std::numeric_limits<float>::infinity());

  const ReferenceScope scope;
  const auto* ops = device_ops(logits);
  auto result = SampledRows::make(logits.size(0), /*want_entropy=*/true, at::TensorOptions());
  ops->sample(logits, ops->pack_requests(requests), result);
  result = result.on_host();
  SamplerScratch scratch;
  for (size_t i = 0; i < requests.size(); ++i) {
    const auto& r = requests[i];
    const auto at = static_cast<int64_t>(i);
    const float* row = logits[at].const_data_ptr<float>();
    const double u = uniform_draw(r.identity, DrawPurpose::sample_token, r.position);
    const auto expected = r.given >= 0 ? score_token(row, vocab, r.params, r.given, true, scratch)
                                       : sample_token(row, vocab, r.params, u, true, scratch);
    ASSERT_EQ(result.finite[at].item<uint8_t>() != 0, expected.finite) << i;
    if (!expected.finite) continue;
    ASSERT_EQ(result.ids[at].item<int64_t>(), expected.id) << i;
    const float logprob = result.logprob[at].item<float>();
    if (std::isinf(expected.logprob)) {
      EXPECT_EQ(logprob, expected.logprob) << i;
    } else {
      EXPECT_NEAR(logprob, expected.logprob, 1e-5) << i;
    }
    EXPECT_NEAR(result.entropy[at].item<float>(), expected.entropy, 1e-5) << i;
  }
}

TEST(Upload, ArraysArriveAndKeepTheirAddress) {
  Upload upload;
  const auto a = upload.add(std::vector<int64_t>{1, -2, 3}), b = upload.add(std::vector<int32_t>{7}),
             empty = upload.add(std::vector<int32_t>{}), c = upload.add(std::vector<int64_t>{4, 5, 6, 7});
  const auto check = [&] {
    EXPECT_TRUE(at::equal(upload.get(a, {3}, at::kLong), at::tensor({1, -2, 3}, at::kLong)));
    EXPECT_TRUE(at::equal(upload.get(b, {1}, at::kInt), at::tensor({7}, at::kInt)));
    EXPECT_EQ(upload.get(empty, {0}, at::kInt).numel(), 0);
    EXPECT_TRUE(at::equal(upload.get(c, {2, 2}, at::kLong), at::tensor({4, 5, 6, 7}, at::kLong).view({2, 2})));
  };
  upload.send(at::kCPU);
  check();
  const auto memory = at::zeros({upload.bytes() + 40}, at::kByte);
  upload.send(memory);
  check();
  EXPECT_EQ(upload.get(a, {3}, at::kLong).data_ptr(), memory.data_ptr());
}

}  // namespace
}  // namespace laconic::ops
