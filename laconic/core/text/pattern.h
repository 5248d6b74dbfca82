// The {"String": ...} and {"Regex": ...} patterns of tokenizer.json, and replacing by them.
#pragma once

#include <string>
#include <string_view>

#include "laconic/core/text/regex.h"
#include "laconic/core/text/tokenizer_node.h"

namespace laconic::text {

Regex make_pattern(const Node& node);

std::string replace_all(std::string_view text, const Regex& pattern, std::string_view content);

}  // namespace laconic::text
