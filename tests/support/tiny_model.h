// Small random models for tests.
#pragma once

#include "laconic/core/model/model.h"

namespace laconic {

inline model::ModelConfig tiny_config(model::Architecture architecture) {
  model::ModelConfig c;
  c.architecture = architecture;
  c.vocab_size = 61;  // odd on purpose
  c.hidden = 40;
  c.intermediate = 72;
  c.layers = 2;
  c.heads = 6;
  c.kv_heads = 2;
  c.head_dim = architecture == model::Architecture::qwen3 ? 12 : 10;
  c.max_positions = 512;
  c.qkv_bias = architecture == model::Architecture::qwen2;
  c.qk_norm = architecture == model::Architecture::qwen3;
  c.tied = architecture != model::Architecture::qwen2;
  return c;
}

inline model::Model tiny_model(model::Architecture architecture, at::ScalarType dtype = at::kFloat,
                               uint64_t seed = 11) {
  return model::Model::random(tiny_config(architecture), seed, dtype, at::kCPU);
}

}  // namespace laconic
