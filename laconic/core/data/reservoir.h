// A sample of a sequence whose length is not known: every subset of the wanted size is equally likely.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace laconic::data {

// Keeps the items whose draws, a function of the seed and the place in the sequence, are the smallest. The sample of
// n + 1 items holds that of n.
class Reservoir {
 public:
  Reservoir(size_t wanted, uint64_t seed) : wanted_(wanted), seed_(seed) {}

  // Whether the item at this place belongs to the sample so far; places come in rising order.
  bool wants(uint64_t place) const;
  void put(uint64_t place, std::string item);

  // What was kept, in the order of the sequence.
  std::vector<std::string> take();

 private:
  using Key = std::pair<uint64_t, uint64_t>;  // draw, place
  Key key(uint64_t place) const;

  size_t wanted_;
  uint64_t seed_;
  std::map<Key, std::string> kept_;
};

}  // namespace laconic::data
