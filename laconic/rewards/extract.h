// Where the answer of a response stands. Every function is linear in the text, does not recurse and never throws.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace laconic::rewards {

inline constexpr std::string_view kThinkOpen = "<think>";
inline constexpr std::string_view kThinkClose = "</think>";
// Answers other than a \boxed{} are looked for in so many last bytes of a text.
inline constexpr size_t kSearched = 65536;

// The tags of a response. `open` says that thinking was begun (in the prompt or here) and not closed.
struct ThinkingTags {
  int opens = 0;  // in the response alone
  int closes = 0;
  bool open = false;
  std::string_view answer;  // the text after the last </think>, or the whole text where there is none

  // Exactly one </think>, and at most one <think>, in front of it.
  bool well_formed = false;
};
ThinkingTags read_thinking(std::string_view text, std::string_view prompt_text = {});

// Without special tokens (<|im_end|>, </s>) at its ends.
std::string_view without_special_tokens(std::string_view text);

enum class BoxState { none, closed, unclosed };
struct Box {
  BoxState state = BoxState::none;
  std::string_view content;  // between the braces, which may nest; not trimmed
  size_t end = 0;            // one past the closing brace
};
// The last \boxed{...} or \fbox{...} (also "\boxed 5"). When the last one is never closed the state is `unclosed`: an
// earlier one is not taken for the answer.
Box last_box(std::string_view text);
// True when the text has a closed \boxed{} with another content than `content` (both trimmed).
bool has_other_box(std::string_view text, std::string_view content);

// Text behind the last `####`, to the end of the line.
std::optional<std::string_view> after_hashes(std::string_view text);
// Content of the last <answer>...</answer>.
std::optional<std::string_view> answer_tag(std::string_view text);
// What follows the last "answer is" or "answer:" (in English or Chinese) up to the end of the sentence or line.
std::optional<std::string_view> answer_phrase(std::string_view text);
// Content of the last $...$, $$...$$, \(...\) or \[...\] that reads as mathematics and is followed by no number.
std::optional<std::string_view> last_formula(std::string_view text);
// The last number in the text: 1,234.5, -3, 3/4, \frac{3}{4}.
std::optional<std::string_view> last_number(std::string_view text);
// The first number in the text, likewise.
std::optional<std::string_view> first_number(std::string_view text);

}  // namespace laconic::rewards
