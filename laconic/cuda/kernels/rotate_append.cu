#include "laconic/cuda/kernels/rotate_append.h"

#include "laconic/cuda/kernels/gpu_launcher.cuh"

namespace laconic::cuda {

void launch(const RotateAppendArgs& args, Stream stream) {
  start(args, GpuLauncher{stream});
}

}  // namespace laconic::cuda
