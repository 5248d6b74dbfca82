#include "laconic/core/ops/paged_attention.h"

#include <ATen/ATen.h>

#include <vector>

#include "laconic/core/base/error.h"
#include "laconic/core/ops/attention_tile.h"
#include "laconic/core/ops/kernels.h"
#include "laconic/core/ops/parallel.h"

namespace laconic::ops {
namespace {

struct CacheView {
  float* keys;
  float* values;
  HeadShape shape;

  int64_t page_floats() const { return shape.head_dim * kPageTokens; }
  float* key_page(int32_t page, int64_t head) const { return keys + (page * shape.kv_heads + head) * page_floats(); }
  float* value_page(int32_t page, int64_t head) const {
    return values + (page * shape.kv_heads + head) * page_floats();
  }
};

void append(const PagedSpan& span, int64_t head, const float* qkv, const CacheView& cache) {
  const auto& s = cache.shape;
  for (int64_t i = 0; i < span.rows; ++i) {
    const int64_t position = span.context + i, slot = position % kPageTokens;
    const int32_t page = span.pages[position / kPageTokens];
    const float* row = qkv + (span.first_row + i) * s.qkv_width();
    const float* key = row + (s.heads + head) * s.head_dim;
    float* key_page = cache.key_page(page, head);
    for (int64_t d = 0; d < s.head_dim; ++d) key_page[d * kPageTokens + slot] = key[d];
    std::copy_n(row + (s.heads + s.kv_heads + head) * s.head_dim, s.head_dim,
                cache.value_page(page, head) + slot * s.head_dim);
  }
}

// Rows begin .. end-1 of a span, one key head.
void attend(const PagedSpan& span, int64_t begin, int64_t end, int64_t head, const float* qkv, const CacheView& cache,
            float* out) {
  thread_local Scratch scratch;
  const auto& s = cache.shape;
  const int64_t dim = s.head_dim, group = s.group(), per_tile = positions_per_tile(s), tile_rows = per_tile * group;
  const int64_t stride = padded_keys(span.context + end);
  float* q = scratch.get(tile_rows * (2 * dim + stride));
  float* o = q + tile_rows * dim;
  float* scores = o + tile_rows * dim;
  const auto& k = kernels();
  const float scale = softmax_scale(s);
  for (int64_t r0 = begin; r0 < end; r0 += per_tile) {
    const int64_t r1 = std::min(r0 + per_tile, end), rows = (r1 - r0) * group, seen = span.context + r1;
    gather_heads(qkv + (span.first_row + r0) * s.qkv_width(), s.qkv_width(), r1 - r0, head * group, s, q);
    for (int64_t at = 0; at < seen; at += kPageTokens) {
      k.small_gemm({.a = q,
                    .a_row = dim,
                    .a_step = 1,
                    .b = cache.key_page(span.pages[at / kPageTokens], head),
                    .ldb = kPageTokens,
                    .c = scores + at,
                    .ldc = stride,
                    .m = rows,
                    .n = kPageTokens,
                    .k = dim});
    }
    float totals[kMaxTileRows];
    for (int64_t r = 0; r < rows; ++r) {
      float top = 0;
      k.softmax_row(scores + r * stride, span.context + r0 + r / group + 1, padded_keys(seen), scale, &top, &totals[r]);
    }
    for (int64_t at = 0; at < seen; at += kPageTokens) {
      k.small_gemm({.a = scores + at,
                    .a_row = stride,
                    .a_step = 1,
                    .b = cache.value_page(span.pages[at / kPageTokens], head),
                    .ldb = dim,
                    .c = o,
                    .ldc = dim,
                    .m = rows,
                    .n = dim,
                    .k = std::min(kPageTokens, seen - at),
                    .add = at > 0});
    }
    for (int64_t r = 0; r < rows; ++r) k.scale_row(o + r * dim, dim, 1.0f / totals[r]);
    scatter_heads(o, s.out_width(), r1 - r0, head * group, s, out + (span.first_row + r0) * s.out_width());
  }
}

struct Task {
  const PagedSpan* span;
  int64_t head, begin, end;
  bool whole;  // the span is not cut: this task also appends
};

std::vector<Task> tasks_of(std::span<const PagedSpan> spans, const HeadShape& s) {
  constexpr int64_t kRowsPerTask = 96;
  std::vector<Task> tasks;
  for (const auto& span : spans) {
    const int64_t cuts = (span.rows + kRowsPerTask - 1) / kRowsPerTask;
    for (int64_t head = 0; head < s.kv_heads; ++head) {
      for (int64_t c = 0; c < cuts; ++c) {
        tasks.push_back({&span, head, span.rows * c / cuts, span.rows * (c + 1) / cuts, cuts == 1});
      }
    }
  }
  return tasks;
}

}  // namespace

KvPages make_kv_pages(int64_t pages, const HeadShape& shape, const at::TensorOptions& options) {
  return {at::empty({pages, shape.kv_heads, shape.head_dim, kPageTokens}, options),
          at::empty({pages, shape.kv_heads, kPageTokens, shape.head_dim}, options)};
}

void paged_attention_into(const at::Tensor& qkv, std::span<const PagedSpan> spans, const HeadShape& shape,
                          KvPages& cache, at::Tensor& out) {
  LACONIC_CHECK(qkv.is_cpu() && qkv.is_contiguous() && out.is_contiguous() && qkv.scalar_type() == at::kFloat,
                "paged attention: contiguous f32 CPU tensors expected");
  LACONIC_CHECK(shape.group() * positions_per_tile(shape) <= kMaxTileRows,
                "attention: {} query heads share a key head, at most {} can", shape.group(), kMaxTileRows);
  const CacheView view{cache.keys.mutable_data_ptr<float>(), cache.values.mutable_data_ptr<float>(), shape};
  const float* in = qkv.const_data_ptr<float>();
  float* result = out.mutable_data_ptr<float>();
  const auto tasks = tasks_of(spans, shape);
  for (const auto& task : tasks) {
    if (!task.whole && task.begin == 0) append(*task.span, task.head, in, view);
  }
  parallel_tasks(static_cast<int64_t>(tasks.size()), [&](int64_t i) {
    const Task& task = tasks[static_cast<size_t>(i)];
    if (task.whole) append(*task.span, task.head, in, view);
    attend(*task.span, task.begin, task.end, task.head, in, view, result);
  });
}

void copy_page(KvPages& cache, int32_t from, int32_t to, int64_t tokens, const HeadShape& shape) {
  if (!cache.keys.is_cpu() || cache.keys.scalar_type() != at::kFloat) {
    cache.keys.select(0, to).copy_(cache.keys.select(0, from));
    cache.values.select(0, to).copy_(cache.values.select(0, from));
    return;
  }
  // Keys are strided by token, so the whole key page is copied; what lies behind `tokens` is overwritten before use.
  const CacheView view{cache.keys.mutable_data_ptr<float>(), cache.values.mutable_data_ptr<float>(), shape};
  std::copy_n(view.key_page(from, 0), shape.kv_heads * view.page_floats(), view.key_page(to, 0));
  for (int64_t head = 0; head < shape.kv_heads; ++head) {
    std::copy_n(view.value_page(from, head), tokens * shape.head_dim, view.value_page(to, head));
  }
}

}  // namespace laconic::ops
