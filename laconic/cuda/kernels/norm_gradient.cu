#include "laconic/cuda/kernels/norm_gradient.h"

#include "laconic/cuda/kernels/gpu_launcher.cuh"

namespace laconic::cuda {

void launch(const NormGradientArgs& args, Stream stream) {
  start(args, GpuLauncher{stream});
}

}  // namespace laconic::cuda
