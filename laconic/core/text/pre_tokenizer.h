// The "pre_tokenizer" of a tokenizer.json: splits normalized text into the words that the model sees.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "laconic/core/text/regex.h"
#include "laconic/core/text/tokenizer_node.h"

namespace laconic::text {

// Words as ranges of one buffer. Steps either cut ranges or rewrite the buffer together with them. Ranges are never
// empty, in order, and do not overlap; text between them is dropped.
struct Words {
  std::string text;
  std::vector<Span> spans;
  bool at_start = true;  // the first word begins where the whole input begins

  explicit Words(std::string whole, bool at_start_of_input);
  std::string_view view(const Span& span) const {
    return std::string_view(text).substr(span.begin, span.end - span.begin);
  }
};

class PreTokenizer {
 public:
  virtual ~PreTokenizer() = default;
  // Thread-safe.
  virtual void apply(Words& words) const = 0;
};

// ByteLevel, Split, Digits, Whitespace, WhitespaceSplit, Metaspace, Punctuation, CharDelimiterSplit, Sequence; null
// gives one that changes nothing. Any other type is an Error of kind unsupported.
std::unique_ptr<PreTokenizer> make_pre_tokenizer(const Node& node);

}  // namespace laconic::text
