// The block of a kernel on the GPU (portable.h says what it offers).
#pragma once

#include "laconic/cuda/kernels/launch.h"

namespace laconic::cuda {

class GpuBlock {
 public:
  __device__ int64_t x() const { return blockIdx.x; }
  __device__ int64_t y() const { return blockIdx.y; }
  __device__ int64_t z() const { return blockIdx.z; }
  __device__ int thread() const { return static_cast<int>(threadIdx.x); }
  __device__ int threads() const { return static_cast<int>(blockDim.x); }
  __device__ int lane() const { return thread() % kWarp; }
  __device__ int warp() const { return thread() / kWarp; }
  __device__ int warps() const { return threads() / kWarp; }

  __device__ void barrier() { __syncthreads(); }
  __device__ void warp_barrier() { __syncwarp(); }
  template <typename T>
  __device__ T shuffle(T v, int lane) {
    return __shfl_sync(0xffffffffu, v, lane);
  }
  template <typename T>
  __device__ T shuffle_xor(T v, int mask) {
    return __shfl_xor_sync(0xffffffffu, v, mask);
  }
  __device__ bool all(bool condition) { return __all_sync(0xffffffffu, condition) != 0; }

  template <typename T>
  __device__ T* shared(int64_t n) {
    extern __shared__ __align__(16) unsigned char laconic_shared[];
    T* result = reinterpret_cast<T*>(laconic_shared + used_);
    used_ += shared_size<T>(n);
    return result;
  }
  __device__ void add(unsigned long long* p, unsigned long long v) { atomicAdd(p, v); }

 private:
  size_t used_ = 0;
};

}  // namespace laconic::cuda
