// Starts kernels on a stream.
#pragma once

#include <cuda_runtime.h>

#include <stdexcept>
#include <string>

#include "laconic/cuda/kernels/gpu_block.cuh"

namespace laconic::cuda {

template <typename Kernel, typename Args>
__global__ void __launch_bounds__(Kernel::kMostThreads) entry(const Args args) {
  GpuBlock block;
  Kernel::run(block, args);
}

struct GpuLauncher {
  Stream stream = nullptr;

  // Asynchronous. Throws std::runtime_error where the launch itself is refused.
  template <typename Kernel, typename Args>
  void start(const char* name, const Grid& grid, const Args& args) const {
    const dim3 blocks(static_cast<unsigned>(grid.x), static_cast<unsigned>(grid.y), static_cast<unsigned>(grid.z));
    entry<Kernel, Args><<<blocks, static_cast<unsigned>(grid.threads), grid.shared_bytes, stream>>>(args);
    if (const cudaError_t error = cudaGetLastError(); error != cudaSuccess)
      throw std::runtime_error(std::string("CUDA kernel ") + name + ": " + cudaGetErrorString(error));
  }
};

}  // namespace laconic::cuda
