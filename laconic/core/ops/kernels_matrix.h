// Matrix products of kernels_body.h: dot-product tiles for linear layers, broadcast tiles for attention.
#pragma once

#include "laconic/core/ops/kernels.h"
#include "laconic/core/ops/simd.h"

namespace laconic::ops::LACONIC_ISA {

// Rows x columns of a register tile; a third of the registers stays free for the operands.
#if defined(__AVX512F__)
inline constexpr int kTileRows = 4, kTileCols = 6;
#else
inline constexpr int kTileRows = 4, kTileCols = 3;
#endif
// A block of weight rows of this many bytes stays in the L2 cache while all rows of x pass by.
inline constexpr int64_t kWeightBlockBytes = 192 * 1024;

// Each element is one chain of kLanes partial sums along k, added up in the order of sum().
template <typename W, int R, int C>
inline void linear_tile(const LinearArgs& a, int64_t row, int64_t col) {
  const float* x = a.x + row * a.ldx;
  const W* w = static_cast<const W*>(a.w) + col * a.k;
  F total[C][R];
  for (auto& column : total) {
    for (F& t : column) t = zero();
  }
  int64_t i = 0;
  for (; i + kLanes <= a.k; i += kLanes) {
    F wv[C];
    for (int c = 0; c < C; ++c) wv[c] = load_weight(w + c * a.k + i);
    for (int r = 0; r < R; ++r) {
      const F xv = load(x + r * a.ldx + i);
      for (int c = 0; c < C; ++c) total[c][r] = fma(xv, wv[c], total[c][r]);
    }
  }
  if (const int rest = static_cast<int>(a.k - i); rest > 0) {
    for (int c = 0; c < C; ++c) {
      const F wv = load_weight_part(w + c * a.k + i, rest);
      for (int r = 0; r < R; ++r) total[c][r] = fma(load_part(x + r * a.ldx + i, rest), wv, total[c][r]);
    }
  }
  for (int c = 0; c < C; ++c) {
    float sums[4];
    if constexpr (R == 4) {
      sum4(total[c][0], total[c][1], total[c][2], total[c][3], sums);
    } else {
      for (int r = 0; r < R; ++r) sums[r] = sum(total[c][r]);
    }
    const float bias = a.bias != nullptr ? a.bias[col + c] : 0.0f;
    for (int r = 0; r < R; ++r) {
      float* y = a.y + (row + r) * a.ldy + col + c;
      const float value = sums[r] + bias;
      *y = a.add ? *y + value : value;
    }
  }
}

template <typename W, int R>
inline void linear_rows(const LinearArgs& a, int64_t row, int64_t col, int64_t end) {
  for (; col + kTileCols <= end; col += kTileCols) linear_tile<W, R, kTileCols>(a, row, col);
  for (; col < end; ++col) linear_tile<W, R, 1>(a, row, col);
}

template <typename W>
void linear_typed(const LinearArgs& a) {
  const int64_t rows_of_bytes = kWeightBlockBytes / larger(1, a.k * static_cast<int64_t>(sizeof(W)));
  const int64_t block = larger(1, rows_of_bytes / kTileCols) * kTileCols;
  for (int64_t begin = 0; begin < a.n; begin += block) {
    const int64_t end = smaller(a.n, begin + block);
    int64_t row = 0;
    for (; row + kTileRows <= a.m; row += kTileRows) linear_rows<W, kTileRows>(a, row, begin, end);
    switch (a.m - row) {
      case 3:
        linear_rows<W, 3>(a, row, begin, end);
        break;
      case 2:
        linear_rows<W, 2>(a, row, begin, end);
        break;
      case 1:
        linear_rows<W, 1>(a, row, begin, end);
        break;
      default:
        break;
    }
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
