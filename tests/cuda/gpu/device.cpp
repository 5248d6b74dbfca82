// Memory of the GPU. compute-sanitizer sees what the emulation's protected pages do.
#include "tests/cuda/device.h"

#include <cuda_runtime_api.h>

#include "laconic/core/base/error.h"

namespace laconic::cuda {
namespace {

void check(cudaError_t error) {
  if (error != cudaSuccess) fail(ErrorKind::io, "CUDA: {}", cudaGetErrorString(error));
}

}  // namespace

void* device_allocate(size_t bytes) {
  void* p = nullptr;
  check(cudaMalloc(&p, bytes == 0 ? 1 : bytes));
  return p;
}

void device_free(void* p, size_t /*bytes*/) {
  static_cast<void>(cudaFree(p));  // an error before it is reported by whoever reads
}

void device_write(void* p, const void* from, size_t bytes) {
  check(cudaMemcpy(p, from, bytes, cudaMemcpyHostToDevice));
}

void device_read(void* to, const void* p, size_t bytes) {
  check(cudaDeviceSynchronize());
  check(cudaMemcpy(to, p, bytes, cudaMemcpyDeviceToHost));
}

void for_each_run(const std::function<void()>& body) {
  body();
  body();
}

}  // namespace laconic::cuda
