// Rotary embedding, cache and attention: tensors to kernels, and to ATen's flash attention.
#include <ATen/Functions.h>
#include <torch/csrc/autograd/custom_function.h>

#include <cmath>

#include "laconic/cuda/kernels/kernels.h"
#include "laconic/cuda/plugin/tensor_ops.h"
#include "laconic/cuda/plugin/tensors.h"

namespace laconic::cuda {
namespace {

static_assert(kPageTokens == ops::kPageTokens);

Heads heads_of(const ops::HeadShape& shape) {
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

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// ATen's flash attention over packed sequences; takes fewer key heads than query heads as they are.
class FlashAttention : public torch::autograd::Function<FlashAttention> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                            const at::Tensor& offsets, int64_t longest, double scale) {
    const auto result = at::_flash_attention_forward(q, k, v, offsets, offsets, longest, longest, /*dropout_p=*/0.0,
                                                     /*is_causal=*/true, /*return_debug_mask=*/false, scale);
    context->save_for_backward(
        {q, k, v, offsets, std::get<0>(result), std::get<1>(result), std::get<2>(result), std::get<3>(result)});
    context->saved_data["longest"] = longest;
    context->saved_data["scale"] = scale;
    return std::get<0>(result);
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const auto s = context->get_saved_variables();
    const int64_t longest = context->saved_data["longest"].toInt();
    const double scale = context->saved_data["scale"].toDouble();
    const auto [dq, dk, dv] =
        at::_flash_attention_backward(gradients[0].contiguous(), s[0], s[1], s[2], s[4], s[5], s[3], s[3], longest,
                                      longest, /*dropout_p=*/0.0, /*is_causal=*/true, s[6], s[7], scale);
    return {dq, dk, dv, at::Tensor(), at::Tensor(), at::Tensor()};
  }
};

}  // namespace

void rotate_append(const at::Tensor& qkv, const ops::HeadShape& shape, const ops::Rotation& rotation,
                   const ops::KvPages& cache, const PagedRows& rows) {
  constexpr const char* kName = "rotate_append";
  const auto view = cache_of(kName, qkv, shape, cache, rows);
  check_tensors(kName, qkv, {rotation.table, rotation.q_norm, rotation.k_norm});
  check_sizes(kName, "table", rotation.table, {rotation.table.size(0), shape.head_dim}, at::kFloat);
  for (const auto* norm : {&rotation.q_norm, &rotation.k_norm}) {
    if (norm->defined()) check_sizes(kName, "norm", *norm, {shape.head_dim}, qkv.scalar_type());
  }
  launch(RotateAppendArgs{.element = element_of(kName, qkv),
                          .qkv = qkv.mutable_data_ptr(),
                          .table = rotation.table.const_data_ptr<float>(),
                          .q_norm = rotation.q_norm.defined() ? rotation.q_norm.const_data_ptr() : nullptr,
                          .k_norm = rotation.k_norm.defined() ? rotation.k_norm.const_data_ptr() : nullptr,
                          .norm_epsilon = static_cast<float>(rotation.norm_epsilon),
                          .cache = view,
                          .shape = heads_of(shape),
                          .rows = qkv.size(0)},
         stream_of(qkv));
}

void paged_decode(const at::Tensor& qkv, const ops::HeadShape& shape, const ops::KvPages& cache, const PagedRows& rows,
                  int64_t longest_context, const at::Tensor& out) {
  constexpr const char* kName = "paged_decode";
  const auto view = cache_of(kName, qkv, shape, cache, rows);
  check_tensors(kName, qkv, {out});
  check_sizes(kName, "out", out, {qkv.size(0), shape.out_width()}, qkv.scalar_type());
  LACONIC_CHECK(shape.head_dim <= kMostHeadDim, "{}: heads of {} are wider than {}", kName, shape.head_dim,
                kMostHeadDim);
  const int64_t splits = std::max<int64_t>(1, ceil_div(longest_context, kSplitTokens));
  // Freed at the end of this call, but the allocator gives it to later work of this stream only.
  const auto partial =
      at::empty({partial_values(qkv.size(0), splits, heads_of(shape))}, qkv.options().dtype(at::kFloat));
  launch(PagedDecodeArgs{.element = element_of(kName, qkv),
                         .q = qkv.const_data_ptr(),
                         .q_stride = shape.qkv_width(),
                         .cache = view,
                         .shape = heads_of(shape),
                         .scale = scale_of(shape),
                         .partial = partial.mutable_data_ptr<float>(),
                         .splits = splits,
                         .out = out.mutable_data_ptr(),
                         .rows = qkv.size(0)},
         stream_of(qkv));
}

at::Tensor packed_attention(const at::Tensor& qkv, const at::Tensor& offsets, int64_t longest,
                            const ops::HeadShape& shape) {
  constexpr const char* kName = "packed_attention";
  check_tensors(kName, qkv, {offsets});
  check_sizes(kName, "qkv", qkv, {qkv.size(0), shape.qkv_width()}, at::kBFloat16);
  check_sizes(kName, "offsets", offsets, {offsets.numel()}, at::kInt);
  const auto heads = qkv.view({qkv.size(0), -1, shape.head_dim});
  const auto q = heads.narrow(1, 0, shape.heads), k = heads.narrow(1, shape.heads, shape.kv_heads),
             v = heads.narrow(1, shape.heads + shape.kv_heads, shape.kv_heads);
  return FlashAttention::apply(q, k, v, offsets, longest, static_cast<double>(scale_of(shape)))
      .reshape({qkv.size(0), shape.out_width()});
}

}  // namespace laconic::cuda
