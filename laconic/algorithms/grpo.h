// GRPO (DeepSeekMath, arXiv 2402.03300) and its options: the base objective as it is, configured by presets.
#pragma once

#include "laconic/algorithms/registry.h"

namespace laconic::algorithms {

Method grpo_method();

}  // namespace laconic::algorithms
