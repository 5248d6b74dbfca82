// Cutting a word at matches: the five behaviors of tokenizer.json.
#pragma once

#include <vector>

#include "laconic/core/text/regex.h"
#include "laconic/core/text/tokenizer_node.h"

namespace laconic::text {

// "a-b" split at "-": isolated a|-|b, removed a|b, merged_with_previous a-|b, merged_with_next a|-b; contiguous is
// isolated with neighbouring matches (and neighbouring rests) in one piece.
enum class SplitBehavior { isolated, removed, merged_with_previous, merged_with_next, contiguous };

SplitBehavior split_behavior(const Node& node);

// Appends the non-empty pieces of `word`. `matches` are relative to the word's begin, in order, not overlapping. With
// `invert` the text between the matches counts as match, and the matches as rest.
void append_split(const Span& word, const std::vector<Span>& matches, SplitBehavior behavior, bool invert,
                  std::vector<Span>& pieces);

}  // namespace laconic::text
