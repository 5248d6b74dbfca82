#include "laconic/core/rollout/kv_cache.h"

namespace laconic::rollout {

KvCache::KvCache(const model::Model& model, int64_t pages) : shape_(model.head_shape()) {
  const auto options = at::TensorOptions().dtype(model.compute_dtype()).device(model.device());
  for (int64_t i = 0; i < model.config().layers; ++i) layers_.push_back(ops::make_kv_pages(pages, shape_, options));
}

int64_t KvCache::page_bytes(const model::ModelConfig& config, int64_t element_bytes) {
  return 2 * config.layers * config.kv_heads * config.head_dim * ops::kPageTokens * element_bytes;
}

void KvCache::copy_page(int32_t from, int32_t to, int64_t tokens) {
  for (auto& layer : layers_) ops::copy_page(layer, from, to, tokens, shape_);
}

}  // namespace laconic::rollout
