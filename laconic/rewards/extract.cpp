#include "laconic/rewards/extract.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "laconic/core/base/strings.h"

namespace laconic::rewards {
namespace {

constexpr size_t kNone = std::string_view::npos;

bool is_digit(char c) {
  return std::isdigit(static_cast<unsigned char>(c)) != 0;
}
bool is_letter(char c) {
  return std::isalpha(static_cast<unsigned char>(c)) != 0;
}

int count(std::string_view text, std::string_view word) {
  int n = 0;
  for (size_t at = text.find(word); at != kNone; at = text.find(word, at + word.size())) ++n;
  return n;
}

size_t closing_brace(std::string_view text, size_t open) {
  int depth = 0;
  for (size_t i = open; i < text.size(); ++i) {
    if (text[i] == '{') ++depth;
    if (text[i] == '}' && --depth == 0) return i;
  }
  return kNone;
}

bool digit_at(std::string_view text, size_t i) {
  return i < text.size() && is_digit(text[i]);
}

// End of the plain number (digits, separators, decimals) that starts at `at`.
size_t plain_end(std::string_view text, size_t at) {
  while (digit_at(text, at)) ++at;
  while (at < text.size() && text[at] == ',' && digit_at(text, at + 1) && digit_at(text, at + 2) &&
         digit_at(text, at + 3) && !digit_at(text, at + 4)) {
    at += 4;
  }
  if (at < text.size() && text[at] == '.' && digit_at(text, at + 1)) {
    ++at;
    while (digit_at(text, at)) ++at;
  }
  return at;
}

// The number whose first digit (or decimal point) is at `at`, with its denominator and its sign.
std::string_view number_at(std::string_view text, size_t at) {
  size_t end = plain_end(text, at);
  if (end < text.size() && text[end] == '/' && digit_at(text, end + 1)) end = plain_end(text, end + 1);
  size_t begin = at;
  if (begin > 0 && text[begin - 1] == '.') --begin;
  if (begin > 0 && text[begin - 1] == '$') --begin;
  if (begin > 0 && text[begin - 1] == '-' &&
      (begin == 1 || (!is_digit(text[begin - 2]) && !is_letter(text[begin - 2]) && text[begin - 2] != ')'))) {
    --begin;
  }
  return text.substr(begin, end - begin);
}

// A \frac{..}{..} that covers position `at` and begins at most 64 bytes before it.
std::optional<std::string_view> fraction_around(std::string_view text, size_t at) {
  const size_t limit = at > 64 ? at - 64 : 0;
  const size_t begin = text.rfind("frac", at);
  if (begin == kNone || begin < limit || begin == 0) return std::nullopt;
  size_t start = text.rfind('\\', begin);
  if (start == kNone || begin - start > 2) return std::nullopt;
  size_t end = begin + 4;
  for (int argument = 0; argument < 2; ++argument) {
    if (end >= text.size()) return std::nullopt;
    if (text[end] == '{') {
      const size_t close = text.substr(0, std::min(text.size(), end + 64)).find('}', end);
      if (close == kNone) return std::nullopt;
      end = close + 1;
    } else {
      ++end;
    }
  }
  if (end <= at) return std::nullopt;
  if (start > 0 && text[start - 1] == '-') --start;
  return text.substr(start, end - start);
}

}  // namespace

ThinkingTags read_thinking(std::string_view text, std::string_view prompt_text) {
  ThinkingTags tags;
  tags.opens = count(text, kThinkOpen);
  tags.closes = count(text, kThinkClose);
  const size_t close = text.rfind(kThinkClose);
  const size_t open = text.rfind(kThinkOpen);
  tags.answer = close == kNone ? text : text.substr(close + kThinkClose.size());
  const size_t prompt_open = prompt_text.rfind(kThinkOpen);
  const size_t prompt_close = prompt_text.rfind(kThinkClose);
  const bool open_in_prompt = prompt_open != kNone && (prompt_close == kNone || prompt_close < prompt_open);
  tags.open = close == kNone ? open != kNone || open_in_prompt : open != kNone && open > close;
  tags.well_formed = tags.closes == 1 && tags.opens <= 1 && (tags.opens == 0 || open < close);
  return tags;
}

Box last_box(std::string_view text) {
  size_t at = text.rfind("\\boxed");
  size_t length = 6;
  const size_t fbox = text.rfind("\\fbox");
  if (fbox != kNone && (at == kNone || fbox > at)) {
    at = fbox;
    length = 5;
  }
  if (at == kNone) return {};
  size_t open = at + length;
  while (open < text.size() && text[open] == ' ') ++open;
  if (open < text.size() && text[open] == '{') {
    const size_t close = closing_brace(text, open);
    if (close == kNone) return {BoxState::unclosed, {}, 0};
    return {BoxState::closed, text.substr(open + 1, close - open - 1), close + 1};
  }
  const size_t end = std::min(text.find_first_of(" \t\r\n$", open), text.size());
  if (end == open) return {BoxState::unclosed, {}, 0};
  return {BoxState::closed, text.substr(open, end - open), end};
}

std::optional<std::string_view> after_hashes(std::string_view text) {
  const size_t at = text.rfind("####");
  if (at == kNone) return std::nullopt;
  const size_t begin = at + 4;
  const auto line = trim(text.substr(begin, std::min(text.find('\n', begin), text.size()) - begin));
  if (line.empty()) return std::nullopt;
  return line;
}

std::optional<std::string_view> answer_tag(std::string_view text) {
  constexpr std::string_view kOpen = "<answer>", kClose = "</answer>";
  const size_t close = text.rfind(kClose);
  if (close == kNone) return std::nullopt;
  const size_t open = text.rfind(kOpen, close);
  if (open == kNone) return std::nullopt;
  return trim(text.substr(open + kOpen.size(), close - open - kOpen.size()));
}

std::optional<std::string_view> answer_phrase(std::string_view text) {
  const std::string lower = to_lower(text);
  for (size_t at = lower.rfind("answer"); at != kNone; at = at == 0 ? kNone : lower.rfind("answer", at - 1)) {
    size_t i = at + 6;
    const auto skip = [&](std::string_view set) {
      while (i < lower.size() && set.find(lower[i]) != kNone) ++i;
    };
    skip(" *_");
    const bool is =
        lower.compare(i, 3, "is ") == 0 || lower.compare(i, 3, "is:") == 0 || lower.compare(i, 3, "is\n") == 0;
    if (!is && (i >= lower.size() || lower[i] != ':')) continue;
    i += is ? 2 : 1;
    skip(" :*_\n\t");
    size_t end = std::min(lower.find('\n', i), lower.size());
    for (size_t stop = lower.find(". ", i); stop != kNone && stop < end; stop = lower.find(". ", stop + 1)) end = stop;
    auto phrase = trim(text.substr(i, end - i));
    while (!phrase.empty() && (phrase.back() == '.' || phrase.back() == '*' || phrase.back() == '_'))
      phrase.remove_suffix(1);
    if (!phrase.empty()) return phrase;
  }
  return std::nullopt;
}

std::optional<std::string_view> last_number(std::string_view text) {
  size_t at = text.size();
  while (at > 0 && !is_digit(text[at - 1])) --at;
  if (at == 0) return std::nullopt;
  --at;
  if (const auto fraction = fraction_around(text, at)) return fraction;
  // Back over the digits, separators and one slash that belong to it; a number longer than 512 bytes is cut.
  size_t begin = at;
  bool slash = false, point = false;
  while (begin > 0 && at - begin < 512) {
    const char c = text[begin - 1];
    const bool inner = begin >= 2 && is_digit(text[begin - 2]);
    if (is_digit(c) || (c == ',' && inner && plain_end(text, begin - 2) > begin)) {
      --begin;
    } else if (c == '.' && !point && inner) {
      point = true;
      --begin;
    } else if (c == '/' && !slash && inner) {
      slash = true;
      point = false;
      --begin;
    } else {
      break;
    }
  }
  return number_at(text, begin);
}

std::optional<std::string_view> first_number(std::string_view text) {
  const auto at = static_cast<size_t>(std::find_if(text.begin(), text.end(), is_digit) - text.begin());
  if (at == text.size()) return std::nullopt;
  if (const auto fraction = fraction_around(text, at)) return fraction;
  return number_at(text, at);
}

}  // namespace laconic::rewards
