// Norm and activation kernels against the CPU kernels.
#include <gtest/gtest.h>

#include "laconic/core/ops/kernels.h"
#include "laconic/cuda/kernels/kernels.h"
#include "tests/cuda/device.h"
#include "tests/cuda/values.h"

namespace laconic::cuda {
namespace {

// Widths below, at and above vectors, warps and blocks.
constexpr int64_t kWidths[] = {1, 2, 7, 8, 31, 32, 33, 64, 100, 128, 896, 1000, 1024, 1032, 5000, 8192, 8200};

template <typename T>
class RowKernels : public testing::Test {};
using Elements = testing::Types<float, Bf16>;
TYPED_TEST_SUITE(RowKernels, Elements);

std::vector<float> norm_reference(const std::vector<float>& x, const std::vector<float>& weight, int64_t rows,
                                  std::vector<float>& inverse) {
  const auto width = static_cast<int64_t>(weight.size());
  std::vector<float> y(x.size());
  inverse.resize(static_cast<size_t>(rows));
  ops::kernels().rms_norm({.x = x.data(),
                           .ldx = width,
                           .weight = weight.data(),
                           .epsilon = 1e-5f,
                           .y = y.data(),
                           .ldy = width,
                           .inverse_rms = inverse.data(),
                           .rows = rows,
                           .width = width});
  return y;
}

TYPED_TEST(RowKernels, AddNorm) {
  using T = TypeParam;
  for (const int64_t rows : {0, 1, 3}) {
    for (const int64_t width : kWidths) {
      for (const bool adds : {false, true}) {
        const auto residual = element_values<T>(rows * width, 1), delta = element_values<T>(rows * width, 2);
        const auto weight = element_values<T>(width, 3);
        std::vector<float> sum = residual, expected_inverse;
        for (size_t i = 0; adds && i < sum.size(); ++i) sum[i] = to_float(rounded<T>(residual[i] + delta[i]));
        const auto expected = norm_reference(sum, weight, rows, expected_inverse);
        std::vector<float> first;
        for_each_run([&] {
          DeviceArray<T> d(as_elements<T>(delta)), r(as_elements<T>(residual)), w(as_elements<T>(weight));
          DeviceArray<T> y(residual.size());
          DeviceArray<float> inverse(static_cast<size_t>(rows));
          launch(AddNormArgs{.element = element_of<T>(),
                             .delta = adds ? d.data() : nullptr,
                             .residual = r.data(),
                             .weight = w.data(),
                             .y = y.data(),
                             .inverse_rms = inverse.data(),
                             .epsilon = 1e-5f,
                             .rows = rows,
                             .width = width},
                 nullptr);
          const auto found = as_floats(y.values());
          EXPECT_EQ(as_floats(r.values()), sum) << rows << " x " << width;
          EXPECT_LT(worst_difference(found, expected), rounding<T>()) << rows << " x " << width;
          EXPECT_LT(worst_difference(inverse.values(), expected_inverse), 3e-6);
          if (first.empty()) first = found;
          EXPECT_EQ(found, first) << "depends on the order of the threads";
        });
      }
    }
  }
}

// The result may take the place of what was added.
TYPED_TEST(RowKernels, AddNormInPlaceOfDelta) {
  using T = TypeParam;
  const int64_t rows = 3, width = 100;
  const auto residual = element_values<T>(rows * width, 1), delta = element_values<T>(rows * width, 2);
  DeviceArray<T> d(as_elements<T>(delta)), r(as_elements<T>(residual)), again(as_elements<T>(residual));
  DeviceArray<T> w(as_elements<T>(element_values<T>(width, 3))), y(residual.size());
  AddNormArgs args{.element = element_of<T>(),
                   .delta = d.data(),
                   .residual = r.data(),
                   .weight = w.data(),
                   .y = y.data(),
                   .epsilon = 1e-6f,
                   .rows = rows,
                   .width = width};
  launch(args, nullptr);
  args.residual = again.data();
  args.y = d.data();
  launch(args, nullptr);
  EXPECT_EQ(as_floats(d.values()), as_floats(y.values()));
}

TYPED_TEST(RowKernels, NormGradient) {
  using T = TypeParam;
  for (const int64_t rows : {0, 1, 15, 16, 17, 40}) {
    for (const int64_t width : {1, 7, 8, 33, 100, 896, 1032, 5000}) {
      if (rows == 40 && width > 1000) continue;
      const auto x = element_values<T>(rows * width, 1), dy = element_values<T>(rows * width, 2);
      const auto weight = element_values<T>(width, 3), before = element_values<T>(rows * width, 4);
      std::vector<float> inverse;
      norm_reference(x, weight, rows, inverse);
      for (const bool add : {false, true}) {
        std::vector<float> expected = before, expected_weight(static_cast<size_t>(width));
        ops::kernels().rms_norm_backward({.dy = dy.data(),
                                          .x = x.data(),
                                          .weight = weight.data(),
                                          .inverse_rms = inverse.data(),
                                          .dx = expected.data(),
                                          .dweight = expected_weight.data(),
                                          .rows = rows,
                                          .width = width,
                                          .add = add});
        const int64_t pieces = ceil_div(rows, kNormPieceRows);
        std::vector<float> first;
        for_each_run([&] {
          DeviceArray<T> d(as_elements<T>(dy)), v(as_elements<T>(x)), w(as_elements<T>(weight));
          DeviceArray<T> dx(as_elements<T>(before));
          DeviceArray<float> inverse_rms(inverse), sums(static_cast<size_t>(pieces * width), NAN);
          launch(NormGradientArgs{.element = element_of<T>(),
                                  .dy = d.data(),
                                  .x = v.data(),
                                  .weight = w.data(),
                                  .inverse_rms = inverse_rms.data(),
                                  .dx = dx.data(),
                                  .dweight = sums.data(),
                                  .add = add,
                                  .rows = rows,
                                  .width = width},
                 nullptr);
          const auto found = as_floats(dx.values());
          EXPECT_LT(worst_difference(found, expected), 4 * rounding<T>()) << rows << " x " << width;
          std::vector<float> found_weight(static_cast<size_t>(width));
          const auto parts = sums.values();
          for (size_t i = 0; i < parts.size(); ++i) found_weight[i % static_cast<size_t>(width)] += parts[i];
          EXPECT_LT(worst_difference(found_weight, expected_weight), 2e-5) << rows << " x " << width;
          if (first.empty()) first = found;
          EXPECT_EQ(found, first) << "depends on the order of the threads";
        });
      }
    }
  }
}

TYPED_TEST(RowKernels, Swiglu) {
  using T = TypeParam;
  for (const int64_t rows : {0, 1, 5}) {
    for (const int64_t width : kWidths) {
      auto gate_up = element_values<T>(rows * 2 * width, 1, 4.0);
      const auto dout = element_values<T>(rows * width, 2);
      if (!gate_up.empty()) gate_up.front() = -120.0f;  // e^120 is infinite in f32
      std::vector<float> expected(dout.size()), gradient = gate_up, activation(dout.size());
      ops::kernels().swiglu(gate_up.data(), expected.data(), rows, width);
      ops::kernels().swiglu_backward(dout.data(), gradient.data(), activation.data(), rows, width);
      for_each_run([&] {
        DeviceArray<T> in(as_elements<T>(gate_up)), out(dout.size()), d(as_elements<T>(dout)), again(dout.size());
        launch(SwigluArgs{element_of<T>(), in.data(), out.data(), rows, width}, nullptr);
        EXPECT_LT(worst_difference(as_floats(out.values()), expected), rounding<T>()) << rows << " x " << width;
        EXPECT_EQ(as_floats(in.values()), gate_up);
        launch(SwigluBackwardArgs{element_of<T>(), d.data(), in.data(), again.data(), rows, width}, nullptr);
        EXPECT_EQ(as_floats(again.values()), as_floats(out.values()));
        EXPECT_LT(worst_difference(as_floats(in.values()), gradient), rounding<T>()) << rows << " x " << width;
      });
    }
  }
}

}  // namespace
}  // namespace laconic::cuda
