#include "laconic/rewards/instruction_checks.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "laconic/core/base/error.h"
#include "laconic/rewards/characters.h"
#include "laconic/rewards/instruction_forms.h"
#include "laconic/rewards/sentences.h"

namespace laconic::rewards {
namespace {

using View = std::u32string_view;

std::u32string folded(const std::string& text) {
  return lower(code_points(text));
}

bool compares(const Instruction& instruction, size_t found) {
  const auto wanted = static_cast<size_t>(instruction.count);
  return instruction.at_least ? found >= wanted : found < wanted;
}

bool has_keywords(const std::vector<std::string>& keywords, View text) {
  const std::u32string low = lower(text);
  return std::all_of(keywords.begin(), keywords.end(),
                     [&](const std::string& word) { return low.find(folded(word)) != View::npos; });
}

bool has_forbidden(const std::vector<std::string>& words, View text) {
  const std::u32string low = lower(text);
  return std::any_of(words.begin(), words.end(),
                     [&](const std::string& word) { return contains_word(low, folded(word)); });
}

bool is_constrained(View text) {
  static constexpr std::array<View, 3> kAnswers = {U"My answer is yes.", U"My answer is no.", U"My answer is maybe."};
  return std::any_of(kAnswers.begin(), kAnswers.end(), [&](View answer) { return text.find(answer) != View::npos; });
}

// "p. s." with at most one white space behind a full stop; `letters` without the stops.
bool has_marker(View low, View letters, bool last_stop) {
  for (size_t begin = low.find(letters.front()); begin != View::npos; begin = low.find(letters.front(), begin + 1)) {
    size_t at = begin;
    bool fits = true;
    for (size_t i = 0; i < letters.size() && fits; ++i) {
      fits = at < low.size() && low[at] == letters[i];
      ++at;
      const bool stop = i + 1 < letters.size() || last_stop;
      if (!fits || !stop) continue;
      fits = at < low.size() && low[at] == '.';
      ++at;
      if (i + 1 < letters.size() && at < low.size() && is_space(low[at])) ++at;
    }
    if (fits) return true;
  }
  return false;
}

bool has_postscript(const std::string& marker, View text) {
  const std::u32string low = lower(text);
  if (marker == "P.P.S") return has_marker(low, U"pps", false);
  if (marker == "P.S.") return has_marker(low, U"ps", true);
  return low.find(folded(marker)) != View::npos;
}

bool is_json(View text) {
  text = strip(text);
  for (const View fence : {View(U"```json"), View(U"```Json"), View(U"```JSON"), View(U"```")})
    if (text.starts_with(fence)) text.remove_prefix(fence.size());
  if (text.ends_with(U"```")) text.remove_suffix(3);
  std::string utf8;
  utf8.reserve(text.size());
  for (const char32_t c : text) append_utf8(c, utf8);
  return nlohmann::json::accept(utf8);
}

bool repeats(const std::string& prompt, View text) {
  return lower(strip(text)).starts_with(folded(prompt));
}

bool ends_with(const std::string& phrase, View text) {
  return lower(strip(strip(text), U'"')).ends_with(folded(phrase));
}

bool is_quoted(View text) {
  text = strip(text);
  return text.size() > 1 && text.front() == '"' && text.back() == '"';
}

size_t letters(const std::string& letter, View text) {
  const std::u32string low = lower(text);
  return static_cast<size_t>(std::count(low.begin(), low.end(), folded(letter).front()));
}

bool follows(const Instruction& instruction, View text) {
  using enum InstructionKind;
  const auto wanted = static_cast<size_t>(instruction.count);
  if (strip(text).empty()) return false;
  switch (instruction.kind) {
    case keywords_existence:
      return has_keywords(instruction.words, text);
    case keywords_frequency:
      return compares(instruction, occurrences(lower(text), folded(instruction.text)));
    case forbidden_words:
      return !has_forbidden(instruction.words, text);
    case letter_frequency:
      return compares(instruction, letters(instruction.text, text));
    case response_language:
      return false;
    case number_sentences:
      return compares(instruction, count_sentences(text));
    case number_paragraphs:
      return count_divided_paragraphs(text) == wanted;
    case number_words:
      return compares(instruction, count_words(text));
    case paragraph_first_word:
      return paragraph_begins(text, wanted, static_cast<size_t>(instruction.paragraph), folded(instruction.text));
    case number_placeholders:
      return count_placeholders(text) >= wanted;
    case postscript:
      return has_postscript(instruction.text, text);
    case number_bullets:
      return count_bullets(text) == wanted;
    case constrained_response:
      return is_constrained(text);
    case number_highlights:
      return count_highlights(text) >= wanted;
    case multiple_sections:
      return count_sections(text, code_points(instruction.text)) >= wanted;
    case json_format:
      return is_json(text);
    case title:
      return has_title(text);
    case two_responses:
      return is_two_responses(text);
    case repeat_prompt:
      return repeats(instruction.text, text);
    case end_checker:
      return ends_with(instruction.text, text);
    case quotation:
      return is_quoted(text);
    case capital_words:
      return compares(instruction, count_capital_words(text));
    case english_capital:
      return all_upper(text);
    case english_lowercase:
      return all_lower(text);
    case no_comma:
      return text.find(U',') == View::npos;
  }
  fail(ErrorKind::internal, "an instruction of no kind");
}

}  // namespace

bool follows(const Instruction& instruction, std::string_view response) {
  return follows(instruction, View(code_points(response)));
}

bool follows_loosely(const Instruction& instruction, std::string_view response) {
  const std::u32string text = code_points(response);
  const View all = text;
  const size_t first = all.find(U'\n'), last = all.rfind(U'\n');
  const View rest = first == View::npos ? View() : all.substr(first + 1);
  const View front = last == View::npos ? View() : all.substr(0, last);
  const View middle = first == View::npos || first == last ? View() : all.substr(first + 1, last - first - 1);
  for (const View variant : {all, strip(rest), strip(front), strip(middle)}) {
    if (follows(instruction, variant)) return true;
    std::u32string plain(variant);
    std::erase(plain, U'*');
    if (plain.size() < variant.size() && follows(instruction, View(plain))) return true;
  }
  return false;
}

}  // namespace laconic::rewards
