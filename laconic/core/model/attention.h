// How an inference pass attends: the seam between the model and the key/value cache of a rollout. (Training attends
// over packed sequences, which the model does itself.)
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "laconic/core/ops/rotary.h"

namespace laconic::model {

class Attention {
 public:
  virtual ~Attention() = default;

  // qkv [rows, qkv_width] after the bias: q heads, k heads, v heads, which `rotation` (q/k norm and rotary embedding)
  // is still to be applied to, in place. Fills out [rows, heads * head_dim]. Called once per layer, layers in ascending
  // order.
  virtual void attend(int64_t layer, at::Tensor& qkv, const ops::Rotation& rotation, at::Tensor& out) = 0;
};

}  // namespace laconic::model
