// Matrix products of kernels_body.h: dot-product tiles for linear layers, broadcast tiles for attention.
#pragma once

#include "laconic/core/ops/kernels.h"
#include "laconic/core/ops/simd.h"

namespace laconic::ops::LACONIC_ISA {

// Rows of a register tile, of four columns; a quarter of the registers stays free for the operands.
#if defined(__AVX512F__)
inline constexpr int kTileRows = 6;
#else
inline constexpr int kTileRows = 3;
#endif
inline constexpr int kTileCols = 4;
// Cache blocking: a block of weight rows stays in the L1 cache (in the L2 cache where one tile fills the L1) while the
// rows of x pass by, and a block of x rows in the L2 cache while the weights pass by.
inline constexpr int64_t kSmallBlockBytes = 16 * 1024;
inline constexpr int64_t kLargeBlockBytes = 192 * 1024;
inline constexpr int kLineBytes = 64;

// Each element is one chain of kLanes partial sums along k, added up in the order of sum(). kRest: k is no multiple of
// kLanes (a version of its own, so that the common one keeps its sums in registers). kLines: cache lines fetched from
// `ahead` on per step of the loop, so that the next block of weights arrives while this one is worked on.
template <typename W, int R, int C, bool kRest, int kLines>
inline void linear_tile(const LinearArgs& a, int64_t row, int64_t col, const char* ahead) {
  const float* x = a.x + row * a.ldx;
  const W* w = static_cast<const W*>(a.w) + col * a.k;
  F total[R][C];
  for (int r = 0; r < R; ++r) {
    for (int c = 0; c < C; ++c) total[r][c] = zero();
  }
  int64_t i = 0;
  for (; i + kLanes <= a.k; i += kLanes) {
    F wv[C];
    for (int c = 0; c < C; ++c) wv[c] = load_weight(w + c * a.k + i);
    for (int line = 0; line < kLines; ++line) prefetch(ahead + (i / kLanes * kLines + line) * kLineBytes);
    for (int r = 0; r < R; ++r) {
      const F xv = load(x + r * a.ldx + i);
      for (int c = 0; c < C; ++c) total[r][c] = fma(xv, wv[c], total[r][c]);
    }
  }
  if constexpr (kRest) {
    const int rest = static_cast<int>(a.k - i);
    F wv[C];
    for (int c = 0; c < C; ++c) wv[c] = load_weight_part(w + c * a.k + i, rest);
    for (int r = 0; r < R; ++r) {
      const F xv = load_part(x + r * a.ldx + i, rest);
      for (int c = 0; c < C; ++c) total[r][c] = fma(xv, wv[c], total[r][c]);
    }
  }
  for (int r = 0; r < R; ++r) {
    float* y = a.y + (row + r) * a.ldy + col;
    if constexpr (C == 4) {
      Four value = sum4(total[r][0], total[r][1], total[r][2], total[r][3]);
      if (a.bias != nullptr) value = add4(value, load4(a.bias + col));
      store4(y, a.add ? add4(load4(y), value) : value);
    } else {
      const float value = sum(total[r][0]) + (a.bias != nullptr ? a.bias[col] : 0.0f);
      *y = a.add ? *y + value : value;
    }
  }
}

// One tile of rows against the columns of a block.
template <typename W, int R, bool kRest, int kLines>
inline void linear_rows(const LinearArgs& a, int64_t row, int64_t col, int64_t end, const char* ahead) {
  const int64_t advance = a.k / kLanes * kLines * kLineBytes;
  for (; col + kTileCols <= end; col += kTileCols, ahead += advance) {
    linear_tile<W, R, kTileCols, kRest, kLines>(a, row, col, ahead);
  }
  for (; col < end; ++col) linear_tile<W, R, 1, kRest, 0>(a, row, col, ahead);
}

// As many rows as a tile has, or what is left; one row alone is slow, so four are done as two and two.
template <typename W, int R, bool kRest, int kLines>
inline int64_t linear_some_rows(const LinearArgs& a, int64_t row, int64_t begin, int64_t end, const char* ahead) {
  if constexpr (R > 1) {
    const int64_t left = a.m - row;
    if (left < R || (R > 2 && left == R + 1))
      return linear_some_rows<W, R - 1, kRest, kLines>(a, row, begin, end, ahead);
  }
  linear_rows<W, R, kRest, kLines>(a, row, begin, end, ahead);
  return R;
}

// All rows of x against a block of weights. The next block is fetched by the first pass, or half and half by the first
// two where there are several.
template <typename W, bool kRest>
inline void linear_block(const LinearArgs& a, int64_t begin, int64_t end, bool fetch) {
  constexpr int kAll = kTileCols * static_cast<int>(sizeof(W)) * kLanes / kLineBytes;
  constexpr int kHalf = kAll > 1 ? kAll / 2 : 1;
  const int64_t bytes = (end - begin) * a.k * static_cast<int64_t>(sizeof(W));
  const char* next = static_cast<const char*>(a.w) + end * a.k * static_cast<int64_t>(sizeof(W));
  int64_t row = 0;
  if (fetch && a.m <= kTileRows) {
    row += linear_some_rows<W, kTileRows, kRest, kAll>(a, row, begin, end, next);
  } else if (fetch) {
    row += linear_some_rows<W, kTileRows, kRest, kHalf>(a, row, begin, end, next);
    row += linear_some_rows<W, kTileRows, kRest, kHalf>(a, row, begin, end, next + bytes / 2);
  }
  while (row < a.m) row += linear_some_rows<W, kTileRows, kRest, 0>(a, row, begin, end, next);
}

// Rows of a block of so many bytes; a row may be empty.
inline int64_t block_of(int64_t bytes, int64_t row_bytes, int64_t unit) {
  return larger(1, bytes / larger(1, row_bytes) / unit) * unit;
}

template <typename W, bool kRest>
inline void linear_blocks(const LinearArgs& a) {
  const int64_t weight_row = a.k * static_cast<int64_t>(sizeof(W));
  const bool small = kTileCols * weight_row <= kSmallBlockBytes;
  const int64_t columns = block_of(small ? kSmallBlockBytes : kLargeBlockBytes, weight_row, kTileCols);
  const int64_t rows = block_of(kLargeBlockBytes, a.k * static_cast<int64_t>(sizeof(float)), 12 * kTileRows);
  const bool fetch = small && a.n * weight_row > kLargeBlockBytes;  // long rows are fetched well by the processor
  for (int64_t row_begin = 0; row_begin < a.m; row_begin += rows) {
    LinearArgs part = a;  // of these rows
    part.x += row_begin * a.ldx;
    part.y += row_begin * a.ldy;
    part.m = smaller(rows, a.m - row_begin);
    for (int64_t begin = 0; begin < a.n; begin += columns) {
      linear_block<W, kRest>(part, begin, smaller(a.n, begin + columns), fetch);
    }
  }
}

template <typename W>
inline void linear_typed(const LinearArgs& a) {
  if (a.k % kLanes == 0) {
    linear_blocks<W, false>(a);
  } else {
    linear_blocks<W, true>(a);
  }
}

inline void linear(const LinearArgs& a) {
  if (a.w_bf16) {
    linear_typed<uint16_t>(a);
  } else {
    linear_typed<float>(a);
  }
}

// R rows x V vectors of columns; `part` > 0: the last vector has only so many columns.
template <int R, int V, bool kPart>
inline void small_tile(const SmallGemmArgs& g, int64_t row, int64_t col, int part) {
  F total[R][V];
  const auto load_c = [&](const float* p) { return kPart ? load_part(p, part) : load(p); };
  for (int r = 0; r < R; ++r) {
    for (int v = 0; v < V; ++v) total[r][v] = g.add ? load_c(g.c + (row + r) * g.ldc + col + v * kLanes) : zero();
  }
  const float* a = g.a + row * g.a_row;
  const float* b = g.b + col;
  for (int64_t i = 0; i < g.k; ++i, a += g.a_step, b += g.ldb) {
    F bv[V];
    for (int v = 0; v < V; ++v) bv[v] = kPart ? load_part(b + v * kLanes, part) : load(b + v * kLanes);
    for (int r = 0; r < R; ++r) {
      const F av = splat(a[r * g.a_row]);
      for (int v = 0; v < V; ++v) total[r][v] = fma(av, bv[v], total[r][v]);
    }
  }
  for (int r = 0; r < R; ++r) {
    for (int v = 0; v < V; ++v) {
      float* c = g.c + (row + r) * g.ldc + col + v * kLanes;
      if constexpr (kPart) {
        store_part(c, total[r][v], part);
      } else {
        store(c, total[r][v]);
      }
    }
  }
}

template <int R, int V>
inline void small_columns(const SmallGemmArgs& g, int64_t row, int64_t& col) {
  for (; col + V * kLanes <= g.n; col += V * kLanes) small_tile<R, V, false>(g, row, col, 0);
}

template <int R, int V>
inline void small_rows(const SmallGemmArgs& g, int64_t row) {
  int64_t col = 0;
  small_columns<R, V>(g, row, col);
  if constexpr (V > 4) small_columns<R, 4>(g, row, col);
  if constexpr (V > 2) small_columns<R, 2>(g, row, col);
  small_columns<R, 1>(g, row, col);
  if (col < g.n) small_tile<R, 1, true>(g, row, col, static_cast<int>(g.n - col));
}

inline void small_gemm(const SmallGemmArgs& g) {
  int64_t row = 0;
  for (; row + 6 <= g.m; row += 6) small_rows<6, 2>(g, row);
  switch (g.m - row) {
    case 5:
      small_rows<5, 2>(g, row);
      break;
    case 4:
      small_rows<4, 3>(g, row);
      break;
    case 3:
      small_rows<3, 4>(g, row);
      break;
    case 2:
      small_rows<2, 6>(g, row);
      break;
    case 1:
      small_rows<1, 8>(g, row);
      break;
    default:
      break;
  }
}

inline void transpose(const float* x, int64_t ldx, int64_t rows, int64_t cols, float* y, int64_t ldy) {
  constexpr int64_t kBlock = 16;  // keeps both sides within a few cache lines
  for (int64_t r0 = 0; r0 < rows; r0 += kBlock) {
    for (int64_t c0 = 0; c0 < cols; c0 += kBlock) {
      const int64_t r1 = smaller(rows, r0 + kBlock), c1 = smaller(cols, c0 + kBlock);
      for (int64_t c = c0; c < c1; ++c) {
        for (int64_t r = r0; r < r1; ++r) y[c * ldy + r] = x[r * ldx + c];
      }
    }
  }
}

}  // namespace laconic::ops::LACONIC_ISA
