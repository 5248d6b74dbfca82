// How a forward pass attends: the one seam between training (packed sequences, differentiable) and rollout (paged KV
// cache).
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace laconic::model {

class Attention {
 public:
  virtual ~Attention() = default;

  // qkv: [tokens, (heads + 2 kv_heads) * head_dim], after bias, q/k norm and rotary embedding; rows are q heads, then
  // k, then v. Returns [tokens, heads * head_dim] in the same dtype. Called once per layer, layers in ascending order.
  virtual at::Tensor attend(int64_t layer, const at::Tensor& qkv) = 0;
};

// Causal attention within each packed sequence; sequence i owns tokens offsets[i] .. offsets[i+1]-1. Differentiable.
class PackedAttention final : public Attention {
 public:
  PackedAttention(std::vector<int64_t> offsets, int64_t heads, int64_t kv_heads, int64_t head_dim);
  at::Tensor attend(int64_t layer, const at::Tensor& qkv) override;

 private:
  std::vector<int64_t> offsets_;
  int64_t heads_;
  int64_t kv_heads_;
  int64_t head_dim_;
};

}  // namespace laconic::model
