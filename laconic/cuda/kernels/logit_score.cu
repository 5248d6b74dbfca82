#include "laconic/cuda/kernels/logit_score.h"

#include "laconic/cuda/kernels/gpu_launcher.cuh"

namespace laconic::cuda {

void launch(const LogitScoreArgs& args, Stream stream) {
  start(args, GpuLauncher{stream});
}

void launch(const LogitGradientArgs& args, Stream stream) {
  start(args, GpuLauncher{stream});
}

}  // namespace laconic::cuda
