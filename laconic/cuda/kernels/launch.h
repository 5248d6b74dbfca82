// How kernels are started: grid, block, and the choice of element type and vector width from pointers and sizes.
//
// start(args, launcher) of a kernel's header decides all that; the launcher starts it on a stream (gpu_launcher.cuh) or
// runs it on the CPU (tests/cuda/emulation). Nothing here depends on the number of rows beyond the grid: a row's result
// is the same in every batch.
#pragma once

#include <stddef.h>

#include "laconic/cuda/kernels/portable.h"

struct CUstream_st;

namespace laconic::cuda {

using Stream = CUstream_st*;

struct Grid {
  int64_t x = 1, y = 1, z = 1;
  int threads = kWarp;      // of a block; whole warps
  size_t shared_bytes = 0;  // of a block
};

inline constexpr size_t kSharedAlignment = 16;  // of each shared<T>(n)

// Bytes that shared<T>(n) takes.
template <typename T>
constexpr size_t shared_size(int64_t n) {
  return (static_cast<size_t>(n) * sizeof(T) + kSharedAlignment - 1) / kSharedAlignment * kSharedAlignment;
}

constexpr int64_t ceil_div(int64_t a, int64_t b) {
  return (a + b - 1) / b;
}

// Threads for a row of so many steps of work: whole warps, at most `most`.
constexpr int threads_for(int64_t steps, int most) {
  const int64_t warps = ceil_div(steps < 1 ? 1 : steps, kWarp);
  return static_cast<int>(warps * kWarp < most ? warps * kWarp : most);
}

inline bool aligned(const void* p, size_t bytes) {
  return reinterpret_cast<uintptr_t>(p) % bytes == 0;
}

template <typename T>
struct ElementTag {
  using type = T;
  static constexpr int kVector = 16 / static_cast<int>(sizeof(T));  // elements of the widest load
};

template <typename Body>
void with_element(Element element, const Body& body) {
  if (element == Element::bf16) {
    body(ElementTag<Bf16>{});
  } else {
    body(ElementTag<float>{});
  }
}

}  // namespace laconic::cuda
