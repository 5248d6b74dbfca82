// Shared by packed and paged attention on the CPU: a tile of query rows of one key head, and its scratch memory.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "laconic/core/ops/rotary.h"

namespace laconic::ops {

// Query rows that are worked on together; a multiple of the register tile.
inline constexpr int64_t kQueryRows = 24;
inline constexpr int64_t kMaxTileRows = 128;  // of one position with many heads

inline int64_t positions_per_tile(const HeadShape& shape) {
  return std::max<int64_t>(1, kQueryRows / shape.group());
}

inline int64_t padded_keys(int64_t keys) {
  return (keys + 31) / 32 * 32;
}

inline float softmax_scale(const HeadShape& shape) {
  return static_cast<float>(1.0 / std::sqrt(static_cast<double>(shape.head_dim)));
}

// Memory of one thread that grows to the largest request and stays. Contents are undefined.
class Scratch {
 public:
  float* get(int64_t floats) {
    if (static_cast<int64_t>(memory_.size()) < floats) memory_ = std::vector<float>(static_cast<size_t>(floats));
    return memory_.data();
  }

 private:
  std::vector<float> memory_;
};

// Copies the query rows of `count` positions: row p * group + h of `tile` is query head first_head + h of position p.
// `rows` points to the first position's row, `stride` apart.
inline void gather_heads(const float* rows, int64_t stride, int64_t count, int64_t first_head, const HeadShape& shape,
                         float* tile) {
  const int64_t width = shape.group() * shape.head_dim;
  for (int64_t p = 0; p < count; ++p)
    std::copy_n(rows + p * stride + first_head * shape.head_dim, width, tile + p * width);
}

inline void scatter_heads(const float* tile, int64_t stride, int64_t count, int64_t first_head, const HeadShape& shape,
                          float* rows) {
  const int64_t width = shape.group() * shape.head_dim;
  for (int64_t p = 0; p < count; ++p)
    std::copy_n(tile + p * width, width, rows + p * stride + first_head * shape.head_dim);
}

}  // namespace laconic::ops
