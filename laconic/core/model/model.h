// A decoder-only transformer (Llama, Mistral, Qwen2, Qwen3): one set of weights for rollout and training.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "laconic/core/model/attention.h"
#include "laconic/core/model/layer.h"
#include "laconic/core/model/model_config.h"
#include "laconic/core/model/weight_use.h"

namespace laconic::model {

// A trainable unit as the optimizer sees it.
struct Parameter {
  std::string name;   // "model.layers.3.self_attn.qkv_proj.weight"
  at::Tensor tensor;  // leaf; requires_grad where the model is trainable
  bool decay = true;  // false for norms and biases
};

// A tensor under its Hugging Face name: a view into a Parameter's storage.
struct NamedTensor {
  std::string name;  // "model.layers.3.self_attn.k_proj.weight"
  at::Tensor tensor;
};

struct ForwardOptions {
  bool recompute = false;  // activation checkpointing: keep only each layer's input for the backward pass
};

// Memory of an inference pass, kept between passes of the same size.
struct InferenceBuffers {
  at::Tensor x;  // [rows, hidden]
  LayerBuffers layer;
};

class Model {
 public:
  // Uninitialised tensors of the right shapes, f32 or bf16. Frozen until set_trainable().
  Model(ModelConfig config, at::ScalarType dtype, at::Device device);

  // A Hugging Face folder: config.json and model.safetensors, or shards with model.safetensors.index.json. f32, bf16
  // and f16 files are converted to `dtype`. A missing, extra or misshapen tensor and a non-finite weight are errors
  // that name it.
  static Model from_folder(const std::filesystem::path& folder, at::ScalarType dtype, at::Device device);

  // Seeded by (seed, tensor): matrices N(0, 1/fan_in), output projections (o_proj, down_proj) x 0.4, embeddings
  // N(0, 0.05^2), norms 1, biases 0.
  static Model random(ModelConfig config, uint64_t seed, at::ScalarType dtype, at::Device device);

  // config.json, generation_config.json and model.safetensors, as the Python stack reads them, each written whole or
  // not at all. Tokenizer files are the caller's.
  void save_folder(const std::filesystem::path& folder, at::ScalarType dtype) const;

  // Hidden states [tokens, hidden] before the final norm, of sequences laid end to end; sequence i owns tokens
  // offsets[i] .. offsets[i+1]-1. ids and positions [tokens] int64. Differentiable where grad mode is on and the model
  // is trainable: the backward pass adds to the .grad() of every parameter, f32.
  at::Tensor hidden_states(const at::Tensor& ids, const at::Tensor& positions, std::span<const int64_t> offsets,
                           const ForwardOptions& options = {}) const;

  // The same rows attending through a cache, without gradient. The result is buffers.x.
  const at::Tensor& hidden_states(const at::Tensor& ids, const at::Tensor& positions, Attention& attention,
                                  InferenceBuffers& buffers) const;

  const at::Tensor& final_norm() const { return final_norm_; }  // [hidden]
  // [vocab, hidden]; the embedding itself where tied. logits = norm(hidden) @ head^T.
  const at::Tensor& head() const { return head_; }

  const ModelConfig& config() const { return config_; }
  ops::HeadShape head_shape() const { return {config_.heads, config_.kv_heads, config_.head_dim}; }
  at::ScalarType dtype() const { return dtype_; }
  at::Device device() const { return device_; }
  // Dtype of activations: f32 on the CPU, that of the weights elsewhere.
  at::ScalarType compute_dtype() const;

  std::vector<Parameter> parameters() const;
  std::vector<NamedTensor> named_tensors() const;
  void set_trainable(bool trainable);
  Model clone_frozen() const;  // a copy that needs no gradient (reference policy)

  // Hears of every use of the weights from now on; outlives the model's use, not owned. Null: nobody does.
  void set_weight_use(WeightUse* use) { use_ = use; }
  WeightUse* weight_use() const { return use_; }
  // Around a use of final_norm() and head() by a caller.
  void acquire_head(Pass pass) const { acquire(config_.layers + 1, pass); }
  void release_head(Pass pass) const { release(config_.layers + 1, pass); }

 private:
  LayerContext context(const at::Tensor& positions) const;
  void acquire(int64_t unit, Pass pass) const {
    if (use_ != nullptr) use_->acquire(unit, pass);
  }
  void release(int64_t unit, Pass pass) const {
    if (use_ != nullptr) use_->release(unit, pass);
  }

  ModelConfig config_;
  at::ScalarType dtype_;
  at::Device device_;
  at::Tensor embedding_;   // [vocab, hidden]
  at::Tensor final_norm_;  // [hidden]
  at::Tensor head_;        // [vocab, hidden]; the same tensor as embedding_ where tied
  std::vector<LayerWeights> layers_;
  at::Tensor rope_;  // [max_positions, head_dim]: cos half, then sin half, f32
  WeightUse* use_ = nullptr;
};

}  // namespace laconic::model
