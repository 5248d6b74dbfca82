// Row kernels (norms, rotary, SwiGLU, softmax) against plain loops in double.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "tests/core/ops/kernel_tables.h"

namespace laconic::ops {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

double d(float x) {
  return static_cast<double>(x);
}

// Expects |got - expected| <= tolerance * (|expected| + scale).
void expect_close(float got, double expected, double tolerance, double scale, const char* what, int64_t i, int64_t n) {
  ASSERT_LE(std::abs(d(got) - expected), tolerance * (std::abs(expected) + scale)) << what << " " << i << " of " << n;
}

using RowKernel = EachTable;

TEST_P(RowKernel, DotAndScale) {
  Rng rng(DrawPurpose::procedural_data, {1});
  const GuardedMemory<float> a_memory(512), b_memory(512);
  for (const int64_t n : awkward_sizes()) {
    for (const int64_t gap : {0, 1}) {  // another alignment
      float* a = a_memory.last(n, gap);
      float* b = b_memory.last(n);
      fill_normal(a, n, rng);
      fill_normal(b, n, rng);
      double expected = 0, size = 0;
      for (int64_t i = 0; i < n; ++i) expected += d(a[i]) * d(b[i]), size += std::abs(d(a[i]) * d(b[i]));
      EXPECT_NEAR(d(table().dot(a, b, n)), expected, 1e-6 * size);
      const std::vector<float> old(a, a + n);
      if (gap == 1) a[n] = -7;
      table().scale_row(a, n, 1.7f);
      for (int64_t i = 0; i < n; ++i) EXPECT_EQ(a[i], old[static_cast<size_t>(i)] * 1.7f);
      if (gap == 1) {
        EXPECT_EQ(a[n], -7.0f) << "the element behind the row was written";
      }
    }
  }
}

// A row as the kernel computes it alone, for the comparison bit for bit.
std::vector<float> norm_of_one_row(const Kernels& k, NormArgs a, int64_t row) {
  std::vector<float> y(static_cast<size_t>(a.width));
  a.x += row * a.ldx;
  a.y = y.data();
  a.ldy = a.width;
  a.inverse_rms = nullptr;
  a.rows = 1;
  k.rms_norm(a);
  return y;
}

TEST_P(RowKernel, RmsNorm) {
  Rng rng(DrawPurpose::procedural_data, {2});
  const GuardedMemory<float> x_memory(1 << 13), w_memory(2048), y_memory(1 << 13), r_memory(64);
  for (int64_t width : {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 40, 65, 1000}) {
    for (const int64_t rows : {0, 1, 3}) {
      for (const bool in_place : {false, true}) {
        const int64_t stride = width + 1, size = rows > 0 ? (rows - 1) * stride + width : 0;
        float* x = x_memory.last(size);
        float* w = w_memory.last(width);
        fill_normal(x, size, rng);
        fill_normal(w, width, rng);
        const std::vector<float> old(x, x + size);
        NormArgs a{.x = x, .ldx = stride, .weight = w, .epsilon = 1e-3f, .rows = rows, .width = width};
        a.y = in_place ? x : y_memory.last(size);
        a.ldy = stride;
        a.inverse_rms = r_memory.last(rows);
        std::vector<std::vector<float>> alone;
        for (int64_t r = 0; r < rows; ++r) alone.push_back(norm_of_one_row(table(), a, r));
        table().rms_norm(a);
        for (int64_t r = 0; r < rows; ++r) {
          double squares = 0;
          for (int64_t i = 0; i < width; ++i) squares += std::pow(d(old[static_cast<size_t>(r * stride + i)]), 2);
          const double inverse = 1 / std::sqrt(squares / static_cast<double>(width) + d(1e-3f));
          expect_close(a.inverse_rms[r], inverse, 1e-6, 0, "inverse", r, rows);
          for (int64_t i = 0; i < width; ++i) {
            const double expected = d(old[static_cast<size_t>(r * stride + i)]) * inverse * d(w[i]);
            expect_close(a.y[r * stride + i], expected, 2e-6, 1e-6, "y", i, width);
          }
          EXPECT_EQ(std::memcmp(a.y + r * stride, alone[static_cast<size_t>(r)].data(),
                                sizeof(float) * static_cast<size_t>(width)),
                    0);
        }
      }
    }
  }
}

TEST_P(RowKernel, RmsNormBackward) {
  Rng rng(DrawPurpose::procedural_data, {3});
  const GuardedMemory<float> dy_memory(512), x_memory(512), w_memory(128), r_memory(4), dx_memory(512), dw_memory(128);
  for (const int64_t width : awkward_sizes()) {
    for (const bool add : {false, true}) {
      const int64_t rows = width == 0 ? 0 : 3, size = rows * width;
      float* dy = dy_memory.last(size);
      float* x = x_memory.last(size);
      float* w = w_memory.last(width);
      float* inverse = r_memory.last(rows);
      float* dx = dx_memory.last(size);
      float* dw = dw_memory.last(width);
      for (auto [p, n] : {std::pair{dy, size}, {x, size}, {w, width}, {dx, size}, {dw, width}}) fill_normal(p, n, rng);
      for (int64_t r = 0; r < rows; ++r) inverse[r] = 0.5f + static_cast<float>(rng.uniform());
      const std::vector<float> old_dx(dx, dx + size), old_dw(dw, dw + width);
      table().rms_norm_backward({dy, x, w, inverse, dx, dw, rows, width, add});
      std::vector<double> expected_dw(old_dw.begin(), old_dw.end());
      for (int64_t r = 0; r < rows; ++r) {
        const double inv = d(inverse[r]);
        double mean = 0;
        for (int64_t i = r * width; i < (r + 1) * width; ++i) mean += d(dy[i]) * d(w[i - r * width]) * d(x[i]);
        mean /= static_cast<double>(width);
        for (int64_t i = 0; i < width; ++i) {
          const int64_t at = r * width + i;
          double expected = inv * d(dy[at]) * d(w[i]) - d(x[at]) * inv * inv * inv * mean;
          if (add) expected += d(old_dx[static_cast<size_t>(at)]);
          expect_close(dx[at], expected, 2e-6, 3.0, "dx", i, width);
          expected_dw[static_cast<size_t>(i)] += d(dy[at]) * d(x[at]) * inv;
        }
      }
      for (int64_t i = 0; i < width; ++i)
        expect_close(dw[i], expected_dw[static_cast<size_t>(i)], 2e-6, 3.0, "dweight", i, width);
    }
  }
}

TEST_P(RowKernel, RotateAndBack) {
  Rng rng(DrawPurpose::procedural_data, {4});
  const GuardedMemory<float> x_memory(1024), t_memory(256);
  for (const int64_t dim : {2, 4, 6, 8, 10, 24, 30, 64, 66, 80, 128}) {
    for (const int64_t heads : {0, 1, 3}) {
      float* x = x_memory.last(heads * dim);
      float* t = t_memory.last(dim);
      fill_normal(x, heads * dim, rng);
      for (int64_t i = 0; i < dim / 2; ++i) {
        const double angle = 3 * rng.normal();
        t[i] = static_cast<float>(std::cos(angle));
        t[dim / 2 + i] = static_cast<float>(std::sin(angle));
      }
      const std::vector<float> old(x, x + heads * dim);
      table().rotate(x, heads, dim, t, 1.0f);
      for (int64_t h = 0; h < heads; ++h) {
        for (int64_t i = 0; i < dim / 2; ++i) {
          const double a = d(old[static_cast<size_t>(h * dim + i)]);
          const double b = d(old[static_cast<size_t>(h * dim + dim / 2 + i)]);
          expect_close(x[h * dim + i], a * d(t[i]) - b * d(t[dim / 2 + i]), 1e-6, 3.0, "first half", i, dim);
          expect_close(x[h * dim + dim / 2 + i], b * d(t[i]) + a * d(t[dim / 2 + i]), 1e-6, 3.0, "second half", i, dim);
        }
      }
      table().rotate(x, heads, dim, t, -1.0f);
      for (int64_t i = 0; i < heads * dim; ++i)
        expect_close(x[i], d(old[static_cast<size_t>(i)]), 1e-6, 3.0, "back", i, heads * dim);
    }
  }
}

TEST_P(RowKernel, SwigluAndItsGradient) {
  Rng rng(DrawPurpose::procedural_data, {5});
  const GuardedMemory<float> g_memory(512), o_memory(256), d_memory(256), a_memory(256);
  for (const int64_t width : awkward_sizes()) {
    const int64_t rows = 3;
    float* gate_up = g_memory.last(2 * rows * width);
    float* out = o_memory.last(rows * width);
    float* dout = d_memory.last(rows * width);
    float* again = a_memory.last(rows * width);
    fill_normal(gate_up, 2 * rows * width, rng);
    fill_normal(dout, rows * width, rng);
    for (int64_t r = 0; r < rows && width > 3; ++r) {  // where exp() meets its ends
      gate_up[r * 2 * width] = 90.0f;
      gate_up[r * 2 * width + 1] = -90.0f;
      gate_up[r * 2 * width + 2] = -1000.0f;
      gate_up[r * 2 * width + 3] = 1000.0f;
    }
    const std::vector<float> old(gate_up, gate_up + 2 * rows * width);
    table().swiglu(gate_up, out, rows, width);
    table().swiglu_backward(dout, gate_up, again, rows, width);
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t i = 0; i < width; ++i) {
        const double g = d(old[static_cast<size_t>(2 * r * width + i)]);
        const double u = d(old[static_cast<size_t>(2 * r * width + width + i)]);
        const double s = 1 / (1 + std::exp(-g)), dy = d(dout[r * width + i]);
        expect_close(out[r * width + i], g * s * u, 1e-6, 1e-6, "out", i, width);
        EXPECT_EQ(again[r * width + i], out[r * width + i]);
        expect_close(gate_up[2 * r * width + i], dy * u * s * (1 + g * (1 - s)), 2e-6, std::abs(dy * u), "dgate", i,
                     width);
        expect_close(gate_up[2 * r * width + width + i], dy * g * s, 2e-6, 1e-6, "dup", i, width);
      }
    }
  }
}

TEST_P(RowKernel, SoftmaxRows) {
  Rng rng(DrawPurpose::procedural_data, {6});
  const GuardedMemory<float> memory(256), other(256);
  for (int64_t valid = 1; valid <= 70; ++valid) {
    const int64_t padded = (valid + 31) / 32 * 32 + (valid % 2) * 32;
    float* s = memory.last(padded);
    fill_normal(s, valid, rng);
    for (int64_t i = 0; i < valid; ++i) s[i] *= 20;
    std::fill(s + valid, s + padded, kNan);  // what lies behind the valid scores is garbage
    const std::vector<float> old(s, s + valid);
    float top = 0, sum = 0;
    table().softmax_row(s, valid, padded, 0.3f, &top, &sum);
    double largest = -1e30, total = 0;
    for (float x : old) largest = std::max(largest, d(x * 0.3f));
    for (float x : old) total += std::exp(d(x * 0.3f) - largest);
    EXPECT_EQ(d(top), largest);
    expect_close(sum, total, 1e-6, 0, "sum", 0, valid);
    for (int64_t i = 0; i < padded; ++i) {
      const double expected = i < valid ? std::exp(d(old[static_cast<size_t>(i)] * 0.3f) - largest) : 0.0;
      expect_close(s[i], expected, i < valid ? 5e-6 : 0.0, 1e-30, "numerator", i, valid);
    }
    // A longer padding changes no bit of the row.
    float* again = other.last(valid + 96);
    std::copy(old.begin(), old.end(), again);
    float top_again = 0, sum_again = 0;
    table().softmax_row(again, valid, (valid + 31) / 32 * 32, 0.3f, &top_again, &sum_again);
    EXPECT_EQ(std::memcmp(s, again, sizeof(float) * static_cast<size_t>(valid)), 0);
    EXPECT_EQ(sum, sum_again);

    std::copy(old.begin(), old.end(), s);
    std::fill(s + valid, s + padded, kNan);
    const auto log_sum = static_cast<float>(largest + std::log(total));
    table().softmax_again(s, valid, padded, 0.3f, log_sum);
    for (int64_t i = 0; i < padded; ++i) {
      const double expected = i < valid ? std::exp(d(old[static_cast<size_t>(i)] * 0.3f) - d(log_sum)) : 0.0;
      expect_close(s[i], expected, i < valid ? 5e-6 : 0.0, 1e-30, "probability", i, valid);
    }
  }
}

TEST_P(RowKernel, SoftmaxOfHostileScores) {
  const float inf = std::numeric_limits<float>::infinity();
  std::vector<float> s(32);
  const auto run = [&](std::vector<float> head) {
    std::copy(head.begin(), head.end(), s.begin());
    float top = 0, sum = 0;
    table().softmax_row(s.data(), static_cast<int64_t>(head.size()), 32, 1.0f, &top, &sum);
    return sum;
  };
  EXPECT_EQ(run({5.0f, -inf, 5.0f}), 2.0f);  // minus infinity has no share
  EXPECT_EQ(s[1], 0.0f);
  EXPECT_EQ(run({3e38f, -3e38f}), 1.0f);
  EXPECT_TRUE(std::isnan(run({1.0f, kNan, 2.0f})));  // damage is not hidden
  EXPECT_TRUE(std::isnan(run({1.0f, inf})));
}

TEST_P(RowKernel, SoftmaxBackward) {
  Rng rng(DrawPurpose::procedural_data, {7});
  const GuardedMemory<float> p_memory(128), dp_memory(128);
  for (const int64_t n : awkward_sizes()) {
    float* p = p_memory.last(n);
    float* dp = dp_memory.last(n);
    fill_normal(p, n, rng);
    fill_normal(dp, n, rng);
    const std::vector<float> old(dp, dp + n);
    table().softmax_backward(p, dp, n, 0.4f, 0.25f);
    for (int64_t i = 0; i < n; ++i) {
      const double expected = d(p[i]) * (d(old[static_cast<size_t>(i)]) - d(0.4f)) * 0.25;
      expect_close(dp[i], expected, 1e-6, 1.0, "ds", i, n);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Tables, RowKernel, testing::ValuesIn(runnable_kernels()), table_name);

}  // namespace
}  // namespace laconic::ops
