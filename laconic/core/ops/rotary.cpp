#include "laconic/core/ops/rotary.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <vector>

#include "laconic/core/base/error.h"
#include "laconic/core/ops/device_ops.h"
#include "laconic/core/ops/kernels.h"
#include "laconic/core/ops/parallel.h"

namespace laconic::ops {
namespace {

constexpr int64_t kRowsPiece = 32;  // fixed, so that the thread count changes no gradient

at::Tensor norm_weight(const at::Tensor& weight) {
  return weight.defined() ? weight.detach().to(at::kFloat).contiguous() : weight;
}

const float* data_or_null(const at::Tensor& t) {
  return t.defined() ? t.const_data_ptr<float>() : nullptr;
}

}  // namespace

void rotate_into(const at::Tensor& qkv, const HeadShape& shape, const Rotation& rotation, at::Tensor& out) {
  const at::NoGradGuard no_grad;
  LACONIC_CHECK(
      qkv.is_contiguous() && out.is_contiguous() && qkv.size(1) == shape.qkv_width() && out.sizes() == qkv.sizes(),
      "rotate: qkv must be [tokens, {}]", shape.qkv_width());
  if (const auto* ops = device_ops(qkv)) return ops->rotate(qkv, shape, rotation, out);
  const auto q_norm = norm_weight(rotation.q_norm), k_norm = norm_weight(rotation.k_norm);
  const int64_t width = shape.qkv_width(), dim = shape.head_dim;
  const float* in = qkv.const_data_ptr<float>();
  float* result = out.mutable_data_ptr<float>();
  const int64_t* positions = rotation.positions.const_data_ptr<int64_t>();
  const float* table = rotation.table.const_data_ptr<float>();
  const auto& k = kernels();
  parallel_pieces(qkv.size(0), kRowsPiece, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const float* source = in + row * width;
      float* target = result + row * width;
      if (source != target) std::copy_n(source, width, target);
      const auto norm_heads = [&](float* x, int64_t heads, const float* weight) {
        if (weight == nullptr) return;
        NormArgs args{.x = x,
                      .ldx = dim,
                      .weight = weight,
                      .epsilon = static_cast<float>(rotation.norm_epsilon),
                      .y = x,
                      .ldy = dim,
                      .rows = heads,
                      .width = dim};
        k.rms_norm(args);
      };
      norm_heads(target, shape.heads, data_or_null(q_norm));
      norm_heads(target + shape.heads * dim, shape.kv_heads, data_or_null(k_norm));
      k.rotate(target, shape.heads + shape.kv_heads, dim, table + positions[row] * dim, 1.0f);
    }
  });
}

void rotate_backward_(at::Tensor& dqkv, const at::Tensor& qkv, const HeadShape& shape, const Rotation& rotation,
                      at::Tensor* dq_norm, at::Tensor* dk_norm) {
  const at::NoGradGuard no_grad;
  LACONIC_CHECK(dqkv.is_contiguous(), "rotate_backward_: dqkv must be contiguous");
  if (const auto* ops = device_ops(dqkv)) return ops->rotate_backward_(dqkv, qkv, shape, rotation, dq_norm, dk_norm);
  const auto q_norm = norm_weight(rotation.q_norm), k_norm = norm_weight(rotation.k_norm);
  const int64_t width = shape.qkv_width(), dim = shape.head_dim, rows = dqkv.size(0);
  const int64_t pieces = (rows + kRowsPiece - 1) / kRowsPiece;
  const bool with_norm = q_norm.defined();
  const auto partial = at::zeros({with_norm ? pieces : 0, 2, dim}, dqkv.options());
  float* gradient = dqkv.mutable_data_ptr<float>();
  const float* input = with_norm ? qkv.const_data_ptr<float>() : nullptr;
  const int64_t* positions = rotation.positions.const_data_ptr<int64_t>();
  const float* table = rotation.table.const_data_ptr<float>();
  const auto& k = kernels();
  parallel_pieces(rows, kRowsPiece, [&](int64_t begin, int64_t end) {
    std::vector<float> inverse(static_cast<size_t>(shape.heads)), ignored(static_cast<size_t>(shape.heads * dim));
    for (int64_t row = begin; row < end; ++row) {
      float* d = gradient + row * width;
      k.rotate(d, shape.heads + shape.kv_heads, dim, table + positions[row] * dim, -1.0f);
      if (!with_norm) continue;
      const auto norm_heads = [&](int64_t first, int64_t heads, const at::Tensor& weight, int64_t which) {
        const float* x = input + row * width + first * dim;
        float* dx = d + first * dim;
        const float* w = weight.const_data_ptr<float>();
        NormArgs forward{.x = x,
                         .ldx = dim,
                         .weight = w,
                         .epsilon = static_cast<float>(rotation.norm_epsilon),
                         .y = ignored.data(),
                         .ldy = dim,
                         .inverse_rms = inverse.data(),
                         .rows = heads,
                         .width = dim};
        k.rms_norm(forward);
        NormBackwardArgs args{.dy = dx,
                              .x = x,
                              .weight = w,
                              .inverse_rms = inverse.data(),
                              .dx = dx,
                              .dweight = partial.mutable_data_ptr<float>() + (begin / kRowsPiece * 2 + which) * dim,
                              .rows = heads,
                              .width = dim};
        k.rms_norm_backward(args);
      };
      norm_heads(0, shape.heads, q_norm, 0);
      norm_heads(shape.heads, shape.kv_heads, k_norm, 1);
    }
  });
  for (int64_t piece = 0; with_norm && piece < pieces; ++piece) {
    dq_norm->add_(partial[piece][0]);
    dk_norm->add_(partial[piece][1]);
  }
}

}  // namespace laconic::ops
