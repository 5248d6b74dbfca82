// Which of several sets a position of the mixture takes its prompt from: a pure function of (seed, position).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace laconic::data {

// Every run of positions has each set's share of them to within a prompt or two, not just on average: the sets are
// interleaved evenly, from a start that the seed chooses. Each set is gone through in its own order.
class MixtureOrder {
 public:
  // Weights > 0; a set's share is its weight over their sum.
  MixtureOrder(const std::vector<double>& weights, uint64_t seed);

  struct Place {
    size_t set = 0;
    uint64_t position = 0;  // within the set's own order: how many prompts it has given before
  };
  Place at(uint64_t position) const;  // below 2^62

 private:
  // Set i takes its part of what the sets before it have left.
  struct Split {
    uint64_t share;  // of 2^64
    uint64_t phase;
  };
  std::vector<Split> splits_;  // of all sets but the last
};

}  // namespace laconic::data
