#include "laconic/core/ops/attention.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <utility>

#include "laconic/core/base/error.h"
#include "laconic/core/ops/attention_tile.h"
#include "laconic/core/ops/device_ops.h"
#include "laconic/core/ops/kernels.h"
#include "laconic/core/ops/parallel.h"
#include "laconic/core/ops/upload.h"

namespace laconic::ops {
namespace {

// One sequence and key head: where its rows lie.
struct HeadView {
  int64_t tokens = 0, stride = 0;  // of qkv
  const float* q = nullptr;        // first token's row
  const float* k = nullptr;        // first token's key of this head
  const float* v = nullptr;
  int64_t first_head = 0;  // of the query group
};

HeadView view_of(const float* qkv, int64_t begin, int64_t end, int64_t kv_head, const HeadShape& s) {
  HeadView view;
  view.tokens = end - begin;
  view.stride = s.qkv_width();
  view.q = qkv + begin * view.stride;
  view.k = view.q + (s.heads + kv_head) * s.head_dim;
  view.v = view.q + (s.heads + s.kv_heads + kv_head) * s.head_dim;
  view.first_head = kv_head * s.group();
  return view;
}

void check(const at::Tensor& qkv, std::span<const int64_t> offsets, const HeadShape& s) {
  LACONIC_CHECK(qkv.is_contiguous() && qkv.size(1) == s.qkv_width(), "attention: qkv must be [tokens, {}]",
                s.qkv_width());
  LACONIC_CHECK(s.group() * positions_per_tile(s) <= kMaxTileRows,
                "attention: {} query heads share a key head, at most {} can", s.group(), kMaxTileRows);
  LACONIC_CHECK(!offsets.empty() && offsets.front() == 0 && offsets.back() == qkv.size(0) &&
                    std::is_sorted(offsets.begin(), offsets.end()),
                "attention: offsets must run upwards from 0 to {}", qkv.size(0));
}

// Keys as [head_dim, padded tokens], zero behind the last token.
void transpose_padded(const float* rows, int64_t stride, int64_t tokens, int64_t dim, int64_t padded, float* out) {
  kernels().transpose(rows, stride, tokens, dim, out, padded);
  for (int64_t d = 0; d < dim; ++d) std::fill(out + d * padded + tokens, out + (d + 1) * padded, 0.0f);
}

struct ForwardTask {
  int64_t begin, end, kv_head;      // sequence, head
  int64_t first_query, last_query;  // positions that this task computes
};

void forward_task(const ForwardTask& task, const float* qkv, const HeadShape& s, float* out, float* log_sum) {
  thread_local Scratch scratch;
  const auto view = view_of(qkv, task.begin, task.end, task.kv_head, s);
  const int64_t dim = s.head_dim, group = s.group(), per_tile = positions_per_tile(s), tile_rows = per_tile * group;
  const int64_t padded = padded_keys(task.last_query);
  float* keys = scratch.get(dim * padded + tile_rows * (2 * dim + padded));
  float* q = keys + dim * padded;
  float* o = q + tile_rows * dim;
  float* scores = o + tile_rows * dim;
  const auto& k = kernels();
  transpose_padded(view.k, view.stride, task.last_query, dim, padded, keys);
  const float scale = softmax_scale(s);
  for (int64_t p0 = task.first_query; p0 < task.last_query; p0 += per_tile) {
    const int64_t p1 = std::min(p0 + per_tile, task.last_query), rows = (p1 - p0) * group, seen = padded_keys(p1);
    gather_heads(view.q + p0 * view.stride, view.stride, p1 - p0, view.first_head, s, q);
    k.small_gemm({.a = q,
                  .a_row = dim,
                  .a_step = 1,
                  .b = keys,
                  .ldb = padded,
                  .c = scores,
                  .ldc = padded,
                  .m = rows,
                  .n = seen,
                  .k = dim});
    float totals[kMaxTileRows];
    for (int64_t r = 0; r < rows; ++r) {
      const int64_t position = p0 + r / group;
      float top = 0;
      k.softmax_row(scores + r * padded, position + 1, seen, scale, &top, &totals[r]);
      if (log_sum != nullptr) {
        log_sum[(task.begin + position) * s.heads + view.first_head + r % group] = top + std::log(totals[r]);
      }
    }
    k.small_gemm({.a = scores,
                  .a_row = padded,
                  .a_step = 1,
                  .b = view.v,
                  .ldb = view.stride,
                  .c = o,
                  .ldc = dim,
                  .m = rows,
                  .n = dim,
                  .k = p1});
    for (int64_t r = 0; r < rows; ++r) k.scale_row(o + r * dim, dim, 1.0f / totals[r]);
    scatter_heads(o, s.out_width(), p1 - p0, view.first_head, s, out + (task.begin + p0) * s.out_width());
  }
}

// One task for each sequence and key head; long sequences are cut where there are too few.
std::vector<ForwardTask> forward_tasks(std::span<const int64_t> offsets, const HeadShape& s) {
  const auto sequences = static_cast<int64_t>(offsets.size()) - 1;
  const int64_t parts = std::max<int64_t>(1, 4 * threads() / std::max<int64_t>(1, sequences * s.kv_heads));
  std::vector<ForwardTask> tasks;
  for (int64_t i = 0; i < sequences; ++i) {
    const int64_t begin = offsets[static_cast<size_t>(i)], end = offsets[static_cast<size_t>(i) + 1], n = end - begin;
    const int64_t cuts = std::clamp<int64_t>(n / 128, 1, parts);
    for (int64_t h = 0; h < s.kv_heads; ++h) {
      for (int64_t c = 0; c < cuts; ++c) {
        if (n > 0) tasks.push_back({begin, end, h, n * c / cuts, n * (c + 1) / cuts});
      }
    }
  }
  return tasks;
}

struct BackwardPointers {
  const float *qkv, *dout, *out, *log_sum;
  float* dqkv;
};

// Memory of a backward task. Keys and values are transposed, [head_dim, padded]; dk and dv are [tokens, head_dim]; the
// others hold a tile of query rows: q, d (of the output), o and dq [rows, head_dim], p and dp [rows, padded].
struct BackwardBuffers {
  int64_t padded;
  float *keys, *values, *dk, *dv, *q, *d, *o, *dq, *p, *dp;
};

BackwardBuffers backward_buffers(int64_t tokens, const HeadShape& s) {
  thread_local Scratch scratch;
  const int64_t dim = s.head_dim, tile_rows = positions_per_tile(s) * s.group(), padded = padded_keys(tokens);
  float* next = scratch.get(2 * dim * padded + 2 * tokens * dim + tile_rows * (4 * dim + 2 * padded));
  const auto take = [&](int64_t count) { return std::exchange(next, next + count); };
  BackwardBuffers b{};
  b.padded = padded;
  b.keys = take(dim * padded);
  b.values = take(dim * padded);
  b.dk = take(tokens * dim);
  b.dv = take(tokens * dim);
  for (float** tile : {&b.q, &b.d, &b.o, &b.dq}) *tile = take(tile_rows * dim);
  for (float** tile : {&b.p, &b.dp}) *tile = take(tile_rows * padded);
  return b;
}

// c = a x b, where a holds `m` query rows and b the transposed keys or values.
void rows_by_keys(const float* a, const float* b, float* c, int64_t m, int64_t seen, int64_t dim, int64_t padded) {
  kernels().small_gemm(
      {.a = a, .a_row = dim, .a_step = 1, .b = b, .ldb = padded, .c = c, .ldc = padded, .m = m, .n = seen, .k = dim});
}

// c += a^T x b over `rows` query rows: what they add to the gradient of each of `tokens` keys or values.
void add_over_rows(const float* a, const float* b, float* c, int64_t tokens, int64_t rows, int64_t dim,
                   int64_t padded) {
  kernels().small_gemm({.a = a,
                        .a_row = 1,
                        .a_step = padded,
                        .b = b,
                        .ldb = dim,
                        .c = c,
                        .ldc = dim,
                        .m = tokens,
                        .n = dim,
                        .k = rows,
                        .add = true});
}

// The query rows of positions p0 .. p1 - 1 of the sequence that begins at `begin`.
void backward_tile(int64_t begin, int64_t p0, int64_t p1, const HeadView& view, const BackwardPointers& t,
                   const HeadShape& s, const BackwardBuffers& b) {
  const int64_t dim = s.head_dim, group = s.group(), out_stride = s.out_width(), padded = b.padded;
  const int64_t rows = (p1 - p0) * group, seen = padded_keys(p1);
  const float scale = softmax_scale(s);
  const auto& k = kernels();
  gather_heads(view.q + p0 * view.stride, view.stride, p1 - p0, view.first_head, s, b.q);
  gather_heads(t.dout + (begin + p0) * out_stride, out_stride, p1 - p0, view.first_head, s, b.d);
  gather_heads(t.out + (begin + p0) * out_stride, out_stride, p1 - p0, view.first_head, s, b.o);
  rows_by_keys(b.q, b.keys, b.p, rows, seen, dim, padded);
  rows_by_keys(b.d, b.values, b.dp, rows, seen, dim, padded);
  for (int64_t r = 0; r < rows; ++r) {
    const int64_t position = p0 + r / group;
    const float log_sum = t.log_sum[(begin + position) * s.heads + view.first_head + r % group];
    k.softmax_again(b.p + r * padded, position + 1, seen, scale, log_sum);
    k.softmax_backward(b.p + r * padded, b.dp + r * padded, seen, k.dot(b.d + r * dim, b.o + r * dim, dim), scale);
  }
  k.small_gemm({.a = b.dp,
                .a_row = padded,
                .a_step = 1,
                .b = view.k,
                .ldb = view.stride,
                .c = b.dq,
                .ldc = dim,
                .m = rows,
                .n = dim,
                .k = p1});
  add_over_rows(b.dp, b.q, b.dk, p1, rows, dim, padded);
  add_over_rows(b.p, b.d, b.dv, p1, rows, dim, padded);
  scatter_heads(b.dq, view.stride, p1 - p0, view.first_head, s, t.dqkv + (begin + p0) * view.stride);
}

void backward_task(int64_t begin, int64_t end, int64_t kv_head, const BackwardPointers& t, const HeadShape& s) {
  const auto view = view_of(t.qkv, begin, end, kv_head, s);
  const int64_t dim = s.head_dim, per_tile = positions_per_tile(s);
  const auto b = backward_buffers(view.tokens, s);
  transpose_padded(view.k, view.stride, view.tokens, dim, b.padded, b.keys);
  transpose_padded(view.v, view.stride, view.tokens, dim, b.padded, b.values);
  std::fill(b.dk, b.dk + 2 * view.tokens * dim, 0.0f);
  for (int64_t p0 = 0; p0 < view.tokens; p0 += per_tile)
    backward_tile(begin, p0, std::min(p0 + per_tile, view.tokens), view, t, s, b);
  for (int64_t i = 0; i < view.tokens; ++i) {
    float* row = t.dqkv + (begin + i) * view.stride;
    std::copy_n(b.dk + i * dim, dim, row + (s.heads + kv_head) * dim);
    std::copy_n(b.dv + i * dim, dim, row + (s.heads + s.kv_heads + kv_head) * dim);
  }
}

}  // namespace

PackedSequences packed_sequences(std::span<const int64_t> offsets, at::Device device) {
  if (device_ops(device) == nullptr) return {offsets};
  Upload upload;
  const auto place = upload.add(std::vector<int32_t>(offsets.begin(), offsets.end()));
  upload.send(device);
  return {offsets, upload.get(place, {static_cast<int64_t>(offsets.size())}, at::kInt)};
}

void packed_attention_into(const at::Tensor& qkv, const PackedSequences& sequences, const HeadShape& shape,
                           at::Tensor& out, at::Tensor* log_sum) {
  const at::NoGradGuard no_grad;
  const auto offsets = sequences.offsets;
  check(qkv, offsets, shape);
  if (const auto* ops = device_ops(qkv)) return ops->packed_attention(qkv, sequences, shape, out, log_sum);
  const float* in = qkv.const_data_ptr<float>();
  float* result = out.mutable_data_ptr<float>();
  float* sums = log_sum != nullptr ? log_sum->mutable_data_ptr<float>() : nullptr;
  const auto tasks = forward_tasks(offsets, shape);
  parallel_tasks(static_cast<int64_t>(tasks.size()),
                 [&](int64_t i) { forward_task(tasks[static_cast<size_t>(i)], in, shape, result, sums); });
}

void packed_attention_backward(const at::Tensor& dout, const at::Tensor& qkv, const at::Tensor& out,
                               const at::Tensor& log_sum, const PackedSequences& sequences, const HeadShape& shape,
                               at::Tensor& dqkv) {
  const at::NoGradGuard no_grad;
  const auto offsets = sequences.offsets;
  check(qkv, offsets, shape);
  LACONIC_CHECK(dout.is_contiguous() && dqkv.is_contiguous(), "attention backward: contiguous tensors expected");
  if (const auto* ops = device_ops(qkv))
    return ops->packed_attention_backward(dout, qkv, out, log_sum, sequences, shape, dqkv);
  const BackwardPointers pointers{qkv.const_data_ptr<float>(), dout.const_data_ptr<float>(),
                                  out.const_data_ptr<float>(), log_sum.const_data_ptr<float>(),
                                  dqkv.mutable_data_ptr<float>()};
  // One task for each sequence and key head: its key and value gradients are added up by one thread.
  parallel_tasks((static_cast<int64_t>(offsets.size()) - 1) * shape.kv_heads, [&](int64_t i) {
    const auto sequence = static_cast<size_t>(i / shape.kv_heads);
    backward_task(offsets[sequence], offsets[sequence + 1], i % shape.kv_heads, pointers, shape);
  });
}

}  // namespace laconic::ops
