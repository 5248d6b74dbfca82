// Which prompt comes when: a pure function of (seed, position), so a resumed run needs only the position.
#pragma once

#include <cstddef>
#include <cstdint>

namespace laconic::data {

// Every epoch of `count` positions visits every index once, each epoch in its own order. The order is a keyed Feistel
// permutation of the next power of four with cycle walking (Black and Rogaway, 2002): no memory, constant time, any
// position directly.
class PromptOrder {
 public:
  // count > 0. Without shuffling the order is 0, 1, ..., count - 1 in every epoch.
  PromptOrder(size_t count, uint64_t seed, bool shuffle = true);

  size_t at(uint64_t position) const;
  uint64_t epoch(uint64_t position) const { return position / count_; }
  size_t count() const { return count_; }

 private:
  uint64_t permute(uint64_t key, uint64_t value) const;

  uint64_t count_;
  uint64_t seed_;
  bool shuffle_;
  int half_bits_ = 3;
};

}  // namespace laconic::data
