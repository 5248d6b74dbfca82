// The transformer in plain ATen operations, in the dtype of the given tensors: slow, short, and differentiable by
// autograd. What the real model computes, and its hand-written gradients, are compared with this.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "laconic/core/model/model.h"
#include "laconic/core/model/rope_table.h"

namespace laconic {

class ReferenceModel {
 public:
  // Leaves in double with the values of the model's tensors, under their Hugging Face names.
  explicit ReferenceModel(const model::Model& model)
      : config_(model.config()), rope_(model::make_rope_table(model.config()).to(at::kDouble)) {
    for (const auto& named : model.named_tensors())
      leaves_[named.name] = named.tensor.to(at::kDouble).clone().requires_grad_(true);
  }

  // logits [tokens, vocab] of one sequence
  at::Tensor logits(const std::vector<int32_t>& ids) const {
    const auto n = static_cast<int64_t>(ids.size());
    const auto tokens = at::tensor(std::vector<int64_t>(ids.begin(), ids.end()), at::kLong);
    auto x = leaf("model.embed_tokens.weight").index_select(0, tokens);
    for (int64_t i = 0; i < config_.layers; ++i) {
      const std::string layer = fmt::format("model.layers.{}.", i);
      x = x + attention(layer + "self_attn.", norm(x, leaf(layer + "input_layernorm.weight")), n);
      const auto h = norm(x, leaf(layer + "post_attention_layernorm.weight"));
      const auto gated = at::silu(linear(h, layer + "mlp.gate_proj")) * linear(h, layer + "mlp.up_proj");
      x = x + linear(gated, layer + "mlp.down_proj");
    }
    return at::linear(norm(x, leaf("model.norm.weight")),
                      leaf(config_.tied ? "model.embed_tokens.weight" : "lm_head.weight"));
  }

  // Leaves by name; a test may change a value (under NoGradGuard) or read a gradient.
  const at::Tensor& leaf(const std::string& name) const { return leaves_.at(name); }
  const std::map<std::string, at::Tensor>& leaves() const { return leaves_; }

 private:
  at::Tensor norm(const at::Tensor& x, const at::Tensor& weight) const {
    return x * (x.square().mean(-1, true) + config_.rms_epsilon).rsqrt() * weight;
  }

  at::Tensor linear(const at::Tensor& x, const std::string& name) const {
    const auto bias = leaves_.find(name + ".bias");
    return at::linear(x, leaf(name + ".weight"), bias == leaves_.end() ? at::Tensor() : bias->second);
  }

  at::Tensor attention(const std::string& name, const at::Tensor& x, int64_t n) const {
    const auto cosine = rope_.narrow(0, 0, n).narrow(1, 0, config_.head_dim / 2).unsqueeze(0);
    const auto sine = rope_.narrow(0, 0, n).narrow(1, config_.head_dim / 2, config_.head_dim / 2).unsqueeze(0);
    const auto heads = [&](const char* part) {  // [heads, tokens, head_dim]
      return linear(x, name + part).view({n, -1, config_.head_dim}).transpose(0, 1);
    };
    const auto rotated = [&](at::Tensor t, const char* weight) {
      if (config_.qk_norm) t = norm(t, leaf(name + weight));
      const auto half = t.chunk(2, -1);
      return at::cat({half[0] * cosine - half[1] * sine, half[1] * cosine + half[0] * sine}, -1);
    };
    const int64_t group = config_.heads / config_.kv_heads;
    const auto q = rotated(heads("q_proj"), "q_norm.weight");
    const auto k = rotated(heads("k_proj"), "k_norm.weight").repeat_interleave(group, 0);
    const auto v = heads("v_proj").repeat_interleave(group, 0);
    const auto future = at::ones({n, n}, at::kBool).triu(1);
    auto scores = at::matmul(q, k.transpose(1, 2)) / std::sqrt(static_cast<double>(config_.head_dim));
    scores = scores.masked_fill(future, -std::numeric_limits<double>::infinity());
    return linear(at::matmul(scores.softmax(-1), v).transpose(0, 1).reshape({n, -1}), name + "o_proj");
  }

  model::ModelConfig config_;
  at::Tensor rope_;
  std::map<std::string, at::Tensor> leaves_;
};

}  // namespace laconic
