#include "laconic/cuda/kernels/swiglu.h"

#include "laconic/cuda/kernels/gpu_launcher.cuh"

namespace laconic::cuda {

void launch(const SwigluArgs& args, Stream stream) {
  start(args, GpuLauncher{stream});
}

void launch(const SwigluBackwardArgs& args, Stream stream) {
  start(args, GpuLauncher{stream});
}

}  // namespace laconic::cuda
