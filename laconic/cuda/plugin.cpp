#include "laconic/cuda/plugin.h"

#include <c10/cuda/CUDAFunctions.h>
#include <nccl.h>

int laconic_cuda_device_count() {
  return static_cast<int>(c10::cuda::device_count());
}

int laconic_cuda_nccl_version() {
  int version = 0;
  return ncclGetVersion(&version) == ncclSuccess ? version : 0;
}
