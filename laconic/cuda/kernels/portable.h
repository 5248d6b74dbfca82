// What kernel bodies are written in, so that they compile for the GPU (nvcc) and, for tests without one, for the CPU:
// element types, vector loads, and the words of the language that differ.
//
// A kernel is a struct with a static template run(Block&, const Args&). Block is GpuBlock (gpu_block.cuh) or the
// emulation of tests/cuda/emulation; both offer:
//   x() y() z()                     place of the block in the grid
//   thread() threads() lane() warp() warps()
//   barrier()                       of the block; every thread of it must arrive
//   warp_barrier()                  of the 32 threads of a warp, which must all arrive
//   shuffle(v, lane)                the value of another lane of the warp; every lane must call
//   shuffle_xor(v, mask)
//   all(condition)                  true where it holds in every lane of the warp; every lane must call
//   shared<T>(n)                    n values of shared memory; every thread calls in the same order
//   add(p, v)                       atomic += on shared memory
#pragma once

#include <math.h>
#include <stdint.h>
#include <string.h>

#if defined(__CUDACC__)
#define LACONIC_DEVICE __device__ __forceinline__
#else
#define LACONIC_DEVICE inline
#endif

namespace laconic::cuda {

inline constexpr int kWarp = 32;

enum class Element { f32, bf16 };

// A bfloat16 in memory; arithmetic is f32.
struct Bf16 {
  uint16_t bits;
};

LACONIC_DEVICE uint32_t bits_of(float x) {
  uint32_t bits = 0;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}
LACONIC_DEVICE float to_float(float x) {
  return x;
}
LACONIC_DEVICE float to_float(Bf16 x) {
  const uint32_t bits = static_cast<uint32_t>(x.bits) << 16;
  float result = 0;
  memcpy(&result, &bits, sizeof result);
  return result;
}

template <typename T>
struct Rounded;
template <>
struct Rounded<float> {
  static LACONIC_DEVICE float from(float x) { return x; }
};
template <>
struct Rounded<Bf16> {
  // To nearest, ties to even; NaN stays NaN.
  static LACONIC_DEVICE Bf16 from(float x) {
    if (x != x) return {0x7fc0};
    const uint32_t bits = bits_of(x);
    return {static_cast<uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16)};
  }
};
template <typename T>
LACONIC_DEVICE T rounded(float x) {
  return Rounded<T>::from(x);
}

// N neighbours that are read and written at once; the address is a multiple of their size.
template <typename T, int N>
struct alignas(sizeof(T) * N) Vector {
  T values[N];
};
template <int N, typename T>
LACONIC_DEVICE Vector<T, N> load(const T* p) {
  return *reinterpret_cast<const Vector<T, N>*>(p);
}
template <int N, typename T>
LACONIC_DEVICE void store(T* p, const Vector<T, N>& v) {
  *reinterpret_cast<Vector<T, N>*>(p) = v;
}

template <typename T>
LACONIC_DEVICE T larger(T a, T b) {
  return a < b ? b : a;
}
template <typename T>
LACONIC_DEVICE T smaller(T a, T b) {
  return b < a ? b : a;
}

LACONIC_DEVICE float minus_infinity() {
  return -HUGE_VALF;
}

}  // namespace laconic::cuda
