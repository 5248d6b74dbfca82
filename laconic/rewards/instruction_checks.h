// Whether a response follows an instruction: the verdicts of IFEval's checkers, without their regular expressions.
// Linear in the text, no recursion, nothing is thrown.
#pragma once

#include <string_view>
#include <vector>

#include "laconic/rewards/instruction_list.h"

namespace laconic::rewards {

// The response as it is. An empty one follows nothing. Keywords and markers are texts, not patterns. Of english_capital
// and english_lowercase the case is checked, not the language.
bool follows(const Instruction& instruction, std::string_view response);

// The response in one of eight variants: as it is, without its first line, its last line or both, each also without
// asterisks.
bool follows_loosely(const Instruction& instruction, std::string_view response);

}  // namespace laconic::rewards
