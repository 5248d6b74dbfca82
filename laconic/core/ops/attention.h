// Causal attention over packed sequences: training and scoring. Row-stable on the CPU, and bit for bit what
// paged_attention.h computes for the same sequence.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "laconic/core/ops/rotary.h"

namespace laconic::ops {

// Sequences laid end to end.
struct PackedSequences {
  std::span<const int64_t> offsets;  // [sequences + 1]: sequence i owns tokens offsets[i] .. offsets[i+1]-1
  at::Tensor on_device;              // the same, int32, where the tokens lie; undefined on the CPU

  PackedSequences(std::span<const int64_t> host, at::Tensor device = {})
      : offsets(host), on_device(std::move(device)) {}
  PackedSequences(const std::vector<int64_t>& host, at::Tensor device = {})
      : offsets(host), on_device(std::move(device)) {}
};

// `offsets` where `device` wants them: with the copy on the device, made once for all layers of a pass.
PackedSequences packed_sequences(std::span<const int64_t> offsets, at::Device device);

// qkv [tokens, qkv_width] after rotation; a sequence sees itself alone.
// out [tokens, heads * head_dim]. log_sum [tokens, heads] f32 receives the log of the softmax denominators where not
// null (the backward pass wants it).
void packed_attention_into(const at::Tensor& qkv, const PackedSequences& sequences, const HeadShape& shape,
                           at::Tensor& out, at::Tensor* log_sum);

// dqkv [tokens, qkv_width], overwritten, from dout and what the forward pass had and gave.
void packed_attention_backward(const at::Tensor& dout, const at::Tensor& qkv, const at::Tensor& out,
                               const at::Tensor& log_sum, const PackedSequences& sequences, const HeadShape& shape,
                               at::Tensor& dqkv);

}  // namespace laconic::ops
