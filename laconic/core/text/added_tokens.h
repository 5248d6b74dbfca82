// Added tokens: strings that are found in the text before the model sees it (<|im_start|>, <think>, ...).
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "laconic/core/text/regex.h"

namespace laconic::text {

struct AddedToken {
  int32_t id = 0;
  std::string content;
  std::string decoded;       // what decoding shows: the content, normalized where `normalized` is set
  bool single_word = false;  // not next to a word character
  bool lstrip = false;       // takes the whitespace before it
  bool rstrip = false;       // takes the whitespace behind it
  bool normalized = false;   // is looked for in normalized text
  bool special = false;
};

// Finds added tokens in a text: at each place the longest one, from left to right. Immutable, thread-safe.
class AddedTokenMatcher {
 public:
  struct Match {
    Span span;  // with the whitespace that the token takes
    int32_t id;
  };

  // `pattern` of a token is its content, or its normalized content.
  void add(const AddedToken& token, std::string_view pattern);
  std::vector<Match> find(std::string_view text) const;

 private:
  struct TrieNode {
    std::vector<std::pair<unsigned char, int32_t>> next;
    int32_t token = -1;  // index into tokens_
  };
  // Length of the longest token at `at` and its index, or 0.
  std::pair<size_t, int32_t> longest(std::string_view text, size_t at) const;

  std::vector<AddedToken> tokens_;
  std::vector<TrieNode> nodes_{TrieNode{}};
  std::array<bool, 256> first_bytes_{};
};

}  // namespace laconic::text
