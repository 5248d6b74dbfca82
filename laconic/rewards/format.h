// Format terms of a reward: small pure functions of the text, each 0 or 1 or a share of it. Linear in the text.
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

// `full` when something but white space stands between a <think> and a </think> behind it, `partial` when there is at
// least one of these tags, else 0. Upper case and white space inside of the tags are allowed.
double thinking_content(std::string_view text, double full = 1, double partial = 0.2);

// A third for each mark of a step, up to 1: "Step 3:", a numbered line, a bullet, "First,", "Next," and the like.
double reasoning_steps(std::string_view text);

}  // namespace laconic::rewards
