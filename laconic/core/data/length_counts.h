// Lengths of a set, counted: their distribution in memory that does not grow with the set.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

namespace laconic::data {

class LengthCounts {
 public:
  void add(int64_t length) { ++counts_[length]; }

  int64_t total() const;
  double mean() const;
  // The smallest length that a share of at least `q` of the set does not exceed; 0 < q <= 1. 0 for an empty set.
  int64_t quantile(double q) const;
  int64_t least() const { return counts_.empty() ? 0 : counts_.begin()->first; }
  int64_t greatest() const { return counts_.empty() ? 0 : counts_.rbegin()->first; }

  struct Bin {
    int64_t first, last;  // lengths, both included
    int64_t count;
  };
  // At most `bins` bins of equal width, a round number, from that of the least to that of the greatest length.
  std::vector<Bin> histogram(int bins) const;

 private:
  std::map<int64_t, int64_t> counts_;
};

}  // namespace laconic::data
