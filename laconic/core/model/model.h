// A decoder-only transformer (Llama, Mistral, Qwen2, Qwen3): one set of weights and one forward for rollout and
// training.
//
// q/k/v and gate/up are stored fused, so that each is one GEMM; the Hugging Face tensors are views (row slices) of
// them.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "laconic/core/model/attention.h"
#include "laconic/core/model/model_config.h"

namespace laconic::model {

// A trainable unit as the optimizer sees it.
struct Parameter {
  std::string name;   // "model.layers.3.self_attn.qkv_proj.weight"
  at::Tensor tensor;  // leaf, requires_grad unless the model is frozen
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

class Model {
 public:
  // Empty tensors of the right shapes; load or initialise before use.
  Model(ModelConfig config, at::ScalarType dtype, at::Device device);

  // A Hugging Face folder: config.json and model.safetensors, or shards with model.safetensors.index.json. f32, bf16
  // and f16 files are converted to `dtype`. A missing, extra or misshapen tensor and a non-finite weight are errors
  // that name it.
  static Model from_folder(const std::filesystem::path& folder, at::ScalarType dtype, at::Device device);

  // Seeded by (seed, tensor name): matrices N(0, 1/fan_in), output projections (o_proj, down_proj) x 0.4, embeddings
  // N(0, 0.05^2), norms 1, biases 0.
  static Model random(ModelConfig config, uint64_t seed, at::ScalarType dtype, at::Device device);

  // config.json, generation_config.json and model.safetensors, as the Python stack reads them. Tokenizer files are the
  // caller's.
  void save_folder(const std::filesystem::path& folder, at::ScalarType dtype) const;

  // The final-norm hidden states [tokens, hidden] of packed tokens. ids and positions: [tokens] int64 on the model's
  // device. Differentiable when grad mode is on.
  at::Tensor forward(const at::Tensor& ids, const at::Tensor& positions, Attention& attention,
                     const ForwardOptions& options = {}) const;

  // [vocab, hidden]; the embedding itself where tied. logits = hidden @ head^T.
  const at::Tensor& head() const;

  const ModelConfig& config() const { return config_; }
  at::ScalarType dtype() const { return dtype_; }
  at::Device device() const { return device_; }

  std::vector<Parameter> parameters() const;
  std::vector<NamedTensor> named_tensors() const;
  void set_trainable(bool trainable);
  Model clone_frozen() const;  // a copy that needs no gradient (reference policy)

  struct Layer {
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

 private:
  ModelConfig config_;
  at::ScalarType dtype_;
  at::Device device_;
  at::Tensor embedding_;   // [vocab, hidden]
  at::Tensor final_norm_;  // [hidden]
  at::Tensor head_;        // [vocab, hidden]; shares embedding_ where tied
  std::vector<Layer> layers_;
  at::Tensor rope_;  // [max_positions, head_dim]: cos half, then sin half, f32
};

}  // namespace laconic::model
