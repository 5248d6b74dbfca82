// The row-wise operations as tensors: against ATen, their gradients against autograd in double, and thread counts.
#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "laconic/core/ops/norm.h"
#include "laconic/core/ops/rotary.h"
#include "laconic/core/ops/swiglu.h"
#include "tests/core/ops/threads.h"
#include "tests/support/error_of.h"
#include "tests/support/tensors.h"

namespace laconic::ops {
namespace {

at::Tensor norm_reference(const at::Tensor& x, const at::Tensor& weight, double epsilon) {
  return x * (x.square().mean(-1, true) + epsilon).rsqrt() * weight;
}

TEST(RmsNorm, ForwardAndBackward) {
  for (const int64_t rows : {0, 1, 5, 127, 128, 300}) {
    for (const int64_t width : {1, 10, 64, 100}) {
      for (const auto dtype : {at::kFloat, at::kBFloat16}) {
        const auto x = normal_tensor({rows, width}, 1), weight = normal_tensor({width}, 2).to(dtype);
        const auto dy = normal_tensor({rows, width}, 3);
        const auto xd = double_leaf(x), wd = double_leaf(weight);
        const auto expected = norm_reference(xd, wd, 1e-5);
        torch::autograd::backward({expected}, {dy.to(at::kDouble)});
        auto y = at::empty_like(x), inverse = at::empty({rows});
        rms_norm_into(x, weight, 1e-5, y, &inverse);
        EXPECT_LT(relative_difference(y, expected), 2e-6);
        auto dx = at::ones_like(x), added = at::ones_like(x), dweight = at::ones({width});
        rms_norm_backward(dy, x, weight, inverse, dx, /*add=*/false, dweight);
        rms_norm_backward(dy, x, weight, inverse, added, /*add=*/true, dweight);
        EXPECT_LT(relative_difference(dx, xd.grad(), 1e-2), 1e-5) << rows << " x " << width;
        EXPECT_LT(relative_difference(added - 1, xd.grad(), 1e-2), 1e-5);
        EXPECT_LT(relative_difference((dweight - 1) / 2, wd.grad(), 1e-2), 1e-5) << "two backward passes add up";
      }
    }
  }
}

TEST(RmsNorm, StridedInPlaceAndThreads) {
  const auto wide = normal_tensor({300, 50}, 1), weight = normal_tensor({20}, 2), dy = normal_tensor({300, 20}, 3);
  const auto x = wide.narrow(1, 7, 20);
  expect_same_for_any_thread_count([&] {
    auto y = at::empty({300, 20}), inverse = at::empty({300});
    rms_norm_into(x, weight, 1e-6, y, &inverse);
    auto in_place = x.clone();
    rms_norm_into(in_place, weight, 1e-6, in_place);
    EXPECT_TRUE(at::equal(in_place, y));
    auto dx = at::empty({300, 20}), dweight = at::zeros({20});
    rms_norm_backward(dy, x.contiguous(), weight, inverse, dx, false, dweight);
    return std::vector<at::Tensor>{y, inverse, dx, dweight};
  });
  auto y = at::empty({300, 20});
  EXPECT_NE(error_of([&] { rms_norm_into(x, normal_tensor({21}, 4), 1e-6, y); }), "");
}

struct RotaryCase {
  HeadShape shape;
  bool norms;
};

class Rotary : public testing::TestWithParam<RotaryCase> {
 protected:
  HeadShape shape_ = GetParam().shape;
  int64_t tokens_ = 70;
  at::Tensor qkv_ = normal_tensor({tokens_, shape_.qkv_width()}, 1);
  Rotation rotation_ = make_rotation();

  Rotation make_rotation() const {
    Rotation r;
    const auto angles = normal_tensor({101, shape_.head_dim / 2}, 2, 2.0).to(at::kDouble);
    r.table = at::cat({angles.cos(), angles.sin()}, 1).to(at::kFloat);
    r.positions = (at::arange(tokens_, at::kLong) * 7) % 101;
    r.norm_epsilon = 1e-6;
    if (GetParam().norms) {
      r.q_norm = normal_tensor({shape_.head_dim}, 3);
      r.k_norm = normal_tensor({shape_.head_dim}, 4).to(at::kBFloat16);
    }
    return r;
  }

  // ATen in double, with the formula of the paper: pairs (i, i + head_dim / 2) turn by the angle.
  at::Tensor reference(const at::Tensor& qkv, const at::Tensor& q_norm, const at::Tensor& k_norm) const {
    const auto& s = shape_;
    const auto rows = rotation_.table.index_select(0, rotation_.positions).to(at::kDouble).unsqueeze(1);
    const auto cosine = rows.narrow(2, 0, s.head_dim / 2), sine = rows.narrow(2, s.head_dim / 2, s.head_dim / 2);
    const auto turn = [&](at::Tensor x, const at::Tensor& weight) {
      if (weight.defined()) x = norm_reference(x, weight, rotation_.norm_epsilon);
      const auto half = x.chunk(2, -1);
      return at::cat({half[0] * cosine - half[1] * sine, half[1] * cosine + half[0] * sine}, -1);
    };
    const auto heads = qkv.view({qkv.size(0), -1, s.head_dim});
    return at::cat({turn(heads.narrow(1, 0, s.heads), q_norm), turn(heads.narrow(1, s.heads, s.kv_heads), k_norm),
                    heads.narrow(1, s.heads + s.kv_heads, s.kv_heads)},
                   1)
        .reshape({qkv.size(0), -1});
  }
};

TEST_P(Rotary, ForwardAndBackward) {
  const auto dout = normal_tensor(qkv_.sizes(), 5);
  const auto qkv = double_leaf(qkv_);
  at::Tensor q_norm, k_norm;
  if (GetParam().norms) q_norm = double_leaf(rotation_.q_norm), k_norm = double_leaf(rotation_.k_norm);
  const auto expected = reference(qkv, q_norm, k_norm);
  torch::autograd::backward({expected}, {dout.to(at::kDouble)});

  auto out = at::empty_like(qkv_);
  rotate_into(qkv_, shape_, rotation_, out);
  EXPECT_LT(relative_difference(out, expected), 2e-6);
  auto in_place = qkv_.clone();
  rotate_into(in_place, shape_, rotation_, in_place);
  EXPECT_TRUE(at::equal(in_place, out));

  auto gradient = dout.clone(), dq_norm = at::ones({shape_.head_dim}), dk_norm = at::ones({shape_.head_dim});
  rotate_backward_(gradient, qkv_, shape_, rotation_, &dq_norm, &dk_norm);
  EXPECT_LT(relative_difference(gradient, qkv.grad()), 5e-6);
  if (GetParam().norms) {
    EXPECT_LT(relative_difference(dq_norm - 1, q_norm.grad()), 1e-5);
    EXPECT_LT(relative_difference(dk_norm - 1, k_norm.grad()), 1e-5);
  }
}

TEST_P(Rotary, ThreadsChangeNoBit) {
  expect_same_for_any_thread_count([&] {
    auto out = at::empty_like(qkv_), gradient = qkv_.clone();
    auto dq_norm = at::zeros({shape_.head_dim}), dk_norm = at::zeros({shape_.head_dim});
    rotate_into(qkv_, shape_, rotation_, out);
    rotate_backward_(gradient, qkv_, shape_, rotation_, &dq_norm, &dk_norm);
    return std::vector<at::Tensor>{out, gradient, dq_norm, dk_norm};
  });
}

INSTANTIATE_TEST_SUITE_P(Shapes, Rotary,
                         testing::Values(RotaryCase{{1, 1, 2}, false}, RotaryCase{{4, 2, 8}, false},
                                         RotaryCase{{14, 2, 64}, false}, RotaryCase{{3, 3, 80}, true},
                                         RotaryCase{{6, 2, 24}, true}, RotaryCase{{7, 1, 10}, true}),
                         [](const auto& test) {
                           const auto& s = test.param.shape;
                           return fmt::format("q{}_kv{}_d{}{}", s.heads, s.kv_heads, s.head_dim,
                                              test.param.norms ? "_norms" : "");
                         });

TEST(Swiglu, ForwardBackwardAndThreads) {
  for (const int64_t rows : {0, 1, 3, 500}) {
    for (const int64_t width : {1, 7, 40, 20000}) {
      if (rows * width > 100'000) continue;
      const auto gate_up = normal_tensor({rows, 2 * width}, 1, 3.0), dout = normal_tensor({rows, width}, 2);
      const auto leaf = double_leaf(gate_up);
      const auto halves = leaf.chunk(2, 1);
      const auto expected = at::silu(halves[0]) * halves[1];
      torch::autograd::backward({expected}, {dout.to(at::kDouble)});
      expect_same_for_any_thread_count([&] {
        auto out = at::empty({rows, width}), gradient = gate_up.clone();
        swiglu_into(gate_up, out);
        const auto again = swiglu_backward_(dout, gradient);
        EXPECT_TRUE(at::equal(again, out));
        EXPECT_LT(relative_difference(out, expected), 2e-6);
        EXPECT_LT(relative_difference(gradient, leaf.grad()), 3e-6);
        return std::vector<at::Tensor>{out, gradient};
      });
    }
  }
  auto out = at::empty({2, 3});
  EXPECT_NE(error_of([&] { swiglu_into(at::zeros({2, 7}), out); }), "");
}

}  // namespace
}  // namespace laconic::ops
