// The gradient of the RMS norm: dx of each row, and of the weight the sums over a piece of rows, to be added up by the
// caller: the pieces are fixed, so the gradient does not depend on how blocks are scheduled. CPU reference:
// ops::rms_norm_backward.
#pragma once

#include "laconic/cuda/kernels/launch.h"
#include "laconic/cuda/kernels/reduce.h"

namespace laconic::cuda {

inline constexpr int64_t kNormPieceRows = 16;
inline constexpr int64_t kMostNormWidth = 8192;  // the sums of a piece lie in shared memory

struct NormGradientArgs {
  Element element = Element::f32;
  const void* dy = nullptr;            // [rows, width]
  const void* x = nullptr;             // [rows, width], what was normalised
  const void* weight = nullptr;        // [width]
  const float* inverse_rms = nullptr;  // [rows]
  void* dx = nullptr;                  // [rows, width]; may be dy
  float* dweight = nullptr;            // [ceil(rows / kNormPieceRows), width]
  bool add = false;                    // dx += instead of dx =
  int64_t rows = 0, width = 0;
};

template <typename T, int N>
struct NormGradient {
  static constexpr int kMostThreads = 512;

  // Each thread reads and writes columns of its own, of the sums as well.
  template <typename Block>
  static LACONIC_DEVICE void run(Block& block, const NormGradientArgs& a) {
    float* scratch = block.template shared<float>(block.warps());
    float* sums = block.template shared<float>(a.width);
    const int64_t begin = static_cast<int64_t>(block.thread()) * N, step = static_cast<int64_t>(block.threads()) * N;
    for (int64_t i = begin; i < a.width; i += step)
      for (int j = 0; j < N; ++j) sums[i + j] = 0;
    const int64_t first = block.x() * kNormPieceRows, end = smaller(first + kNormPieceRows, a.rows);
    for (int64_t row = first; row < end; ++row) {
      const T* dy = static_cast<const T*>(a.dy) + row * a.width;
      const T* x = static_cast<const T*>(a.x) + row * a.width;
      const T* weight = static_cast<const T*>(a.weight);
      T* dx = static_cast<T*>(a.dx) + row * a.width;
      const float inverse = a.inverse_rms[row];
      float dot = 0;
      for (int64_t i = begin; i < a.width; i += step) {
        const auto d = load<N>(dy + i), v = load<N>(x + i), w = load<N>(weight + i);
        for (int j = 0; j < N; ++j) {
          dot += to_float(d.values[j]) * to_float(w.values[j]) * to_float(v.values[j]);
          sums[i + j] += to_float(d.values[j]) * to_float(v.values[j]) * inverse;
        }
      }
      dot = reduce_block(block, dot, scratch, Sum{});
      const float along = dot * inverse * inverse / static_cast<float>(a.width);
      for (int64_t i = begin; i < a.width; i += step) {
        const auto d = load<N>(dy + i), v = load<N>(x + i), w = load<N>(weight + i);
        auto result = a.add ? load<N>(dx + i) : d;
        for (int j = 0; j < N; ++j) {
          const float before = a.add ? to_float(result.values[j]) : 0.0f;
          const float slope = to_float(d.values[j]) * to_float(w.values[j]) - to_float(v.values[j]) * along;
          result.values[j] = rounded<T>(before + inverse * slope);
        }
        store(dx + i, result);
      }
    }
    float* dweight = a.dweight + block.x() * a.width;
    for (int64_t i = begin; i < a.width; i += step)
      for (int j = 0; j < N; ++j) dweight[i + j] = sums[i + j];
  }
};

// width <= kMostNormWidth.
template <typename Launcher>
void start(const NormGradientArgs& a, const Launcher& launcher) {
  if (a.rows == 0 || a.width == 0) return;
  with_element(a.element, [&](auto tag) {
    using T = typename decltype(tag)::type;
    constexpr int kVector = decltype(tag)::kVector;
    const bool wide =
        a.width % kVector == 0 && aligned(a.dy, 16) && aligned(a.x, 16) && aligned(a.weight, 16) && aligned(a.dx, 16);
    Grid grid{.x = ceil_div(a.rows, kNormPieceRows),
              .threads = threads_for(ceil_div(a.width, wide ? kVector : 1), 512)};
    grid.shared_bytes = shared_size<float>(grid.threads / kWarp) + shared_size<float>(a.width);
    if (wide) {
      launcher.template start<NormGradient<T, kVector>>("norm_gradient", grid, a);
    } else {
      launcher.template start<NormGradient<T, 1>>("norm_gradient", grid, a);
    }
  });
}

}  // namespace laconic::cuda
