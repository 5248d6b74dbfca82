// Cosines and sines of the rotary embedding with the scaling rules of Hugging Face configs.
#pragma once

#include <ATen/core/Tensor.h>

#include "laconic/core/model/model_config.h"

namespace laconic::model {

// [max_positions, head_dim] f32 on the CPU: cos of the head_dim/2 frequencies, then their sines. Frequencies and angles
// are rounded to f32 as the reference implementation does.
at::Tensor make_rope_table(const ModelConfig& config);

}  // namespace laconic::model
