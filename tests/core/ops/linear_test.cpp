#include "laconic/core/ops/linear.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "tests/core/ops/threads.h"
#include "tests/support/error_of.h"
#include "tests/support/tensors.h"

namespace laconic::ops {
namespace {

TEST(Linear, IsTheProductOfTheReference) {
  uint64_t seed = 0;
  for (const int64_t m : {0, 1, 5, 130, 300}) {
    for (const int64_t n : {1, 26, 100}) {
      for (const int64_t k : {1, 33, 128}) {
        for (const auto dtype : {at::kFloat, at::kBFloat16}) {
          const auto x = normal_tensor({m, k}, ++seed), w = normal_tensor({n, k}, ++seed).to(dtype);
          const auto bias = normal_tensor({n}, ++seed).to(dtype);
          const auto expected = at::linear(x.to(at::kDouble), w.to(at::kDouble), bias.to(at::kDouble));
          EXPECT_LT(relative_difference(ops::linear(x, w, bias), expected), 3e-6) << m << " " << n << " " << k;
          EXPECT_LT(relative_difference(ops::linear(x, w, {}), expected - bias.to(at::kDouble)), 3e-6);
          auto y = normal_tensor({m, n}, ++seed);
          const auto before = y.clone();
          linear_into(x, w, bias, y, /*add=*/true);
          EXPECT_LT(relative_difference(y, expected + before.to(at::kDouble)), 3e-6);
        }
      }
    }
  }
}

TEST(Linear, StridedRows) {
  const auto wide = normal_tensor({40, 90}, 1), w = normal_tensor({20, 30}, 2);
  const auto x = wide.narrow(1, 17, 30);
  auto result = at::zeros({40, 50});
  auto y = result.narrow(1, 11, 20);
  linear_into(x, w, {}, y);
  EXPECT_TRUE(at::equal(y, ops::linear(x.contiguous(), w, {})));
  EXPECT_EQ(result.narrow(1, 0, 11).abs().sum().item<double>(), 0.0);
  EXPECT_EQ(result.narrow(1, 31, 19).abs().sum().item<double>(), 0.0);
}

TEST(Linear, RowsDoNotDependOnTheBatchOrTheThreads) {
  const auto x = normal_tensor({400, 96}, 1), w = normal_tensor({310, 96}, 2), bias = normal_tensor({310}, 3);
  expect_same_for_any_thread_count([&] {
    std::vector<at::Tensor> parts = {ops::linear(x, w, bias)};
    for (const int64_t rows : {1, 2, 3, 5, 100, 129, 400})
      EXPECT_TRUE(at::equal(ops::linear(x.narrow(0, 0, rows), w, bias), parts[0].narrow(0, 0, rows))) << rows;
    return parts;
  });
}

TEST(Linear, GradientsAgreeWithAutograd) {
  for (const auto dtype : {at::kFloat, at::kBFloat16}) {
    for (const int64_t m : {1, 7, 600}) {
      const auto x = normal_tensor({m, 50}, 1), w = normal_tensor({530, 50}, 2).to(dtype),
                 dy = normal_tensor({m, 530}, 3);
      const auto xd = double_leaf(x), wd = double_leaf(w), bd = double_leaf(at::zeros({530}));
      torch::autograd::backward({at::linear(xd, wd, bd)}, {dy.to(at::kDouble)});
      EXPECT_LT(relative_difference(linear_input_gradient(dy, w), xd.grad()), 3e-6);
      // Accumulation: gradients are added to what is there.
      auto dx = at::ones_like(x), dw = at::ones({530, 50}), dbias = at::ones({530});
      add_linear_input_gradient(dy, w, dx);
      add_linear_weight_gradient(dy, x, dw, &dbias);
      EXPECT_LT(relative_difference(dx - 1, xd.grad()), 5e-6);
      EXPECT_LT(relative_difference(dw - 1, wd.grad()), 5e-6);
      EXPECT_LT(relative_difference(dbias - 1, bd.grad()), 5e-6);
    }
  }
}

TEST(Linear, GradientsDoNotDependOnTheThreads) {
  const auto x = normal_tensor({700, 40}, 1), w = normal_tensor({600, 40}, 2), dy = normal_tensor({700, 600}, 3);
  expect_same_for_any_thread_count([&] {
    auto dw = at::zeros_like(w), dbias = at::zeros({600});
    add_linear_weight_gradient(dy, x, dw, &dbias);
    return std::vector<at::Tensor>{linear_input_gradient(dy, w), dw, dbias};
  });
}

TEST(Linear, ShapesAndDtypesThatDoNotFitAreErrors) {
  const auto x = normal_tensor({4, 6}, 1), w = normal_tensor({5, 6}, 2);
  auto y = at::zeros({4, 5}), wrong = at::zeros({4, 4});
  EXPECT_NE(error_of([&] { ops::linear(normal_tensor({4, 7}, 3), w, {}); }), "");
  EXPECT_NE(error_of([&] { linear_into(x, w, {}, wrong); }), "");
  EXPECT_NE(error_of([&] { ops::linear(x.to(at::kBFloat16), w, {}); }), "");
  EXPECT_NE(error_of([&] { ops::linear(x, w.to(at::kDouble), {}); }), "");
  EXPECT_NE(error_of([&] { ops::linear(x.t(), normal_tensor({5, 4}, 4), {}); }), "") << "columns of x are strided";
  EXPECT_NE(error_of([&] { ops::linear(x, w, normal_tensor({3}, 5)); }), "") << "a bias of another size";
  EXPECT_EQ(error_of([&] { linear_into(x, w, {}, y); }), "");
}

TEST(GradientOf, IsMadeOnceInF32) {
  const auto p = at::zeros({3}, at::kBFloat16).requires_grad_(true);
  gradient_of(p).add_(1);
  gradient_of(p).add_(1);
  EXPECT_EQ(p.grad().scalar_type(), at::kFloat);
  EXPECT_EQ(p.grad().sum().item<double>(), 6.0);
}

}  // namespace
}  // namespace laconic::ops
