// One decoder layer: y = h + mlp(norm(h)), h = x + attention(norm(x)). The forward is written once, for rollout and
// training; its gradient by hand, so that only what is needed is kept.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "laconic/core/model/model_config.h"
#include "laconic/core/model/weight_use.h"
#include "laconic/core/ops/attention.h"
#include "laconic/core/ops/rotary.h"

namespace laconic::model {

// Leaf tensors; fused where they share their input, so that each is one product.
struct LayerWeights {
  int64_t unit = 0;           // of weight_use.h
  at::Tensor input_norm;      // [hidden]
  at::Tensor qkv;             // [(heads + 2 kv_heads) * head_dim, hidden]
  at::Tensor qkv_bias;        // [(heads + 2 kv_heads) * head_dim] or undefined
  at::Tensor q_norm, k_norm;  // [head_dim] or undefined
  at::Tensor output;          // [hidden, heads * head_dim]
  at::Tensor output_bias;     // [hidden] or undefined
  at::Tensor post_norm;       // [hidden]
  at::Tensor gate_up;         // [2 * intermediate, hidden]: gate rows, then up rows
  at::Tensor gate_up_bias;    // [2 * intermediate] or undefined
  at::Tensor down;            // [hidden, intermediate]
  at::Tensor down_bias;       // [hidden] or undefined
};

// What all layers of a pass share.
struct LayerContext {
  ops::HeadShape shape;
  double norm_epsilon = 1e-6;
  at::Tensor positions;          // [rows] int64
  at::Tensor rope;               // [max_positions, head_dim] f32
  std::vector<int64_t> offsets;  // packed sequences; training and scoring only
  at::Tensor offsets_on_device;  // of PackedSequences
  WeightUse* use = nullptr;      // hears of the backward pass; may be null

  ops::Rotation rotation(const LayerWeights& weights) const;
  ops::PackedSequences sequences() const { return {offsets, offsets_on_device}; }
};

// Buffers of one layer; reused from layer to layer where nothing is kept for a backward pass.
struct LayerBuffers {
  at::Tensor normed;      // [rows, hidden]
  at::Tensor qkv;         // [rows, qkv_width]
  at::Tensor attention;   // [rows, heads * head_dim]
  at::Tensor gate_up;     // [rows, 2 * intermediate]
  at::Tensor activation;  // [rows, intermediate]

  // Makes the buffers for `rows` rows unless they have that size already.
  void resize(const LayerWeights& weights, const ops::HeadShape& shape, int64_t rows, const at::TensorOptions& options);
};

// attend(qkv, rotation, out): rotates qkv in place, then attends (attention.h).
using Attend = std::function<void(at::Tensor&, const ops::Rotation&, at::Tensor&)>;

// Without gradient: x [rows, hidden] becomes the layer's output in place.
void layer_forward_(const LayerWeights& weights, const LayerContext& context, const Attend& attend, at::Tensor& x,
                    LayerBuffers& buffers);

// With gradient, over packed sequences. The gradients of the weights are added to their .grad() when the backward pass
// runs (ops::gradient_of). recompute: keep only x and run the layer again in the backward pass; changes no number. The
// caller acquires the weights for the forward pass, the layer for the backward pass.
at::Tensor layer_forward(const LayerWeights& weights, std::shared_ptr<const LayerContext> context, const at::Tensor& x,
                         bool recompute);

}  // namespace laconic::model
