// From an answer in plain notation (notation.h) to its tree.
#pragma once

#include <optional>
#include <string_view>

#include "laconic/rewards/expression.h"

namespace laconic::rewards {

struct ParseOptions {
  // 1,234 outside of brackets is one number; otherwise a comma always separates.
  bool thousands = true;
};

// Longer texts are not parsed.
inline constexpr size_t kMaxParsed = 4096;

// Nothing when the text is no expression from its first to its last character, or is nested more than 64 deep or has
// more than 512 nodes. Answers in words are expressions of kind text only where they are parts of a list or relation.
std::optional<Expression> parse_answer(std::string_view notation, const ParseOptions& options = {});

}  // namespace laconic::rewards
