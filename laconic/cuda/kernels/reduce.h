// Reductions over a warp and a block. The order is fixed by the number of threads alone, so the result has the same
// bits in every run and in the emulation.
#pragma once

#include "laconic/cuda/kernels/portable.h"

namespace laconic::cuda {

struct Sum {
  template <typename T>
  LACONIC_DEVICE T operator()(T a, T b) const {
    return a + b;
  }
};
struct Largest {
  template <typename T>
  LACONIC_DEVICE T operator()(T a, T b) const {
    return larger(a, b);
  }
};

// In every lane.
template <typename Block, typename T, typename Operation>
LACONIC_DEVICE T reduce_warp(Block& block, T value, Operation operation) {
  for (int mask = kWarp / 2; mask > 0; mask /= 2) value = operation(value, block.shuffle_xor(value, mask));
  return value;
}

// In every thread. scratch: shared memory, one value per warp; may be given again at once.
template <typename Block, typename T, typename Operation>
LACONIC_DEVICE T reduce_block(Block& block, T value, T* scratch, Operation operation) {
  value = reduce_warp(block, value, operation);
  block.barrier();  // the call before may still be reading
  if (block.lane() == 0) scratch[block.warp()] = value;
  block.barrier();
  T total = scratch[0];
  for (int w = 1; w < block.warps(); ++w) total = operation(total, scratch[w]);
  return total;
}

}  // namespace laconic::cuda
