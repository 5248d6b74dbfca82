#include "laconic/rewards/format.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>

#include "laconic/rewards/extract.h"

namespace laconic::rewards {
namespace {

int count(std::string_view text, std::string_view word) {
  int n = 0;
  for (size_t at = text.find(word); at != std::string_view::npos; at = text.find(word, at + word.size())) ++n;
  return n;
}

bool is_space(char c) {
  return std::isspace(static_cast<unsigned char>(c)) != 0;
}
bool is_digit(char c) {
  return std::isdigit(static_cast<unsigned char>(c)) != 0;
}

struct Tag {
  bool close = false;
  size_t begin = 0, end = 0;
};

// The next <think> or </think> at or after `at`.
std::optional<Tag> next_tag(std::string_view text, size_t at) {
  for (size_t open = text.find('<', at); open != std::string_view::npos; open = text.find('<', open + 1)) {
    size_t i = open + 1;
    const auto skip = [&] {
      while (i < text.size() && is_space(text[i])) ++i;
    };
    skip();
    const bool close = i < text.size() && text[i] == '/';
    if (close) ++i;
    skip();
    constexpr std::string_view kName = "think";
    const bool named = i + kName.size() <= text.size() &&
                       std::equal(kName.begin(), kName.end(), text.begin() + static_cast<std::ptrdiff_t>(i),
                                  [](char a, char b) { return a == std::tolower(static_cast<unsigned char>(b)); });
    if (!named) continue;
    i += kName.size();
    skip();
    if (i < text.size() && text[i] == '>') return Tag{close, open, i + 1};
  }
  return std::nullopt;
}

}  // namespace

double think_answer_format(std::string_view text) {
  constexpr std::string_view kBegin = "<think>\n", kMiddle = "\n</think>\n<answer>\n", kEnd = "\n</answer>";
  if (!text.starts_with(kBegin) || !text.ends_with(kEnd)) return 0;
  const size_t middle = text.find(kMiddle, kBegin.size() - 1);
  return middle != std::string_view::npos && middle + kMiddle.size() <= text.size() - kEnd.size() + 1 ? 1 : 0;
}

double tag_count_format(std::string_view text) {
  constexpr std::array<std::string_view, 4> kTags = {"<think>\n", "\n</think>\n", "\n<answer>\n", "\n</answer>"};
  double share = 0;
  for (const auto tag : kTags) share += count(text, tag) == 1 ? 0.25 : 0;
  return share;
}

double thinking_format(std::string_view text, std::string_view prompt_text) {
  const auto tags = read_thinking(text, prompt_text);
  const bool opened = tags.opens == 1 || prompt_text.rfind(kThinkOpen) != std::string_view::npos;
  return tags.well_formed && opened ? 1 : 0;
}

double thinking_content(std::string_view text, double full, double partial) {
  bool any = false;
  std::optional<size_t> opened;  // end of the first <think> that is not closed
  for (auto tag = next_tag(text, 0); tag; tag = next_tag(text, tag->end)) {
    any = true;
    if (!tag->close) {
      if (!opened) opened = tag->end;
      continue;
    }
    if (!opened) continue;
    const auto content = text.substr(*opened, tag->begin - *opened);
    if (!std::all_of(content.begin(), content.end(), is_space)) return full;
    opened.reset();
  }
  return any ? partial : 0;
}

double reasoning_steps(std::string_view text) {
  int steps = 0;
  for (const std::string_view word : {"First,", "Second,", "Third,", "Next,", "Finally,"}) steps += count(text, word);
  for (size_t at = text.find("Step "); at != std::string_view::npos; at = text.find("Step ", at + 1)) {
    size_t end = at + 5;
    while (end < text.size() && is_digit(text[end])) ++end;
    steps += end > at + 5 && end < text.size() && text[end] == ':' ? 1 : 0;
  }
  for (size_t line = 0; line < text.size();) {
    size_t end = line;
    while (end < text.size() && is_digit(text[end])) ++end;
    const bool numbered = end > line && end < text.size() && text[end] == '.';
    const bool bullet = end == line && line > 0 && (text[line] == '-' || text[line] == '*') && line + 1 < text.size() &&
                        is_space(text[line + 1]);
    steps += numbered || bullet ? 1 : 0;
    const size_t next = text.find('\n', line);
    line = next == std::string_view::npos ? text.size() : next + 1;
  }
  return std::min(1.0, steps / 3.0);
}

}  // namespace laconic::rewards
