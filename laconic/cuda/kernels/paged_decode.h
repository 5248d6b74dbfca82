// Attention of single rows against the paged cache: decoding. A row at position p of its sequence attends to positions
// 0 .. p, whose keys and values are in the cache already (rotate_append.h).
//
// The query heads that share a key head are worked on together, so a page is read once for all of them. The context is
// cut into splits of a fixed number of tokens, one block each, whose partial softmaxes a second kernel joins: the
// cutting depends on the row's own context alone, so a row's result has the same bits in every batch.
// CPU reference: ops::paged_attention_into.
#pragma once

#include "laconic/cuda/kernels/launch.h"
#include "laconic/cuda/kernels/paged_cache.h"
#include "laconic/cuda/kernels/reduce.h"

namespace laconic::cuda {

inline constexpr int64_t kSplitTokens = 512;
inline constexpr int kDecodeThreads = 128;

struct PagedDecodeArgs {
  Element element = Element::f32;
  const void* q = nullptr;  // [rows, q_stride]: the query heads first, after rotation
  int64_t q_stride = 0;
  PagedCache cache;
  Heads shape;
  float scale = 0;           // of the scores
  float* partial = nullptr;  // [rows, heads, splits, dim + 2], see partial_values
  int64_t splits = 0;        // enough for the longest context: ceil((position + 1) / kSplitTokens)
  void* out = nullptr;       // [rows, heads * dim]; 0 where the row is idle
  int64_t rows = 0;
};

// Of `partial`.
inline int64_t partial_values(int64_t rows, int64_t splits, const Heads& shape) {
  return rows * shape.heads * splits * (shape.dim + 2);
}

LACONIC_DEVICE float* partial_of(const PagedDecodeArgs& a, int64_t row, int64_t head, int64_t split) {
  return a.partial + ((row * a.shape.heads + head) * a.splits + split) * (a.shape.dim + 2);
}

// Tile: query heads of one key head that a block works on. kLaneDims: components per lane, dim <= 32 kLaneDims.
template <typename T, int Tile, int kLaneDims>
struct PagedDecode {
  static constexpr int kMostThreads = kDecodeThreads;

  // The softmax so far of one warp; each lane holds the sum of its own tokens and its components of the output.
  struct State {
    float largest[Tile];
    float sum[Tile];
    float out[Tile][kLaneDims];
  };

  struct Place {
    int64_t row, kv_head, first_head, position, split;
    int queries;  // of the tile, some may be missing in the last one
  };

  template <typename Block>
  static LACONIC_DEVICE void run(Block& block, const PagedDecodeArgs& a) {
    const Heads h = a.shape;
    const int64_t group = h.heads / h.kv_heads, tiles = (group + Tile - 1) / Tile;
    Place at;
    at.row = block.x();
    at.kv_head = block.y() / tiles;
    at.first_head = at.kv_head * group + block.y() % tiles * Tile;
    at.queries = static_cast<int>(smaller<int64_t>(Tile, (at.kv_head + 1) * group - at.first_head));
    at.split = block.z();
    at.position = a.cache.positions[at.row];
    if (at.split * kSplitTokens > at.position) return;  // idle as well

    float* q = block.template shared<float>(Tile * h.dim);
    float* weights =
        block.template shared<float>(block.warps() * Tile * kPageTokens) + block.warp() * Tile * kPageTokens;
    float* merged = block.template shared<float>(block.warps() * Tile * (h.dim + 2));
    const T* source = static_cast<const T*>(a.q) + at.row * a.q_stride + at.first_head * h.dim;
    for (int64_t i = block.thread(); i < at.queries * h.dim; i += block.threads()) q[i] = to_float(source[i]) * a.scale;
    block.barrier();

    State state;
    for (int g = 0; g < Tile; ++g) {
      state.largest[g] = minus_infinity();
      state.sum[g] = 0;
      for (int j = 0; j < kLaneDims; ++j) state.out[g][j] = 0;
    }
    const int64_t first_page = at.split * (kSplitTokens / kPageTokens);
    const int64_t end_page = smaller(first_page + kSplitTokens / kPageTokens, at.position / kPageTokens + 1);
    for (int64_t page = first_page + block.warp(); page < end_page; page += block.warps())
      attend_page(block, a, at, page, q, weights, state);
    merge(block, a, at, state, merged);
  }

 private:
  template <typename Block>
  static LACONIC_DEVICE void attend_page(Block& block, const PagedDecodeArgs& a, const Place& at, int64_t page,
                                         const float* q, float* weights, State& state) {
    const Heads h = a.shape;
    const int64_t offset = page_offset(h, pages_of(a.cache, at.row)[page], at.kv_head);
    const T* keys = static_cast<const T*>(a.cache.keys) + offset;
    const T* values = static_cast<const T*>(a.cache.values) + offset;
    const int lane = block.lane();
    const int count = static_cast<int>(smaller<int64_t>(kPageTokens, at.position + 1 - page * kPageTokens));

    float scores[Tile] = {};
    for (int64_t d = 0; d < h.dim; ++d) {
      const float key = to_float(keys[d * kPageTokens + lane]);
      for (int g = 0; g < Tile; ++g)
        if (g < at.queries) scores[g] += q[g * h.dim + d] * key;
    }
    for (int g = 0; g < Tile; ++g) {
      if (g >= at.queries) continue;
      const float score = lane < count ? scores[g] : minus_infinity();  // behind the end lies anything
      const float largest = larger(state.largest[g], reduce_warp(block, score, Largest{}));
      const float shrink = expf(state.largest[g] - largest), weight = expf(score - largest);
      state.largest[g] = largest;
      state.sum[g] = state.sum[g] * shrink + weight;
      for (int j = 0; j < kLaneDims; ++j) state.out[g][j] *= shrink;
      weights[g * kPageTokens + lane] = weight;
    }
    block.warp_barrier();
    for (int t = 0; t < count; ++t) {
      for (int j = 0; j < kLaneDims; ++j) {
        const int64_t d = lane + static_cast<int64_t>(j) * kWarp;
        const float value = d < h.dim ? to_float(values[t * h.dim + d]) : 0.0f;
        for (int g = 0; g < Tile; ++g)
          if (g < at.queries) state.out[g][j] += weights[g * kPageTokens + t] * value;
      }
    }
    block.warp_barrier();  // the weights are written again for the next page
  }

  // Joins the warps, in their order, into the split's partial result.
  template <typename Block>
  static LACONIC_DEVICE void merge(Block& block, const PagedDecodeArgs& a, const Place& at, const State& state,
                                   float* merged) {
    const int64_t dim = a.shape.dim, size = dim + 2;
    for (int g = 0; g < Tile; ++g) {
      if (g >= at.queries) continue;
      float* mine = merged + (block.warp() * Tile + g) * size;
      const float sum = reduce_warp(block, state.sum[g], Sum{});
      for (int j = 0; j < kLaneDims; ++j) {
        const int64_t d = block.lane() + static_cast<int64_t>(j) * kWarp;
        if (d < dim) mine[d] = state.out[g][j];
      }
      if (block.lane() == 0) {
        mine[dim] = state.largest[g];
        mine[dim + 1] = sum;
      }
    }
    block.barrier();
    for (int64_t i = block.thread(); i < at.queries * dim; i += block.threads()) {
      const int64_t g = i / dim, d = i % dim;
      float largest = minus_infinity();
      for (int w = 0; w < block.warps(); ++w) largest = larger(largest, merged[(w * Tile + g) * size + dim]);
      float out = 0, sum = 0;
      for (int w = 0; w < block.warps(); ++w) {
        const float* part = merged + (w * Tile + g) * size;
        const float factor = expf(part[dim] - largest);  // 0 of a warp that had no page
        out += part[d] * factor;
        sum += part[dim + 1] * factor;
      }
      float* result = partial_of(a, at.row, at.first_head + g, at.split);
      result[d] = out;
      if (d == 0) {
        result[dim] = largest;
        result[dim + 1] = sum;
      }
    }
  }
};

// Joins the splits of a row and head, in their order.
template <typename T>
struct JoinSplits {
  static constexpr int kMostThreads = kMostHeadDim;

  template <typename Block>
  static LACONIC_DEVICE void run(Block& block, const PagedDecodeArgs& a) {
    const int64_t dim = a.shape.dim, row = block.x(), head = block.y(), d = block.thread();
    if (d >= dim) return;
    const int64_t position = a.cache.positions[row], live = position < 0 ? 0 : position / kSplitTokens + 1;
    float largest = minus_infinity();
    for (int64_t s = 0; s < live; ++s) largest = larger(largest, partial_of(a, row, head, s)[dim]);
    float out = 0, sum = 0;
    for (int64_t s = 0; s < live; ++s) {
      const float* part = partial_of(a, row, head, s);
      const float factor = expf(part[dim] - largest);
      out += part[d] * factor;
      sum += part[dim + 1] * factor;
    }
    static_cast<T*>(a.out)[(row * a.shape.heads + head) * dim + d] = rounded<T>(live == 0 ? 0.0f : out / sum);
  }
};

template <typename T, int Tile, int kLaneDims, typename Launcher>
void start_paged_decode(const PagedDecodeArgs& a, const Launcher& launcher) {
  const Heads& h = a.shape;
  constexpr int64_t kWarps = kDecodeThreads / kWarp;
  const Grid grid{.x = a.rows,
                  .y = h.kv_heads * ceil_div(h.heads / h.kv_heads, Tile),
                  .z = a.splits,
                  .threads = kDecodeThreads,
                  .shared_bytes = shared_size<float>(Tile * h.dim) + shared_size<float>(kWarps * Tile * kPageTokens) +
                                  shared_size<float>(kWarps * Tile * (h.dim + 2))};
  launcher.template start<PagedDecode<T, Tile, kLaneDims>>("paged_decode", grid, a);
}

template <typename T, int kLaneDims, typename Launcher>
void start_paged_decode(const PagedDecodeArgs& a, const Launcher& launcher) {
  if (a.shape.heads / a.shape.kv_heads <= 4) {
    start_paged_decode<T, 4, kLaneDims>(a, launcher);
  } else {
    start_paged_decode<T, 8, kLaneDims>(a, launcher);
  }
}

// dim <= kMostHeadDim.
template <typename Launcher>
void start(const PagedDecodeArgs& a, const Launcher& launcher) {
  if (a.rows == 0) return;
  with_element(a.element, [&](auto tag) {
    using T = typename decltype(tag)::type;
    if (a.shape.dim <= 2 * kWarp) {
      start_paged_decode<T, 2>(a, launcher);
    } else if (a.shape.dim <= 4 * kWarp) {
      start_paged_decode<T, 4>(a, launcher);
    } else {
      start_paged_decode<T, 8>(a, launcher);
    }
    const Grid grid{.x = a.rows, .y = a.shape.heads, .threads = threads_for(a.shape.dim, kMostHeadDim)};
    launcher.template start<JoinSplits<T>>("join_splits", grid, a);
  });
}

}  // namespace laconic::cuda
