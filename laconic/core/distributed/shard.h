// What the ranks of a run divide among themselves instead of each holding it (ZeRO, Rajbhandari et al., arXiv
// 1910.02054).
#pragma once

namespace laconic::distributed {

// Each value includes those before it.
enum class Shard {
  none,
  optimizer,   // moments and master copies
  gradients,   // the gradient, too
  parameters,  // the weights, too
};

}  // namespace laconic::distributed
