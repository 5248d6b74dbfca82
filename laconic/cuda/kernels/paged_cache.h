// The paged key/value cache as the kernels see it: the memory of ops::KvPages, with a table of pages on the device.
// Keys are stored transposed: 32 tokens of a page are the 32 lanes of a warp, which read one component at once.
#pragma once

#include "laconic/cuda/kernels/portable.h"

namespace laconic::cuda {

inline constexpr int kPageTokens = 32;  // ops::kPageTokens
inline constexpr int kMostHeadDim = 256;

struct PagedCache {
  void* keys = nullptr;                 // [pages, kv_heads, head_dim, kPageTokens]
  void* values = nullptr;               // [pages, kv_heads, kPageTokens, head_dim]
  const int32_t* page_table = nullptr;  // [sequences, max_pages]: page of positions 0-31, 32-63, ...
  int64_t max_pages = 0;
  const int32_t* sequence = nullptr;   // [rows]: line of the table for each row; null: row i is sequence i
  const int64_t* positions = nullptr;  // [rows]: position of each row in its sequence; < 0: the row is idle
};

struct Heads {
  int64_t heads = 0, kv_heads = 0, dim = 0;
};

LACONIC_DEVICE const int32_t* pages_of(const PagedCache& cache, int64_t row) {
  const int64_t sequence = cache.sequence == nullptr ? row : cache.sequence[row];
  return cache.page_table + sequence * cache.max_pages;
}

// Where the keys or the values of one head of a page begin.
LACONIC_DEVICE int64_t page_offset(const Heads& h, int32_t page, int64_t kv_head) {
  return (page * h.kv_heads + kv_head) * h.dim * kPageTokens;
}

}  // namespace laconic::cuda
