#include "laconic/rewards/characters.h"

#include <utf8proc.h>

#include <algorithm>
#include <array>

namespace laconic::rewards {
namespace {

struct Range {
  char32_t first, last;
};

template <size_t N>
bool within(char32_t c, const std::array<Range, N>& ranges) {
  return std::any_of(ranges.begin(), ranges.end(), [c](const Range& r) { return r.first <= c && c <= r.last; });
}

bool is_visible(char32_t c) {
  return utf8proc_get_property(static_cast<utf8proc_int32_t>(c))->ignorable == 0;
}

utf8proc_category_t category(char32_t c) {
  return utf8proc_category(static_cast<utf8proc_int32_t>(c));
}

// A boundary lies at `at` when exactly one of its neighbours is a word character.
bool is_boundary(std::u32string_view text, size_t at) {
  const bool before = at > 0 && is_word(text[at - 1]), after = at < text.size() && is_word(text[at]);
  return before != after;
}

}  // namespace

std::u32string code_points(std::string_view utf8) {
  std::u32string text;
  text.reserve(utf8.size());
  const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(utf8.data());
  for (size_t i = 0; i < utf8.size();) {
    utf8proc_int32_t point = 0;
    const auto used = utf8proc_iterate(bytes + i, static_cast<utf8proc_ssize_t>(utf8.size() - i), &point);
    text += used > 0 ? static_cast<char32_t>(point) : char32_t{0xFFFD};
    i += used > 0 ? static_cast<size_t>(used) : 1;
  }
  return text;
}

void append_utf8(char32_t c, std::string& out) {
  std::array<utf8proc_uint8_t, 4> bytes{};
  const auto used = utf8proc_encode_char(static_cast<utf8proc_int32_t>(c), bytes.data());
  out.append(reinterpret_cast<const char*>(bytes.data()), static_cast<size_t>(used));
}

std::string without_invisible(std::string_view utf8) {
  constexpr char32_t kAscii = 0x80;
  if (std::all_of(utf8.begin(), utf8.end(), [](char c) { return static_cast<unsigned char>(c) < kAscii; }))
    return std::string(utf8);
  const auto points = code_points(utf8);
  std::string visible;
  visible.reserve(utf8.size());
  for (size_t i = 0; i < points.size(); ++i) {
    const bool joins = (points[i] == U'\u200C' || points[i] == U'\u200D') && i > 0 && i + 1 < points.size() &&
                       points[i - 1] >= kAscii && points[i + 1] >= kAscii && is_visible(points[i - 1]) &&
                       is_visible(points[i + 1]);
    if (joins || is_visible(points[i])) append_utf8(points[i], visible);
  }
  return visible;
}

bool is_space(char32_t c) {
  if (c < 0x80) return c == ' ' || (c >= 9 && c <= 13) || (c >= 0x1C && c <= 0x1F);
  if (c == 0x85) return true;
  const auto kind = category(c);
  return kind == UTF8PROC_CATEGORY_ZS || kind == UTF8PROC_CATEGORY_ZL || kind == UTF8PROC_CATEGORY_ZP;
}

bool is_word(char32_t c) {
  if (c < 0x80) return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  const auto kind = category(c);
  return (kind >= UTF8PROC_CATEGORY_LU && kind <= UTF8PROC_CATEGORY_LO) ||
         (kind >= UTF8PROC_CATEGORY_ND && kind <= UTF8PROC_CATEGORY_NO);
}

bool is_digit(char32_t c) {
  return c < 0x80 ? c >= '0' && c <= '9' : category(c) == UTF8PROC_CATEGORY_ND;
}

bool is_upper(char32_t c) {
  if (c < 0x80) return c >= 'A' && c <= 'Z';
  // Other_Uppercase: Roman numerals and letters in circles and squares.
  static constexpr std::array<Range, 5> kOther = {
      {{0x2160, 0x216F}, {0x24B6, 0x24CF}, {0x1F130, 0x1F149}, {0x1F150, 0x1F169}, {0x1F170, 0x1F189}}};
  return category(c) == UTF8PROC_CATEGORY_LU || within(c, kOther);
}

bool is_lower(char32_t c) {
  if (c < 0x80) return c >= 'a' && c <= 'z';
  // Other_Lowercase: ordinal marks, modifier letters, Roman numerals, letters in circles.
  static constexpr std::array<Range, 10> kOther = {{{0xAA, 0xAA},
                                                    {0xBA, 0xBA},
                                                    {0x2B0, 0x2B8},
                                                    {0x2C0, 0x2C1},
                                                    {0x2E0, 0x2E4},
                                                    {0x1D2C, 0x1D6A},
                                                    {0x2071, 0x2071},
                                                    {0x207F, 0x207F},
                                                    {0x2170, 0x217F},
                                                    {0x24D0, 0x24E9}}};
  return category(c) == UTF8PROC_CATEGORY_LL || within(c, kOther);
}

bool is_title(char32_t c) {
  return c >= 0x80 && category(c) == UTF8PROC_CATEGORY_LT;
}

char32_t lower(char32_t c) {
  if (c < 0x80) return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
  return static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(c)));
}

std::u32string lower(std::u32string_view text) {
  std::u32string result(text);
  for (auto& c : result) c = lower(c);
  return result;
}

std::u32string_view strip(std::u32string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

std::u32string_view strip(std::u32string_view text, char32_t c) {
  while (!text.empty() && text.front() == c) text.remove_prefix(1);
  while (!text.empty() && text.back() == c) text.remove_suffix(1);
  return text;
}

bool all_upper(std::u32string_view text) {
  return std::any_of(text.begin(), text.end(), [](char32_t c) { return is_upper(c); }) &&
         std::none_of(text.begin(), text.end(), [](char32_t c) { return is_lower(c) || is_title(c); });
}

bool all_lower(std::u32string_view text) {
  return std::any_of(text.begin(), text.end(), [](char32_t c) { return is_lower(c); }) &&
         std::none_of(text.begin(), text.end(), [](char32_t c) { return is_upper(c) || is_title(c); });
}

size_t occurrences(std::u32string_view text, std::u32string_view part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::u32string_view::npos; at = text.find(part, at + part.size())) ++count;
  return count;
}

bool contains_word(std::u32string_view text, std::u32string_view part) {
  for (size_t at = text.find(part); at != std::u32string_view::npos; at = text.find(part, at + 1)) {
    if (is_boundary(text, at) && is_boundary(text, at + part.size())) return true;
  }
  return false;
}

}  // namespace laconic::rewards
