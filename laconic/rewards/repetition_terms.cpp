#include "laconic/rewards/repetition_terms.h"

#include <algorithm>
#include <cctype>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "laconic/core/base/error.h"
#include "laconic/core/base/strings.h"

namespace laconic::rewards {
namespace {

// For every position where an n-gram begins the number of that n-gram. Numbers are given by doubling: the pairs of
// numbered k-grams are the 2k-grams, so that the work is linear in the text whatever n is, and no two n-grams are
// confused.
std::vector<int32_t> numbered_ngrams(std::span<const int32_t> tokens, int n) {
  std::vector<int32_t> ids(tokens.begin(), tokens.end());
  size_t have = 1;
  const auto want = static_cast<size_t>(n);
  while (have < want) {
    const size_t shift = std::min(have, want - have);  // overlapping k-grams also determine the longer one
    const size_t count = ids.size() - shift;
    std::unordered_map<uint64_t, int32_t> numbers;
    numbers.reserve(count);
    std::vector<int32_t> next(count);
    for (size_t i = 0; i < count; ++i) {
      const uint64_t pair =
          (static_cast<uint64_t>(static_cast<uint32_t>(ids[i])) << 32) | static_cast<uint32_t>(ids[i + shift]);
      next[i] = numbers.try_emplace(pair, static_cast<int32_t>(numbers.size())).first->second;
    }
    ids = std::move(next);
    have += shift;
  }
  return ids;
}

}  // namespace

double repetition_penalty(std::span<const int32_t> tokens, int n, double max_penalty) {
  LACONIC_CHECK(n >= 1 && max_penalty <= 0, "a repetition penalty of {}-grams down to {}", n, max_penalty);
  if (tokens.size() < static_cast<size_t>(n)) return 0;
  const auto ngrams = numbered_ngrams(tokens, n);
  const std::unordered_set<int32_t> distinct(ngrams.begin(), ngrams.end());
  return max_penalty * (1 - static_cast<double>(distinct.size()) / static_cast<double>(ngrams.size()));
}

double repetition_penalty(std::string_view text, int n, double max_penalty) {
  const std::string lower = to_lower(text);
  std::unordered_map<std::string_view, int32_t> numbers;
  std::vector<int32_t> words;
  for (size_t at = 0; at < lower.size();) {
    const auto is_space = [&](size_t i) { return std::isspace(static_cast<unsigned char>(lower[i])) != 0; };
    size_t end = at;
    while (end < lower.size() && !is_space(end)) ++end;
    if (end > at) {
      const auto word = std::string_view(lower).substr(at, end - at);
      words.push_back(numbers.try_emplace(word, static_cast<int32_t>(numbers.size())).first->second);
    }
    at = end + 1;
  }
  return repetition_penalty(words, n, max_penalty);
}

std::vector<double> repeated_tokens(std::span<const int32_t> tokens, int n, double penalty) {
  LACONIC_CHECK(n >= 1, "a repetition penalty of {}-grams", n);
  std::vector<double> values(tokens.size(), 0.0);
  if (tokens.size() < static_cast<size_t>(n)) return values;
  const auto ngrams = numbered_ngrams(tokens, n);
  std::unordered_set<int32_t> seen;
  size_t marked = 0;  // tokens before this one have their value
  for (size_t i = 0; i < ngrams.size(); ++i) {
    if (seen.insert(ngrams[i]).second) continue;
    for (size_t j = std::max(i, marked); j < i + static_cast<size_t>(n); ++j) values[j] = penalty;
    marked = i + static_cast<size_t>(n);
  }
  return values;
}

}  // namespace laconic::rewards
