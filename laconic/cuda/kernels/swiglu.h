// The gated activation of the MLP: silu(gate) * up, of rows [gate | up], and its gradient. CPU reference: ops/swiglu.h.
#pragma once

#include "laconic/cuda/kernels/launch.h"

namespace laconic::cuda {

struct SwigluArgs {
  Element element = Element::f32;
  const void* gate_up = nullptr;  // [rows, 2 width]
  void* out = nullptr;            // [rows, width]
  int64_t rows = 0, width = 0;
};

struct SwigluBackwardArgs {
  Element element = Element::f32;
  const void* dout = nullptr;  // [rows, width]
  void* gate_up = nullptr;     // [rows, 2 width]; becomes its own gradient
  void* activation = nullptr;  // [rows, width]; silu(gate) * up again
  int64_t rows = 0, width = 0;
};

inline constexpr int kSwigluThreads = 256;

LACONIC_DEVICE float sigmoid(float x) {
  return 1.0f / (1.0f + expf(-x));
}

template <typename T, int N>
struct Swiglu {
  static constexpr int kMostThreads = kSwigluThreads;

  template <typename Block>
  static LACONIC_DEVICE void run(Block& block, const SwigluArgs& a) {
    const int64_t i = (block.y() * block.threads() + block.thread()) * N;
    if (i >= a.width) return;
    const T* row = static_cast<const T*>(a.gate_up) + block.x() * 2 * a.width;
    auto v = load<N>(row + i);
    const auto up = load<N>(row + a.width + i);
    for (int j = 0; j < N; ++j) {
      const float gate = to_float(v.values[j]);
      v.values[j] = rounded<T>(gate * sigmoid(gate) * to_float(up.values[j]));
    }
    store(static_cast<T*>(a.out) + block.x() * a.width + i, v);
  }
};

template <typename T, int N>
struct SwigluBackward {
  static constexpr int kMostThreads = kSwigluThreads;

  // d gate = d * up * s * (1 + gate * (1 - s)), d up = d * silu(gate), with s = sigmoid(gate).
  template <typename Block>
  static LACONIC_DEVICE void run(Block& block, const SwigluBackwardArgs& a) {
    const int64_t i = (block.y() * block.threads() + block.thread()) * N;
    if (i >= a.width) return;
    T* row = static_cast<T*>(a.gate_up) + block.x() * 2 * a.width;
    auto gates = load<N>(row + i), ups = load<N>(row + a.width + i);
    auto d = load<N>(static_cast<const T*>(a.dout) + block.x() * a.width + i);
    for (int j = 0; j < N; ++j) {
      const float gate = to_float(gates.values[j]), up = to_float(ups.values[j]), slope = to_float(d.values[j]);
      const float s = sigmoid(gate), silu = gate * s;
      gates.values[j] = rounded<T>(slope * up * (s * (gate * (1.0f - s) + 1.0f)));
      ups.values[j] = rounded<T>(slope * silu);
      d.values[j] = rounded<T>(silu * up);
    }
    store(row + i, gates);
    store(row + a.width + i, ups);
    store(static_cast<T*>(a.activation) + block.x() * a.width + i, d);
  }
};

template <template <typename, int> typename Kernel, typename Args, typename Launcher>
void start_swiglu(const char* name, const Args& a, bool all_aligned, const Launcher& launcher) {
  if (a.rows == 0 || a.width == 0) return;
  with_element(a.element, [&](auto tag) {
    using T = typename decltype(tag)::type;
    constexpr int kVector = decltype(tag)::kVector;
    const bool wide = a.width % kVector == 0 && all_aligned;
    const int64_t per_block = static_cast<int64_t>(kSwigluThreads) * (wide ? kVector : 1);
    const Grid grid{.x = a.rows, .y = ceil_div(a.width, per_block), .threads = kSwigluThreads};
    if (wide) {
      launcher.template start<Kernel<T, kVector>>(name, grid, a);
    } else {
      launcher.template start<Kernel<T, 1>>(name, grid, a);
    }
  });
}

template <typename Launcher>
void start(const SwigluArgs& a, const Launcher& launcher) {
  start_swiglu<Swiglu>("swiglu", a, aligned(a.gate_up, 16) && aligned(a.out, 16), launcher);
}

template <typename Launcher>
void start(const SwigluBackwardArgs& a, const Launcher& launcher) {
  const bool all_aligned = aligned(a.gate_up, 16) && aligned(a.dout, 16) && aligned(a.activation, 16);
  start_swiglu<SwigluBackward>("swiglu_backward", a, all_aligned, launcher);
}

}  // namespace laconic::cuda
