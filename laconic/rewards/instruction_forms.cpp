#include "laconic/rewards/instruction_forms.h"

#include <string>
#include <vector>

#include "laconic/rewards/characters.h"

namespace laconic::rewards {
namespace {

using View = std::u32string_view;

std::vector<View> split_at(View text, View separator) {
  std::vector<View> parts;
  size_t begin = 0;
  for (size_t at = text.find(separator); at != View::npos; at = text.find(separator, begin)) {
    parts.push_back(text.substr(begin, at - begin));
    begin = at + separator.size();
  }
  parts.push_back(text.substr(begin));
  return parts;
}

// The first word of a paragraph up to its punctuation, in lower case.
std::u32string first_word(View paragraph) {
  paragraph = strip(paragraph);
  size_t end = 0;
  while (end < paragraph.size() && !is_space(paragraph[end])) ++end;
  View word = paragraph.substr(0, end);
  while (word.starts_with(U'\'')) word.remove_prefix(1);
  while (word.starts_with(U'"')) word.remove_prefix(1);
  return lower(word.substr(0, word.find_first_of(U".,?!'\"")));
}

// Lines whose first character that is no white space is `mark`; behind a `*` something must follow that is none. White
// space may run over lines, and what follows may be the line's end: then the next line belongs to the bullet.
size_t count_lines(View text, char32_t mark) {
  size_t count = 0, line = 0;
  while (line < text.size()) {
    size_t at = line;
    while (at < text.size() && is_space(text[at])) ++at;
    size_t behind = at + 1;
    if (mark == '*' && at < text.size()) ++behind;
    const bool fits =
        at < text.size() && text[at] == mark && (mark != '*' || (at + 1 < text.size() && text[at + 1] != '*'));
    if (fits) ++count;
    const size_t end = text.find(U'\n', fits ? behind : at);
    if (end == View::npos) break;
    line = end + 1;
  }
  return count;
}

size_t count_single_highlights(View text) {
  size_t count = 0;
  for (size_t at = text.find(U'*'); at != View::npos;) {
    const size_t end = text.find_first_of(U"*\n", at + 1);
    if (end == View::npos) break;
    if (text[end] == '\n') {
      at = text.find(U'*', end);
      continue;
    }
    if (!strip(text.substr(at + 1, end - at - 1)).empty()) ++count;
    at = text.find(U'*', end + 1);
  }
  return count;
}

size_t count_double_highlights(View text) {
  size_t count = 0;
  for (size_t at = text.find(U"**"); at != View::npos;) {
    const size_t end = text.find_first_of(U"*\n", at + 2);
    if (end == View::npos) break;
    if (!text.substr(end).starts_with(U"**")) {
      at = text.find(U"**", text[end] == '\n' ? end : at + 1);
      continue;
    }
    if (!strip(text.substr(at + 2, end - at - 2)).empty()) ++count;
    at = text.find(U"**", end + 2);
  }
  return count;
}

}  // namespace

std::optional<size_t> count_divided_paragraphs(View text) {
  const auto parts = split_at(text, U"***");
  size_t count = parts.size();
  for (size_t i = 0; i < parts.size(); ++i) {
    if (!strip(parts[i]).empty()) continue;
    if (i != 0 && i + 1 != parts.size()) return std::nullopt;
    --count;
  }
  return count;
}

bool paragraph_begins(View text, size_t count, size_t nth, View word) {
  const auto paragraphs = split_at(text, U"\n\n");
  size_t filled = 0;
  for (const View paragraph : paragraphs) filled += strip(paragraph).empty() ? 0 : 1;
  // The paragraphs are counted without empty ones, but numbered with them.
  if (nth < 1 || nth > filled || filled != count) return false;
  const View paragraph = paragraphs[nth - 1];
  return !strip(paragraph).empty() && first_word(paragraph) == word;
}

size_t count_placeholders(View text) {
  size_t count = 0, end = 0;
  for (size_t at = text.find(U'['); at != View::npos; at = text.find(U'[', at + 1)) {
    if (end <= at) end = text.find_first_of(U"]\n", at);
    if (end == View::npos) break;
    if (text[end] == '\n') continue;
    ++count;
    at = end;
  }
  return count;
}

size_t count_bullets(View text) {
  return count_lines(text, '*') + count_lines(text, '-');
}

size_t count_highlights(View text) {
  return count_single_highlights(text) + count_double_highlights(text);
}

size_t count_sections(View text, View splitter) {
  size_t count = 0;
  for (size_t at = text.find(splitter); at != View::npos;) {
    size_t end = at + splitter.size();
    if (end < text.size() && is_space(text[end])) ++end;
    const size_t digits = end;
    while (end < text.size() && is_digit(text[end])) ++end;
    if (end > digits) ++count;
    at = text.find(splitter, end > digits ? end : at + 1);
  }
  return count;
}

bool has_title(View text) {
  for (const View line : split_at(text, U"\n")) {
    const size_t begin = line.find(U"<<"), end = line.rfind(U">>");
    if (begin == View::npos || end == View::npos || end < begin + 3) continue;
    View title = line.substr(begin, end + 2 - begin);
    while (title.starts_with(U'<')) title.remove_prefix(1);
    while (title.ends_with(U'>')) title.remove_suffix(1);
    if (!strip(title).empty()) return true;
  }
  return false;
}

bool is_two_responses(View text) {
  const auto parts = split_at(text, U"******");
  std::vector<View> filled;
  for (size_t i = 0; i < parts.size(); ++i) {
    const View part = strip(parts[i]);
    if (!part.empty()) {
      filled.push_back(part);
    } else if (i != 0 && i + 1 != parts.size()) {
      return false;
    }
  }
  return filled.size() == 2 && filled[0] != filled[1];
}

}  // namespace laconic::rewards
