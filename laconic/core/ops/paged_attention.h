// Attention against a paged key/value cache: prompts and decode steps of many sequences in one call. On the CPU bit for
// bit what packed_attention_into gives for the whole sequence.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>

#include "laconic/core/ops/rotary.h"

namespace laconic::ops {

inline constexpr int64_t kPageTokens = 32;

// The cache of one layer. Keys are stored transposed, so that scores of a page are one broadcast product.
struct KvPages {
  at::Tensor keys;    // [pages, kv_heads, head_dim, kPageTokens]
  at::Tensor values;  // [pages, kv_heads, kPageTokens, head_dim]
};

KvPages make_kv_pages(int64_t pages, const HeadShape& shape, const at::TensorOptions& options);

// Consecutive rows of one sequence: row first_row + i is at position context + i.
struct PagedSpan {
  int64_t first_row = 0;
  int64_t rows = 0;
  int64_t context = 0;             // tokens of the sequence that the cache holds already
  const int32_t* pages = nullptr;  // page of positions 0-31, 32-63, ...; covers context + rows
};

// Where the rows of a step lie in the cache, on the device.
struct PagedRows {
  at::Tensor page_table;        // [sequences, max_pages] int32
  at::Tensor sequence;          // [rows] int32: line of the table; undefined: row i is sequence i
  at::Tensor positions;         // [rows] int64; < 0: the row is idle
  int64_t longest_context = 0;  // no position is above longest_context - 1; covered by the table
};

// Writes keys and values of all rows into the cache, then attends. qkv [rows, qkv_width] after rotation,
// out [rows, heads * head_dim]. Pages that are written must belong to one span alone. On the
// CPU; other devices attend through device_ops.h.
void paged_attention_into(const at::Tensor& qkv, std::span<const PagedSpan> spans, const HeadShape& shape,
                          KvPages& cache, at::Tensor& out);

// Copies the first `tokens` positions of page `from` to page `to`.
void copy_page(KvPages& cache, int32_t from, int32_t to, int64_t tokens, const HeadShape& shape);

}  // namespace laconic::ops
