#include "laconic/algorithms/repetition.h"

#include <algorithm>
#include <map>
#include <vector>

namespace laconic::algorithms {
namespace {

using Gram = std::vector<int32_t>;

Gram gram_at(std::span<const int32_t> ids, size_t begin, size_t n) {
  const auto part = ids.subspan(begin, n);
  return {part.begin(), part.end()};
}

bool one_token_alone(const Gram& gram) {
  return std::all_of(gram.begin(), gram.end(), [&](int32_t id) { return id == gram.front(); });
}

size_t gram_size(size_t length) {
  if (length < 30) return 2;
  return length < 100 ? 3 : 4;
}

// Occurrences are met from the end to the beginning, as their count decides when the gaps are looked at.
bool has_close_occurrences(std::span<const int32_t> ids, size_t n) {
  const size_t length = ids.size(), threshold = length < 200 ? 2 : 3, near = length / 3;
  struct Seen {
    size_t count = 0;
    size_t last = 0;       // the occurrence met last, which is the first in the text
    size_t least_gap = 0;  // between consecutive occurrences
  };
  std::map<Gram, Seen> seen;
  for (size_t i = length - n + 1; i-- > 0;) {
    Gram gram = gram_at(ids, i, n);
    if (n > 2 && one_token_alone(gram)) continue;
    Seen& s = seen[std::move(gram)];
    if (s.count > 0) s.least_gap = s.count == 1 ? s.last - i : std::min(s.least_gap, s.last - i);
    s.last = i;
    if (++s.count >= threshold && s.least_gap < near) return true;
  }
  return false;
}

bool has_double_gram(std::span<const int32_t> ids, size_t n) {
  if (ids.size() < 4 * n) return false;
  std::map<Gram, size_t> seen;
  for (size_t i = 0; i + 2 * n <= ids.size(); ++i) {
    if (++seen[gram_at(ids, i, 2 * n)] == 2) return true;
  }
  return false;
}

}  // namespace

bool repeats_ngrams(std::span<const int32_t> ids) {
  constexpr size_t kShortest = 8;
  if (ids.size() <= kShortest) return false;
  const size_t n = gram_size(ids.size());
  return has_close_occurrences(ids, n) || has_double_gram(ids, n);
}

bool has_loop(std::span<const int32_t> ids) {
  constexpr size_t kLongestBlock = 256, kCopies = 4, kLeastTokens = 16;
  for (size_t block = 1; block <= std::min(kLongestBlock, ids.size() / kCopies); ++block) {
    const size_t wanted = std::max(kCopies * block, kLeastTokens) - block;  // tokens equal to those one block before
    size_t run = 0;
    for (size_t i = block; i < ids.size(); ++i) {
      run = ids[i] == ids[i - block] ? run + 1 : 0;
      if (run >= wanted) return true;
    }
  }
  return false;
}

}  // namespace laconic::algorithms
