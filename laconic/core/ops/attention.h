// Causal attention over packed sequences: training and scoring. Row-stable on the CPU, and bit for bit what
// paged_attention.h computes for the same sequence.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>

#include "laconic/core/ops/rotary.h"

namespace laconic::ops {

// qkv [tokens, qkv_width] after rotation; sequence i owns tokens offsets[i] .. offsets[i+1]-1 and sees itself alone.
// out [tokens, heads * head_dim]. log_sum [tokens, heads] f32 receives the log of the softmax denominators where not
// null (the backward pass wants it).
void packed_attention_into(const at::Tensor& qkv, std::span<const int64_t> offsets, const HeadShape& shape,
                           at::Tensor& out, at::Tensor* log_sum);

// dqkv [tokens, qkv_width], overwritten, from dout and what the forward pass had and gave.
void packed_attention_backward(const at::Tensor& dout, const at::Tensor& qkv, const at::Tensor& out,
                               const at::Tensor& log_sum, std::span<const int64_t> offsets, const HeadShape& shape,
                               at::Tensor& dqkv);

}  // namespace laconic::ops
