// Rotary embedding of the query and key heads of each row (after Qwen3's per-head RMS norm, where there is one), and
// the row's keys and values written into the paged cache, in one pass; or the rotation alone, forwards or backwards.
// One warp per head. CPU reference: ops::rotate_into, and the appending half of ops::paged_attention_into.
#pragma once

#include "laconic/cuda/kernels/launch.h"
#include "laconic/cuda/kernels/paged_cache.h"
#include "laconic/cuda/kernels/reduce.h"

namespace laconic::cuda {

struct RotateAppendArgs {
  Element element = Element::f32;
  void* qkv = nullptr;           // [rows, (heads + 2 kv_heads) dim]; queries and keys are rotated in place
  const float* table = nullptr;  // [max_positions, dim]: cosines, then sines
  const void* q_norm = nullptr;  // [dim] or null: no norm
  const void* k_norm = nullptr;
  float norm_epsilon = 0;
  float direction = 1;  // -1: the inverse rotation, of gradients; without norms
  PagedCache cache;     // pages that are written belong to one row's sequence alone; keys null: nothing is written
  Heads shape;          // dim even
  int64_t rows = 0;
};

template <typename T>
struct RotateAppend {
  static constexpr int kMostThreads = 256;

  template <typename Block>
  static LACONIC_DEVICE void run(Block& block, const RotateAppendArgs& a) {
    const Heads h = a.shape;
    const int64_t position = a.cache.positions[block.x()], all = h.heads + 2 * h.kv_heads;
    if (position < 0) return;
    const bool append = a.cache.keys != nullptr;
    const int32_t page = append ? pages_of(a.cache, block.x())[position / kPageTokens] : 0;
    const int64_t slot = position % kPageTokens, heads = append ? all : h.heads + h.kv_heads;
    for (int64_t head = block.warp(); head < heads; head += block.warps()) {
      T* x = static_cast<T*>(a.qkv) + (block.x() * all + head) * h.dim;
      if (head < h.heads) {
        rotate(block, a, x, static_cast<const T*>(a.q_norm), position, nullptr);
      } else if (head < h.heads + h.kv_heads) {
        T* keys = append ? static_cast<T*>(a.cache.keys) + page_offset(h, page, head - h.heads) + slot : nullptr;
        rotate(block, a, x, static_cast<const T*>(a.k_norm), position, keys);
      } else {
        T* values = static_cast<T*>(a.cache.values) + page_offset(h, page, head - h.heads - h.kv_heads) + slot * h.dim;
        for (int64_t d = block.lane(); d < h.dim; d += kWarp) values[d] = x[d];
      }
    }
  }

 private:
  // By one warp. keys: where component 0 of the rotated head goes as well, kPageTokens apart; or null.
  template <typename Block>
  static LACONIC_DEVICE void rotate(Block& block, const RotateAppendArgs& a, T* x, const T* norm, int64_t position,
                                    T* keys) {
    const int64_t dim = a.shape.dim, half = dim / 2;
    const float* cosine = a.table + position * dim;
    const float* sine = cosine + half;
    float inverse = 1.0f;
    if (norm != nullptr) {
      float squares = 0;
      for (int64_t d = block.lane(); d < dim; d += kWarp) squares += to_float(x[d]) * to_float(x[d]);
      squares = reduce_warp(block, squares, Sum{});
      inverse = 1.0f / sqrtf(squares / static_cast<float>(dim) + a.norm_epsilon);
    }
    for (int64_t d = block.lane(); d < half; d += kWarp) {
      float first = to_float(x[d]), second = to_float(x[d + half]);
      if (norm != nullptr) {
        first = first * inverse * to_float(norm[d]);
        second = second * inverse * to_float(norm[d + half]);
      }
      const float s = sine[d] * a.direction;
      const T low = rounded<T>(first * cosine[d] - second * s);
      const T high = rounded<T>(second * cosine[d] + first * s);
      x[d] = low;
      x[d + half] = high;
      if (keys != nullptr) {
        keys[d * kPageTokens] = low;
        keys[(d + half) * kPageTokens] = high;
      }
    }
  }
};

template <typename Launcher>
void start(const RotateAppendArgs& a, const Launcher& launcher) {
  if (a.rows == 0) return;
  const Grid grid{.x = a.rows, .threads = threads_for((a.shape.heads + 2 * a.shape.kv_heads) * kWarp, 256)};
  with_element(a.element, [&](auto tag) {
    launcher.template start<RotateAppend<typename decltype(tag)::type>>("rotate_append", grid, a);
  });
}

}  // namespace laconic::cuda
