// Attention over packed sequences and against the paged cache in ATen operations.
#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <cmath>
#include <limits>

#include "laconic/core/base/error.h"
#include "laconic/core/ops/reference_ops.h"

namespace laconic::ops {
namespace {

double scale_of(const HeadShape& s) {
  return 1.0 / std::sqrt(static_cast<double>(s.head_dim));
}

// Of one sequence, f32: q [kv_heads, group, tokens, head_dim], k and v [kv_heads, 1, tokens, head_dim].
struct Heads {
  at::Tensor q, k, v;
};

// rows [tokens, heads * head_dim] -> [kv_heads, heads / kv_heads, tokens, head_dim] f32
at::Tensor grouped(const at::Tensor& rows, const HeadShape& s) {
  return rows.reshape({rows.size(0), s.kv_heads, -1, s.head_dim}).permute({1, 2, 0, 3}).to(at::kFloat);
}

// The way back.
at::Tensor ungrouped(const at::Tensor& heads) {
  return heads.permute({2, 0, 1, 3}).reshape({heads.size(2), -1});
}

Heads heads_of(const at::Tensor& qkv, const HeadShape& s) {
  const auto parts = qkv.split_with_sizes({s.heads * s.head_dim, s.kv_heads * s.head_dim, s.kv_heads * s.head_dim}, 1);
  return {grouped(parts[0], s), grouped(parts[1], s), grouped(parts[2], s)};
}

// Scaled scores of a sequence with itself, minus infinity where a key lies behind its query.
at::Tensor causal_scores(const Heads& h, const HeadShape& s) {
  const int64_t n = h.q.size(2);
  const auto future = at::ones({n, n}, h.q.options().dtype(at::kBool)).triu(1);
  return (at::matmul(h.q, h.k.transpose(2, 3)) * scale_of(s))
      .masked_fill(future, -std::numeric_limits<double>::infinity());
}

template <typename Body>
void for_each_sequence(const PackedSequences& sequences, const Body& body) {
  for (size_t i = 0; i + 1 < sequences.offsets.size(); ++i) {
    const int64_t begin = sequences.offsets[i], count = sequences.offsets[i + 1] - begin;
    if (count > 0) body(begin, count);
  }
}

}  // namespace

void ReferenceOps::packed_attention(const at::Tensor& qkv, const PackedSequences& sequences, const HeadShape& shape,
                                    at::Tensor& out, at::Tensor* log_sum) const {
  const at::NoGradGuard no_grad;
  for_each_sequence(sequences, [&](int64_t begin, int64_t count) {
    const auto h = heads_of(qkv.narrow(0, begin, count), shape);
    const auto scores = causal_scores(h, shape);
    out.narrow(0, begin, count).copy_(ungrouped(at::matmul(scores.softmax(-1), h.v)));
    if (log_sum != nullptr)
      log_sum->narrow(0, begin, count).copy_(scores.logsumexp(-1).reshape({shape.heads, count}).t());
  });
}

void ReferenceOps::packed_attention_backward(const at::Tensor& dout, const at::Tensor& qkv, const at::Tensor& out,
                                             const at::Tensor& log_sum, const PackedSequences& sequences,
                                             const HeadShape& shape, at::Tensor& dqkv) const {
  const at::NoGradGuard no_grad;
  for_each_sequence(sequences, [&](int64_t begin, int64_t count) {
    const auto h = heads_of(qkv.narrow(0, begin, count), shape);
    const auto d = grouped(dout.narrow(0, begin, count), shape), o = grouped(out.narrow(0, begin, count), shape);
    const auto sums = log_sum.narrow(0, begin, count).t().reshape({shape.kv_heads, shape.group(), count, 1});
    const auto p = (causal_scores(h, shape) - sums).exp();
    const auto dp = at::matmul(d, h.v.transpose(2, 3)) - (d * o).sum(-1, /*keepdim=*/true);
    const auto ds = p * dp * scale_of(shape);
    const auto dq = at::matmul(ds, h.k);
    const auto dk = at::matmul(ds.transpose(2, 3), h.q).sum(1, /*keepdim=*/true);
    const auto dv = at::matmul(p.transpose(2, 3), d).sum(1, /*keepdim=*/true);
    dqkv.narrow(0, begin, count).copy_(at::cat({ungrouped(dq), ungrouped(dk), ungrouped(dv)}, 1));
  });
}

void ReferenceOps::rotate_append(at::Tensor& qkv, const HeadShape& shape, const Rotation& rotation, KvPages& cache,
                                 const PagedRows& rows) const {
  const at::NoGradGuard no_grad;
  const auto busy = rows.positions.ge(0).nonzero().squeeze(1);
  auto own = rotation;
  own.positions = rows.positions.clamp_min(0);
  rotate(qkv, shape, own, qkv);
  const auto positions = rows.positions.index_select(0, busy);
  const auto lines = rows.sequence.defined() ? rows.sequence.index_select(0, busy).to(at::kLong) : busy;
  const auto pages = rows.page_table.to(at::kLong).index({lines, positions.floor_divide(kPageTokens)});
  const auto slots = positions.remainder(kPageTokens);
  const auto kv = qkv.index_select(0, busy).narrow(1, shape.out_width(), 2 * shape.kv_heads * shape.head_dim);
  const auto heads = kv.view({-1, 2, shape.kv_heads, shape.head_dim});
  const auto all = at::indexing::Slice();
  cache.keys.index_put_({pages, all, all, slots}, heads.select(1, 0));
  cache.values.index_put_({pages, all, slots}, heads.select(1, 1));
}

void ReferenceOps::paged_attention(const at::Tensor& qkv, const HeadShape& shape, const KvPages& cache,
                                   const PagedRows& rows, at::Tensor& out) const {
  const at::NoGradGuard no_grad;
  const int64_t columns = (rows.longest_context + kPageTokens - 1) / kPageTokens, tokens = columns * kPageTokens;
  const auto table = rows.page_table.narrow(1, 0, columns).to(at::kLong).clamp_min(0);
  const auto key_positions = at::arange(tokens, rows.positions.options());
  // Row by row: all keys of all rows at once may be more than the memory holds.
  const auto lines =
      rows.sequence.defined() ? rows.sequence.to(at::kLong) : at::arange(qkv.size(0), rows.positions.options());
  for (int64_t row = 0; row < qkv.size(0); ++row) {
    const auto pages = table.index_select(0, lines.narrow(0, row, 1)).view({-1});
    // [pages, kv_heads, head_dim, 32] -> [kv_heads, head_dim, tokens]; values [kv_heads, tokens, head_dim]
    const auto k =
        cache.keys.index_select(0, pages).permute({1, 2, 0, 3}).reshape({shape.kv_heads, shape.head_dim, -1});
    const auto v = cache.values.index_select(0, pages).transpose(0, 1).reshape({shape.kv_heads, -1, shape.head_dim});
    const auto hidden = key_positions.gt(rows.positions.narrow(0, row, 1).clamp_min(0));
    const auto q = qkv.select(0, row).narrow(0, 0, shape.out_width()).view({shape.kv_heads, -1, shape.head_dim});
    const auto scores = (at::matmul(q.to(at::kFloat), k.to(at::kFloat)) * scale_of(shape))
                            .masked_fill(hidden, -std::numeric_limits<double>::infinity());
    // What lies behind the last token is whatever the memory held, be it NaN.
    const auto seen = v.to(at::kFloat).masked_fill(hidden.view({1, -1, 1}), 0.0);
    out.select(0, row).copy_(at::matmul(scores.softmax(-1), seen).view({-1}));
  }
}

}  // namespace laconic::ops
