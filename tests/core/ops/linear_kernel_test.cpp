// Matrix kernels against plain loops in double, at every size around the tiles, with nothing readable behind any array.
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstring>
#include <vector>

#include "tests/core/ops/kernel_tables.h"

namespace laconic::ops {
namespace {

uint16_t to_bf16(float x) {
  uint32_t bits = 0;
  std::memcpy(&bits, &x, sizeof bits);
  return static_cast<uint16_t>(bits >> 16);  // truncated: the tests only need some bf16 value
}

float from_bf16(uint16_t x) {
  const uint32_t bits = static_cast<uint32_t>(x) << 16;
  float value = 0;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

// Arrays of one linear layer, each ending at a protected page.
class LinearCase {
 public:
  explicit LinearCase(int64_t capacity) : x_(capacity), w_(capacity), b_(capacity), y_(capacity), w16_(capacity) {}

  LinearArgs make(int64_t m, int64_t n, int64_t k, int64_t extra, bool bf16, bool bias, bool add) {
    const auto span = [](int64_t rows, int64_t stride, int64_t width) {
      return rows > 0 && width > 0 ? (rows - 1) * stride + width : 0;
    };
    LinearArgs a;
    a.m = m, a.n = n, a.k = k;
    a.ldx = k + extra, a.ldy = n + extra;
    a.add = add;
    a.w_bf16 = bf16;
    float* x = x_.last(span(m, a.ldx, k));
    fill_normal(x, span(m, a.ldx, k), rng_);
    a.x = x;
    if (bf16) {
      uint16_t* w = w16_.last(n * k);
      for (int64_t i = 0; i < n * k; ++i) w[i] = to_bf16(static_cast<float>(rng_.normal()));
      a.w = w;
    } else {
      float* w = w_.last(n * k);
      fill_normal(w, n * k, rng_);
      a.w = w;
    }
    if (bias) {
      float* b = b_.last(n);
      fill_normal(b, n, rng_);
      a.bias = b;
    }
    a.y = y_.last(span(m, a.ldy, n));
    fill_normal(a.y, span(m, a.ldy, n), rng_);
    old_.assign(a.y, a.y + span(m, a.ldy, n));
    return a;
  }

  const std::vector<float>& old() const { return old_; }

 private:
  GuardedMemory<float> x_, w_, b_, y_;
  GuardedMemory<uint16_t> w16_;
  std::vector<float> old_;
  Rng rng_{DrawPurpose::procedural_data, {1}};
};

double weight(const LinearArgs& a, int64_t i) {
  return static_cast<double>(a.w_bf16 ? from_bf16(static_cast<const uint16_t*>(a.w)[i])
                                      : static_cast<const float*>(a.w)[i]);
}

// Empty where right; else what is wrong. Elements between the rows of y must be untouched.
std::string check_linear(const LinearArgs& a, const std::vector<float>& old, double tolerance) {
  for (int64_t r = 0; r < a.m; ++r) {
    for (int64_t c = 0; c < (r + 1 < a.m ? a.ldy : a.n); ++c) {
      const auto at = static_cast<size_t>(r * a.ldy + c);
      const double before = a.n > 0 ? static_cast<double>(old[at]) : 0;
      double expected = c < a.n && !a.add ? 0 : before, size = std::abs(before);
      if (c < a.n) {
        if (a.bias != nullptr) expected += static_cast<double>(a.bias[c]), size += std::abs(expected);
        for (int64_t i = 0; i < a.k; ++i) {
          const double product = static_cast<double>(a.x[r * a.ldx + i]) * weight(a, c * a.k + i);
          expected += product, size += std::abs(product);
        }
      }
      const double got = static_cast<double>(a.y[at]);
      if (!(std::abs(got - expected) <= (c < a.n ? tolerance * size : 0.0))) {
        return "row " + std::to_string(r) + ", column " + std::to_string(c) + ": expected " + std::to_string(expected) +
               ", found " + std::to_string(got);
      }
    }
  }
  return "";
}

using LinearKernel = EachTable;

TEST_P(LinearKernel, EveryTileAndTail) {
  LinearCase memory(1 << 13);
  for (const int64_t m : {0, 1, 2, 3, 4, 5, 6, 7, 8, 11, 13}) {
    for (const int64_t n : {0, 1, 2, 3, 4, 5, 7, 8, 9, 23}) {
      for (const int64_t k : awkward_sizes()) {
        for (int variant = 0; variant < 8; ++variant) {
          const bool bf16 = (variant & 1) != 0, bias = (variant & 2) != 0, add = (variant & 4) != 0;
          const int64_t extra = (m + n + k + variant) % 3;  // strides of some cases
          if (n == 0 && extra > 0) continue;
          const auto args = memory.make(m, n, k, extra, bf16, bias, add);
          table().linear(args);
          ASSERT_EQ(check_linear(args, memory.old(), 2e-6), "")
              << "m " << m << ", n " << n << ", k " << k << ", bf16 " << bf16 << ", bias " << bias << ", add " << add;
        }
      }
    }
  }
}

// More rows and weights than one block of the caches, and long sums.
TEST_P(LinearKernel, SeveralBlocksOfWeightsAndRows) {
  LinearCase memory(1 << 17);
  const std::vector<std::array<int64_t, 3>> shapes = {{1, 101, 1031}, {7, 101, 1031}, {80, 101, 1031}, {1, 203, 512},
                                                      {5, 203, 512},  {80, 203, 509}, {150, 260, 401}, {2, 5, 9001}};
  for (const auto& [m, n, k] : shapes) {
    for (const bool bf16 : {false, true}) {
      const auto args = memory.make(m, n, k, 1, bf16, true, false);
      table().linear(args);
      EXPECT_EQ(check_linear(args, memory.old(), 1e-5), "") << m << " x " << n << " x " << k;
      auto one = args;
      std::vector<float> alone(static_cast<size_t>(n));
      one.x += (m - 1) * one.ldx;
      one.y = alone.data();
      one.m = 1;
      table().linear(one);
      EXPECT_EQ(std::memcmp(alone.data(), args.y + (m - 1) * args.ldy, sizeof(float) * alone.size()), 0);
    }
  }
}

// The promise that sampling and training rest on: a row does not know the rows around it, nor a column its neighbours.
TEST_P(LinearKernel, ARowAloneIsTheRowInAnyBatch) {
  LinearCase memory(1 << 14);
  for (const int64_t k_size : {1, 5, 8, 16, 33, 64, 77}) {
    for (int variant = 0; variant < 4; ++variant) {
      const int64_t m = 13, n = 27;
      auto batch = memory.make(m, n, k_size, 0, (variant & 1) != 0, (variant & 2) != 0, false);
      table().linear(batch);
      const std::vector<float> all(batch.y, batch.y + m * n);
      std::vector<float> part(static_cast<size_t>(m * n));
      for (int64_t begin = 0; begin < m; ++begin) {
        for (int64_t rows = 1; begin + rows <= m; ++rows) {
          LinearArgs some = batch;
          some.x += begin * some.ldx;
          some.y = part.data();
          some.m = rows;
          table().linear(some);
          ASSERT_EQ(std::memcmp(part.data(), all.data() + begin * n, sizeof(float) * static_cast<size_t>(rows * n)), 0)
              << "rows " << begin << " to " << begin + rows << ", k " << k_size;
        }
      }
      for (int64_t begin = 0; begin < n; begin += 3) {
        LinearArgs some = batch;
        some.w = static_cast<const char*>(batch.w) + begin * k_size * (batch.w_bf16 ? 2 : 4);
        if (some.bias != nullptr) some.bias += begin;
        some.y = part.data() + begin;
        some.n = std::min<int64_t>(5, n - begin);
        table().linear(some);
        for (int64_t r = 0; r < m; ++r) {
          ASSERT_EQ(std::memcmp(part.data() + r * n + begin, all.data() + r * n + begin,
                                sizeof(float) * static_cast<size_t>(some.n)),
                    0)
              << "columns from " << begin;
        }
      }
    }
  }
}

struct SmallMemory {
  GuardedMemory<float> a{1 << 14}, b{1 << 14}, c{1 << 14};
};

struct SmallCase {
  SmallGemmArgs args;
  std::vector<float> old;
};

// A as rows (a_step 1) or as columns (a_row 1).
SmallCase small_case(int64_t m, int64_t n, int64_t k, bool columns, bool add, Rng& rng, const SmallMemory& memory) {
  const int64_t extra = (m + n + k) % 3;
  SmallCase c;
  c.args = {.ldb = n + extra, .ldc = n + extra, .m = m, .n = n, .k = k, .add = add};
  c.args.a_row = columns ? 1 : k + extra;
  c.args.a_step = columns ? m + extra : 1;
  const auto last = [](int64_t rows, int64_t stride, int64_t width) {
    return rows > 0 && width > 0 ? (rows - 1) * stride + width : 0;
  };
  const int64_t a = columns ? last(k, c.args.a_step, m) : last(m, c.args.a_row, k);
  const int64_t b = last(k, c.args.ldb, n), y = last(m, c.args.ldc, n);
  float* a_data = memory.a.last(a);
  float* b_data = memory.b.last(b);
  fill_normal(a_data, a, rng);
  fill_normal(b_data, b, rng);
  c.args.a = a_data;
  c.args.b = b_data;
  c.args.c = memory.c.last(y);
  fill_normal(c.args.c, y, rng);
  c.old.assign(c.args.c, c.args.c + y);
  return c;
}

void expect_product(const SmallCase& c) {
  const auto& g = c.args;
  for (int64_t r = 0; r < g.m && g.n > 0; ++r) {
    for (int64_t j = 0; j < (r + 1 < g.m ? g.ldc : g.n); ++j) {
      const double before = static_cast<double>(c.old[static_cast<size_t>(r * g.ldc + j)]);
      double expected = j < g.n && !g.add ? 0 : before, size = std::abs(before);
      for (int64_t i = 0; i < g.k && j < g.n; ++i) {
        const double product =
            static_cast<double>(g.a[r * g.a_row + i * g.a_step]) * static_cast<double>(g.b[i * g.ldb + j]);
        expected += product, size += std::abs(product);
      }
      ASSERT_NEAR(static_cast<double>(g.c[r * g.ldc + j]), expected, j < g.n ? 3e-6 * size : 0.0)
          << "m " << g.m << ", n " << g.n << ", k " << g.k << ", row " << r << ", column " << j;
    }
  }
}

TEST_P(LinearKernel, SmallProducts) {
  Rng rng(DrawPurpose::procedural_data, {2});
  const SmallMemory memory;
  for (const int64_t m : {0, 1, 2, 3, 4, 5, 6, 7, 11, 12, 25}) {
    for (const int64_t n : awkward_sizes()) {
      for (const int64_t depth : {0, 1, 5, 32}) {
        for (int variant = 0; variant < 4; ++variant) {
          const auto c = small_case(m, n, depth, (variant & 1) != 0, (variant & 2) != 0, rng, memory);
          table().small_gemm(c.args);
          expect_product(c);
          if (HasFatalFailure()) return;
        }
      }
    }
  }
}

TEST_P(LinearKernel, ARowOfASmallProductAloneIsTheRowInAnyBatch) {
  Rng rng(DrawPurpose::procedural_data, {3});
  const SmallMemory memory;
  for (const int64_t n : {1, 7, 24, 32, 80, 161}) {
    const int64_t m = 14;
    auto c = small_case(m, n, 33, false, false, rng, memory);
    c.args.ldc = n;
    std::vector<float> all(static_cast<size_t>(m * n)), part(all.size());
    c.args.c = all.data();
    table().small_gemm(c.args);
    for (int64_t begin = 0; begin < m; ++begin) {
      for (int64_t rows = 1; begin + rows <= m; ++rows) {
        for (const int64_t columns : {n, n / 2 + 1, int64_t{1}}) {
          auto some = c.args;
          some.a += begin * some.a_row;
          some.c = part.data();
          some.m = rows;
          some.n = columns;
          table().small_gemm(some);
          for (int64_t r = 0; r < rows; ++r) {
            ASSERT_EQ(std::memcmp(part.data() + r * n, all.data() + (begin + r) * n,
                                  sizeof(float) * static_cast<size_t>(columns)),
                      0)
                << "rows " << begin << " to " << begin + rows << ", " << columns << " of " << n << " columns";
          }
        }
      }
    }
  }
}

TEST_P(LinearKernel, Transpose) {
  Rng rng(DrawPurpose::procedural_data, {4});
  const GuardedMemory<float> from(1 << 14), to(1 << 14);
  for (const int64_t rows : awkward_sizes()) {
    for (const int64_t cols : {0, 1, 3, 16, 17, 33}) {
      const int64_t ldx = cols + 2, ldy = rows + 3;
      const int64_t x_size = rows > 0 && cols > 0 ? (rows - 1) * ldx + cols : 0;
      const int64_t y_size = rows > 0 && cols > 0 ? (cols - 1) * ldy + rows : 0;
      float* x = from.last(x_size);
      float* y = to.last(y_size);
      fill_normal(x, x_size, rng);
      std::fill_n(y, y_size, -7.0f);
      table().transpose(x, ldx, rows, cols, y, ldy);
      for (int64_t c = 0; c < cols && rows > 0; ++c) {
        for (int64_t r = 0; r < (c + 1 < cols ? ldy : rows); ++r)
          ASSERT_EQ(y[c * ldy + r], r < rows ? x[r * ldx + c] : -7.0f) << rows << " x " << cols;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Tables, LinearKernel, testing::ValuesIn(runnable_kernels()), table_name);

}  // namespace
}  // namespace laconic::ops
