#include "laconic/rewards/extract.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstring>

#include "laconic/core/base/strings.h"
#include "laconic/rewards/equivalence.h"

namespace laconic::rewards {
namespace {

constexpr size_t kNone = std::string_view::npos;
// A box without braces ends within so many bytes.
constexpr size_t kMaxBareBox = 4096;

bool is_digit(char c) {
  return std::isdigit(static_cast<unsigned char>(c)) != 0;
}
bool is_letter(char c) {
  return std::isalpha(static_cast<unsigned char>(c)) != 0;
}

// find() and its mirror image in linear time, whatever is repeated in the text.
size_t place(std::string_view text, std::string_view word, size_t from = 0) {
  if (from >= text.size()) return kNone;
  const void* found = memmem(text.data() + from, text.size() - from, word.data(), word.size());
  return found == nullptr ? kNone : static_cast<size_t>(static_cast<const char*>(found) - text.data());
}

int count(std::string_view text, std::string_view word) {
  int n = 0;
  for (size_t at = place(text, word); at != kNone; at = place(text, word, at + word.size())) ++n;
  return n;
}

size_t last_place(std::string_view text, std::string_view word) {
  constexpr size_t kChunk = 16384;
  for (size_t end = text.size(); end > 0;) {
    const size_t begin = end > kChunk ? end - kChunk : 0;
    // A word may begin in this chunk and end in the one behind it.
    const auto part = text.substr(0, std::min(text.size(), end + word.size() - 1));
    size_t last = kNone;
    for (size_t at = place(part, word, begin); at != kNone; at = place(part, word, at + 1)) last = at;
    if (last != kNone) return last;
    end = begin;
  }
  return kNone;
}

std::string_view last_part(std::string_view text) {
  return text.substr(text.size() - std::min(text.size(), kSearched));
}

size_t closing_brace(std::string_view text, size_t open, bool escaped) {
  int depth = 0;
  for (size_t i = open; i < text.size(); ++i) {
    if (text[i] == '\\' && escaped) {
      ++i;
    } else if (text[i] == '{') {
      ++depth;
    } else if (text[i] == '}' && --depth == 0) {
      return i;
    }
  }
  return kNone;
}

// Of the brace at `open`. \{ and \} do not count, unless it is closed by one alone.
size_t closing_brace(std::string_view text, size_t open) {
  const size_t close = closing_brace(text, open, true);
  return close == kNone ? closing_brace(text, open, false) : close;
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
  for (const std::string_view minus : {"-", "\u2212", "\uff0d"}) {
    if (!text.substr(0, begin).ends_with(minus)) continue;
    const size_t sign = begin - minus.size();
    const bool binary = sign > 0 && (is_digit(text[sign - 1]) || is_letter(text[sign - 1]) || text[sign - 1] == ')');
    if (!binary) begin = sign;
    break;
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
  const size_t close = last_place(text, kThinkClose);
  const size_t open = last_place(text, kThinkOpen);
  tags.answer = close == kNone ? text : text.substr(close + kThinkClose.size());
  const size_t prompt_open = last_place(prompt_text, kThinkOpen);
  const size_t prompt_close = last_place(prompt_text, kThinkClose);
  const bool open_in_prompt = prompt_open != kNone && (prompt_close == kNone || prompt_close < prompt_open);
  tags.open = close == kNone ? open != kNone || open_in_prompt : open != kNone && open > close;
  tags.well_formed = tags.closes == 1 && tags.opens <= 1 && (tags.opens == 0 || open < close);
  return tags;
}

std::string_view without_special_tokens(std::string_view text) {
  for (;;) {
    text = trim(text);
    const size_t open = text.size() > 64 ? text.rfind('<', text.size() - 1) : text.rfind('<');
    if (!text.empty() && text.back() == '>' && open != kNone && text.size() - open <= 32) {
      const auto token = text.substr(open);
      if (token == "</s>" || (token.starts_with("<|") && token.ends_with("|>"))) {
        text.remove_suffix(token.size());
        continue;
      }
    }
    if (text.starts_with("<|")) {
      const size_t close = text.substr(0, 32).find("|>");
      if (close != kNone) {
        text.remove_prefix(close + 2);
        continue;
      }
    }
    return text;
  }
}

namespace {

// The box whose command of `length` bytes stands at `at`.
Box box_at(std::string_view text, size_t at, size_t length) {
  size_t open = at + length;
  while (open < text.size() && text[open] == ' ') ++open;
  if (open < text.size() && text[open] == '{') {
    const size_t close = closing_brace(text, open);
    if (close == kNone) return {BoxState::unclosed, {}, 0};
    return {BoxState::closed, text.substr(open + 1, close - open - 1), close + 1};
  }
  const auto near = text.substr(0, std::min(text.size(), open + kMaxBareBox));
  const size_t end = std::min(near.find_first_of(" \t\r\n$", open), near.size());
  if (end == open) return {BoxState::unclosed, {}, 0};
  return {BoxState::closed, text.substr(open, end - open), end};
}

// The end of the sentence or line that begins at `at`; at most kMaxPhrase further.
size_t phrase_end(std::string_view text, size_t at) {
  constexpr size_t kMaxPhrase = 2048;
  const auto part = text.substr(0, std::min(text.size(), at + kMaxPhrase));
  size_t end = std::min(part.find('\n', at), part.size());
  for (size_t stop = part.find(". ", at); stop != kNone && stop < end; stop = part.find(". ", stop + 1)) end = stop;
  return end;
}

// Behind "answer" at `at`: where the answer begins, or npos when this is another use of the word.
size_t phrase_start(std::string_view text, size_t at) {
  const auto skip = [&](std::string_view set) {
    while (at < text.size() && set.find(text[at]) != kNone) ++at;
  };
  skip(" *_");
  for (const std::string_view is : {"is ", "is:", "is\n", "\u662f", "\u4e3a"}) {
    if (!text.substr(at).starts_with(is)) continue;
    at += is[0] == 'i' ? 2 : is.size();
    skip(" :*_\n\t");
    return at;
  }
  for (const std::string_view colon : {":", "=", "\uff1a"}) {
    if (!text.substr(at).starts_with(colon)) continue;
    at += colon.size();
    skip(" :*_\n\t");
    return at;
  }
  return kNone;
}

// Where the box whose command ends at `at` is {content} and nothing else: its end, else npos. Needs no look at the rest
// of the text, so that many equal boxes take linear time.
size_t end_of_equal_box(std::string_view text, size_t at, std::string_view content) {
  const auto skip_space = [&] {
    while (at < text.size() && std::isspace(static_cast<unsigned char>(text[at])) != 0) ++at;
  };
  const auto take = [&](std::string_view word) {
    if (!text.substr(at).starts_with(word)) return false;
    at += word.size();
    return true;
  };
  while (at < text.size() && text[at] == ' ') ++at;
  if (!take("{")) return kNone;
  skip_space();
  if (!take(content)) return kNone;
  skip_space();
  return take("}") ? at : kNone;
}

}  // namespace

Box last_box(std::string_view text) {
  size_t at = last_place(text, "\\boxed");
  size_t length = 6;
  const auto rest = text.substr(at == kNone ? 0 : at);
  const size_t fbox = last_place(rest, "\\fbox");
  if (fbox != kNone) {
    at = fbox + static_cast<size_t>(rest.data() - text.data());
    length = 5;
  }
  if (at == kNone) return {};
  return box_at(text, at, length);
}

bool has_other_box(std::string_view text, std::string_view content) {
  for (size_t at = text.find("\\boxed"); at != kNone; at = text.find("\\boxed", at)) {
    if (const size_t end = end_of_equal_box(text, at + 6, content); end != kNone) {
      at = end;
      continue;
    }
    const Box box = box_at(text, at, 6);
    if (box.state == BoxState::unclosed) return false;  // the last one is closed: this cannot be
    if (trim(box.content) != content) return true;
    at = box.end;
  }
  return false;
}

std::optional<std::string_view> after_hashes(std::string_view text) {
  text = last_part(text);
  const size_t at = last_place(text, "####");
  if (at == kNone) return std::nullopt;
  const size_t begin = at + 4;
  const auto line = trim(text.substr(begin, std::min(text.find('\n', begin), text.size()) - begin));
  if (line.empty()) return std::nullopt;
  return line;
}

std::optional<std::string_view> answer_tag(std::string_view text) {
  constexpr std::string_view kOpen = "<answer>", kClose = "</answer>";
  text = last_part(text);
  const size_t close = last_place(text, kClose);
  if (close == kNone) return std::nullopt;
  const size_t open = last_place(text.substr(0, close), kOpen);
  if (open == kNone) return std::nullopt;
  return trim(text.substr(open + kOpen.size(), close - open - kOpen.size()));
}

std::optional<std::string_view> answer_phrase(std::string_view text) {
  text = last_part(text);
  const std::string lower = to_lower(text);
  for (const std::string_view word : {std::string_view("answer"), std::string_view("\u7b54\u6848")}) {
    for (size_t at = lower.rfind(word); at != kNone; at = at == 0 ? kNone : lower.rfind(word, at - 1)) {
      const size_t begin = phrase_start(lower, at + word.size());
      if (begin == kNone) continue;
      auto phrase = trim(text.substr(begin, phrase_end(text, begin) - begin));
      while (!phrase.empty() && std::string_view(".*_").find(phrase.back()) != kNone) phrase.remove_suffix(1);
      if (!phrase.empty()) return phrase;
    }
  }
  return std::nullopt;
}

std::optional<std::string_view> last_formula(std::string_view text) {
  text = last_part(text);
  struct Delimiter {
    std::string_view open, close;
  };
  constexpr std::array<Delimiter, 3> kDelimiters = {{{"$", "$"}, {"\\(", "\\)"}, {"\\[", "\\]"}}};
  size_t best_begin = 0, best_end = 0;
  for (const auto& [open, close] : kDelimiters) {
    size_t end = last_place(text, close);
    if (end == kNone || end == 0) continue;
    while (close == "$" && end > 0 && text[end - 1] == '$') --end;
    const size_t begin = last_place(text.substr(0, end), open);
    if (begin == kNone || begin + open.size() >= end || end <= best_end) continue;
    best_begin = begin + open.size();
    best_end = end;
  }
  if (best_end == 0) return std::nullopt;
  const auto after = text.substr(best_end);
  if (std::any_of(after.begin(), after.end(), is_digit)) return std::nullopt;
  const auto formula = trim(text.substr(best_begin, best_end - best_begin));
  if (formula.empty() || formula.size() > 1024 || !is_mathematics(formula)) return std::nullopt;
  return formula;
}

std::optional<std::string_view> last_number(std::string_view text) {
  text = last_part(text);
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
