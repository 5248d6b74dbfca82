// How an inference pass attends: the seam between the model and the key/value cache of a rollout. (Training attends
// over packed sequences, which the model does itself.)
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace laconic::model {

class Attention {
 public:
  virtual ~Attention() = default;

  // qkv [rows, qkv_width] after bias, q/k norm and rotary embedding: q heads, k heads, v heads. Fills out
  // [rows, heads * head_dim]. Called once per layer, layers in ascending order.
  virtual void attend(int64_t layer, const at::Tensor& qkv, at::Tensor& out) = 0;
};

}  // namespace laconic::model
