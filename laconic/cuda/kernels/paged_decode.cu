#include "laconic/cuda/kernels/paged_decode.h"

#include "laconic/cuda/kernels/gpu_launcher.cuh"

namespace laconic::cuda {

void launch(const PagedDecodeArgs& args, Stream stream) {
  start(args, GpuLauncher{stream});
}

}  // namespace laconic::cuda
