// The key/value cache of all layers, and the model's view of it during one step.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <vector>

#include "laconic/core/model/attention.h"
#include "laconic/core/model/model.h"
#include "laconic/core/ops/paged_attention.h"

namespace laconic::rollout {

class KvCache {
 public:
  // Memory for `pages` pages in every layer, allocated once; pages that are never used are never touched.
  KvCache(const model::Model& model, int64_t pages);

  // Bytes of one page over all layers.
  static int64_t page_bytes(const model::ModelConfig& config, int64_t element_bytes);

  // Copies the first `tokens` positions of a page in every layer.
  void copy_page(int32_t from, int32_t to, int64_t tokens);

  ops::KvPages& layer(int64_t index) { return layers_[static_cast<size_t>(index)]; }
  const ops::HeadShape& shape() const { return shape_; }

 private:
  ops::HeadShape shape_;
  std::vector<ops::KvPages> layers_;
};

// Attention of one step's rows against the cache, on the CPU.
class CachedAttention final : public model::Attention {
 public:
  CachedAttention(KvCache& cache, std::span<const ops::PagedSpan> spans) : cache_(cache), spans_(spans) {}
  void attend(int64_t layer, at::Tensor& qkv, const ops::Rotation& rotation, at::Tensor& out) override {
    ops::rotate_into(qkv, cache_.shape(), rotation, qkv);
    ops::paged_attention_into(qkv, spans_, cache_.shape(), cache_.layer(layer), out);
  }

 private:
  KvCache& cache_;
  std::span<const ops::PagedSpan> spans_;
};

}  // namespace laconic::rollout
