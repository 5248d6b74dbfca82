// The kernels' launches, run on the CPU.
#include "laconic/cuda/kernels/kernels.h"
#include "tests/cuda/emulation/emulated_block.h"

namespace laconic::cuda {

void launch(const AddNormArgs& args, Stream /*stream*/) {
  start(args, EmulatedLauncher{});
}
void launch(const NormGradientArgs& args, Stream /*stream*/) {
  start(args, EmulatedLauncher{});
}
void launch(const SwigluArgs& args, Stream /*stream*/) {
  start(args, EmulatedLauncher{});
}
void launch(const SwigluBackwardArgs& args, Stream /*stream*/) {
  start(args, EmulatedLauncher{});
}
void launch(const RotateAppendArgs& args, Stream /*stream*/) {
  start(args, EmulatedLauncher{});
}
void launch(const PagedDecodeArgs& args, Stream /*stream*/) {
  start(args, EmulatedLauncher{});
}
void launch(const LogitScoreArgs& args, Stream /*stream*/) {
  start(args, EmulatedLauncher{});
}
void launch(const LogitGradientArgs& args, Stream /*stream*/) {
  start(args, EmulatedLauncher{});
}
void launch(const SampleArgs& args, Stream /*stream*/) {
  start(args, EmulatedLauncher{});
}

}  // namespace laconic::cuda
