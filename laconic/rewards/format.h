// Format terms of a reward: small pure functions of the text, each 0 or 1 or a share of it.
#pragma once

#include <string_view>

namespace laconic::rewards {

// 1 when the text is <think> NEWLINE ... NEWLINE </think> NEWLINE <answer> NEWLINE ... NEWLINE </answer> and nothing
// else.
double think_answer_format(std::string_view text);

// A quarter each for exactly one "<think>\n", "\n</think>\n", "\n<answer>\n" and "\n</answer>".
double tag_count_format(std::string_view text);

// 1 when there is exactly one </think>, and <think> (in the response or opened by the prompt) stands in front of it.
double thinking_format(std::string_view text, std::string_view prompt_text);

}  // namespace laconic::rewards
