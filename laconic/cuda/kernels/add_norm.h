// Residual addition and RMS norm in one pass over a row: residual += delta; y = residual / rms(residual) * weight.
// The sum is rounded to the element type before it is normalised, so that whoever reads the residual again finds the
// same numbers. CPU reference: ops::rms_norm_into.
#pragma once

#include "laconic/cuda/kernels/launch.h"
#include "laconic/cuda/kernels/reduce.h"

namespace laconic::cuda {

struct AddNormArgs {
  Element element = Element::f32;
  const void* delta = nullptr;   // [rows, width], or null: nothing is added
  void* residual = nullptr;      // [rows, width]; written only with delta
  const void* weight = nullptr;  // [width]
  void* y = nullptr;             // [rows, width]; may be delta, not residual
  float* inverse_rms = nullptr;  // [rows] or null
  float epsilon = 0;
  int64_t rows = 0, width = 0;
};

template <typename T, int N>
struct AddNorm {
  static constexpr int kMostThreads = 1024;

  template <typename Block>
  static LACONIC_DEVICE void run(Block& block, const AddNormArgs& a) {
    float* scratch = block.template shared<float>(block.warps());
    const int64_t offset = block.x() * a.width, step = static_cast<int64_t>(block.threads()) * N;
    T* residual = static_cast<T*>(a.residual) + offset;
    float squares = 0;
    for (int64_t i = static_cast<int64_t>(block.thread()) * N; i < a.width; i += step) {
      auto v = load<N>(residual + i);
      if (a.delta != nullptr) {
        const auto d = load<N>(static_cast<const T*>(a.delta) + offset + i);
        for (int j = 0; j < N; ++j) v.values[j] = rounded<T>(to_float(v.values[j]) + to_float(d.values[j]));
        store(residual + i, v);
      }
      for (int j = 0; j < N; ++j) squares += to_float(v.values[j]) * to_float(v.values[j]);
    }
    squares = reduce_block(block, squares, scratch, Sum{});
    const float inverse = 1.0f / sqrtf(squares / static_cast<float>(a.width) + a.epsilon);
    if (a.inverse_rms != nullptr && block.thread() == 0) a.inverse_rms[block.x()] = inverse;
    // Each thread reads again what it wrote itself.
    for (int64_t i = static_cast<int64_t>(block.thread()) * N; i < a.width; i += step) {
      auto v = load<N>(residual + i);
      const auto w = load<N>(static_cast<const T*>(a.weight) + i);
      for (int j = 0; j < N; ++j) v.values[j] = rounded<T>(to_float(v.values[j]) * inverse * to_float(w.values[j]));
      store(static_cast<T*>(a.y) + offset + i, v);
    }
  }
};

template <typename Launcher>
void start(const AddNormArgs& a, const Launcher& launcher) {
  if (a.rows == 0 || a.width == 0) return;
  with_element(a.element, [&](auto tag) {
    using T = typename decltype(tag)::type;
    constexpr int kVector = decltype(tag)::kVector;
    const bool wide = a.width % kVector == 0 && aligned(a.delta, 16) && aligned(a.residual, 16) &&
                      aligned(a.weight, 16) && aligned(a.y, 16);
    Grid grid{.x = a.rows, .threads = threads_for(ceil_div(a.width, wide ? kVector : 1), 1024)};
    grid.shared_bytes = shared_size<float>(grid.threads / kWarp);
    if (wide) {
      launcher.template start<AddNorm<T, kVector>>("add_norm", grid, a);
    } else {
      launcher.template start<AddNorm<T, 1>>("add_norm", grid, a);
    }
  });
}

}  // namespace laconic::cuda
