// Rotary embedding, cache and attention: tensors to kernels, and to ATen's flash attention.
#include <ATen/Functions.h>

#include <algorithm>
#include <cmath>

#include "laconic/cuda/kernels/kernels.h"
#include "laconic/cuda/plugin/tensor_ops.h"
#include "laconic/cuda/plugin/tensors.h"

namespace laconic::cuda {
namespace {

static_assert(kPageTokens == ops::kPageTokens);

Heads shape_of(const ops::HeadShape& shape) {
  return {shape.heads, shape.kv_heads, shape.head_dim};
}

PagedCache cache_of(const char* name, const at::Tensor& qkv, const ops::HeadShape& shape, const ops::KvPages& cache,
                    const PagedRows& rows) {
  check_tensors(name, qkv, {cache.keys, cache.values, rows.page_table, rows.sequence, rows.positions});
  const int64_t count = qkv.size(0), pages = cache.keys.size(0);
  check_sizes(name, "qkv", qkv, {count, shape.qkv_width()}, qkv.scalar_type());
  check_sizes(name, "keys", cache.keys, {pages, shape.kv_heads, shape.head_dim, kPageTokens}, qkv.scalar_type());
  check_sizes(name, "values", cache.values, {pages, shape.kv_heads, kPageTokens, shape.head_dim}, qkv.scalar_type());
  check_sizes(name, "positions", rows.positions, {count}, at::kLong);
  if (rows.sequence.defined()) check_sizes(name, "sequence", rows.sequence, {count}, at::kInt);
  LACONIC_CHECK(rows.page_table.dim() == 2 && rows.page_table.scalar_type() == at::kInt &&
                    (rows.sequence.defined() || rows.page_table.size(0) >= count),
                "{}: the page table must be [sequences, pages] int32", name);
  return {
      cache.keys.mutable_data_ptr(), cache.values.mutable_data_ptr(),      rows.page_table.const_data_ptr<int32_t>(),
      rows.page_table.size(1),       data_or_null<int32_t>(rows.sequence), rows.positions.const_data_ptr<int64_t>()};
}

float scale_of(const ops::HeadShape& shape) {
  return static_cast<float>(1.0 / std::sqrt(static_cast<double>(shape.head_dim)));
}

// Queries, keys and values [tokens, heads, head_dim] of packed rows.
struct Heads3 {
  at::Tensor q, k, v;
};

Heads3 heads_of(const at::Tensor& qkv, const ops::HeadShape& s) {
  const auto heads = qkv.view({qkv.size(0), -1, s.head_dim});
  return {heads.narrow(1, 0, s.heads), heads.narrow(1, s.heads, s.kv_heads),
          heads.narrow(1, s.heads + s.kv_heads, s.kv_heads)};
}

// ATen takes another way for single tokens, which does not expect that a sequence may be empty.
int64_t bound_of(int64_t longest) {
  return std::max<int64_t>(2, longest);
}

void check_packed(const char* name, const at::Tensor& qkv, const at::Tensor& offsets, const ops::HeadShape& shape,
                  const at::Tensor& out, const at::Tensor& log_sum) {
  check_tensors(name, qkv, {offsets, out, log_sum});
  check_sizes(name, "qkv", qkv, {qkv.size(0), shape.qkv_width()}, at::kBFloat16);
  check_sizes(name, "offsets", offsets, {offsets.numel()}, at::kInt);
  check_sizes(name, "out", out, {qkv.size(0), shape.out_width()}, at::kBFloat16);
  check_sizes(name, "log_sum", log_sum, {qkv.size(0), shape.heads}, at::kFloat);
}

void check_rotation(const char* name, const at::Tensor& qkv, const ops::HeadShape& shape,
                    const ops::Rotation& rotation) {
  check_tensors(name, qkv, {rotation.table, rotation.q_norm, rotation.k_norm});
  check_sizes(name, "table", rotation.table, {rotation.table.size(0), shape.head_dim}, at::kFloat);
  for (const auto* norm : {&rotation.q_norm, &rotation.k_norm}) {
    if (norm->defined()) check_sizes(name, "norm", *norm, {shape.head_dim}, qkv.scalar_type());
  }
}

const void* pointer_or_null(const at::Tensor& t) {
  return t.defined() ? t.const_data_ptr() : nullptr;
}

}  // namespace

void rotate(const at::Tensor& qkv, const ops::HeadShape& shape, const ops::Rotation& rotation, bool inverse) {
  constexpr const char* kName = "rotate";
  check_rotation(kName, qkv, shape, rotation);
  check_sizes(kName, "qkv", qkv, {qkv.size(0), shape.qkv_width()}, qkv.scalar_type());
  check_tensors(kName, qkv, {rotation.positions});
  check_sizes(kName, "positions", rotation.positions, {qkv.size(0)}, at::kLong);
  launch(RotateAppendArgs{.element = element_of(kName, qkv),
                          .qkv = qkv.mutable_data_ptr(),
                          .table = rotation.table.const_data_ptr<float>(),
                          .q_norm = inverse ? nullptr : pointer_or_null(rotation.q_norm),
                          .k_norm = inverse ? nullptr : pointer_or_null(rotation.k_norm),
                          .norm_epsilon = static_cast<float>(rotation.norm_epsilon),
                          .direction = inverse ? -1.0f : 1.0f,
                          .cache = {.positions = rotation.positions.const_data_ptr<int64_t>()},
                          .shape = shape_of(shape),
                          .rows = qkv.size(0)},
         stream_of(qkv));
}

void rotate_append(const at::Tensor& qkv, const ops::HeadShape& shape, const ops::Rotation& rotation,
                   const ops::KvPages& cache, const PagedRows& rows) {
  constexpr const char* kName = "rotate_append";
  const auto view = cache_of(kName, qkv, shape, cache, rows);
  check_rotation(kName, qkv, shape, rotation);
  launch(RotateAppendArgs{.element = element_of(kName, qkv),
                          .qkv = qkv.mutable_data_ptr(),
                          .table = rotation.table.const_data_ptr<float>(),
                          .q_norm = pointer_or_null(rotation.q_norm),
                          .k_norm = pointer_or_null(rotation.k_norm),
                          .norm_epsilon = static_cast<float>(rotation.norm_epsilon),
                          .cache = view,
                          .shape = shape_of(shape),
                          .rows = qkv.size(0)},
         stream_of(qkv));
}

void paged_decode(const at::Tensor& qkv, const ops::HeadShape& shape, const ops::KvPages& cache, const PagedRows& rows,
                  const at::Tensor& out) {
  constexpr const char* kName = "paged_decode";
  const auto view = cache_of(kName, qkv, shape, cache, rows);
  check_tensors(kName, qkv, {out});
  check_sizes(kName, "out", out, {qkv.size(0), shape.out_width()}, qkv.scalar_type());
  LACONIC_CHECK(shape.head_dim <= kMostHeadDim, "{}: heads of {} are wider than {}", kName, shape.head_dim,
                kMostHeadDim);
  const int64_t splits = std::max<int64_t>(1, ceil_div(rows.longest_context, kSplitTokens));
  // Freed at the end of this call, but the allocator gives it to later work of this stream only.
  const auto partial =
      at::empty({partial_values(qkv.size(0), splits, shape_of(shape))}, qkv.options().dtype(at::kFloat));
  launch(PagedDecodeArgs{.element = element_of(kName, qkv),
                         .q = qkv.const_data_ptr(),
                         .q_stride = shape.qkv_width(),
                         .cache = view,
                         .shape = shape_of(shape),
                         .scale = scale_of(shape),
                         .partial = partial.mutable_data_ptr<float>(),
                         .splits = splits,
                         .out = out.mutable_data_ptr(),
                         .rows = qkv.size(0)},
         stream_of(qkv));
}

void packed_attention(const at::Tensor& qkv, const at::Tensor& offsets, int64_t longest, const ops::HeadShape& shape,
                      const at::Tensor& out, const at::Tensor& log_sum) {
  check_packed("packed_attention", qkv, offsets, shape, out, log_sum);
  const auto h = heads_of(qkv, shape);
  const int64_t bound = bound_of(longest);
  const auto result = at::_flash_attention_forward(h.q, h.k, h.v, offsets, offsets, bound, bound, /*dropout_p=*/0.0,
                                                   /*is_causal=*/true, /*return_debug_mask=*/false, scale_of(shape));
  out.copy_(std::get<0>(result).reshape(out.sizes()));
  log_sum.copy_(std::get<1>(result).t());  // [heads, tokens]
}

void packed_attention_backward(const at::Tensor& dout, const at::Tensor& qkv, const at::Tensor& out,
                               const at::Tensor& log_sum, const at::Tensor& offsets, int64_t longest,
                               const ops::HeadShape& shape, const at::Tensor& dqkv) {
  constexpr const char* kName = "packed_attention_backward";
  check_packed(kName, qkv, offsets, shape, out, log_sum);
  check_tensors(kName, qkv, {dout, dqkv});
  check_sizes(kName, "dout", dout, out.sizes(), at::kBFloat16);
  check_sizes(kName, "dqkv", dqkv, qkv.sizes(), at::kBFloat16);
  const auto h = heads_of(qkv, shape), d = heads_of(dqkv, shape);
  const auto rows = [&](const at::Tensor& t) { return t.view({t.size(0), shape.heads, shape.head_dim}); };
  const int64_t bound = bound_of(longest);
  // The state of the generator is read where there is dropout.
  const auto unused = at::empty({2}, qkv.options().dtype(at::kLong));
  const auto [dq, dk, dv] = at::_flash_attention_backward(
      rows(dout), h.q, h.k, h.v, rows(out), log_sum.t().contiguous(), offsets, offsets, bound, bound,
      /*dropout_p=*/0.0, /*is_causal=*/true, unused, unused, scale_of(shape));
  d.q.copy_(dq);
  d.k.copy_(dk);
  d.v.copy_(dv);
}

}  // namespace laconic::cuda
