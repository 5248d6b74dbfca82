// Rotary position embedding of the query and key heads, with the per-head RMS norm that Qwen3 puts before it.
//
// A row of qkv holds heads query vectors, then kv_heads key vectors, then kv_heads value vectors, each [head_dim].
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace laconic::ops {

struct HeadShape {
  int64_t heads = 0;
  int64_t kv_heads = 0;
  int64_t head_dim = 0;

  int64_t group() const { return heads / kv_heads; }  // query heads that share a key head
  int64_t qkv_width() const { return (heads + 2 * kv_heads) * head_dim; }
  int64_t out_width() const { return heads * head_dim; }
};

// What the rotation needs; the tensors outlive the call. q_norm and k_norm [head_dim] may be undefined (no norm).
struct Rotation {
  at::Tensor positions;  // [tokens] int64, on the CPU for a CPU model
  at::Tensor table;      // [max_positions, head_dim] f32: cos half, sin half
  at::Tensor q_norm, k_norm;
  double norm_epsilon = 0;
};

// out [tokens, qkv_width] from qkv; out may be qkv itself. Values are copied as they are.
void rotate_into(const at::Tensor& qkv, const HeadShape& shape, const Rotation& rotation, at::Tensor& out);

// dqkv becomes the gradient before rotation and norm. qkv is the input of rotate_into (used with norms only);
// dq_norm and dk_norm [head_dim] f32 are added to where the norms exist.
void rotate_backward_(at::Tensor& dqkv, const at::Tensor& qkv, const HeadShape& shape, const Rotation& rotation,
                      at::Tensor* dq_norm, at::Tensor* dk_norm);

}  // namespace laconic::ops
