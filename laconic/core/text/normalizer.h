// The "normalizer" of a tokenizer.json: rewrites text before it is split into words.
#pragma once

#include <memory>
#include <string>

#include "laconic/core/text/tokenizer_node.h"

namespace laconic::text {

class Normalizer {
 public:
  virtual ~Normalizer() = default;
  // Thread-safe; valid UTF-8 in and out.
  virtual std::string apply(std::string text) const = 0;
};

// NFC, NFD, NFKC, NFKD, Lowercase, Prepend, Replace, Strip, Sequence; null gives a normalizer that changes nothing.
// Any other type is an Error of kind unsupported.
std::unique_ptr<Normalizer> make_normalizer(const Node& node);

}  // namespace laconic::text
