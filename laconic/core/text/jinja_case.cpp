#include "laconic/core/text/jinja_case.h"

#include <utf8proc.h>

#include <array>
#include <vector>

#include "laconic/core/base/error.h"
#include "laconic/core/text/unicode.h"

namespace laconic::text::jinja {

namespace {

bool is_ascii_letter(char32_t c, char first) {
  return c >= static_cast<char32_t>(first) && c < static_cast<char32_t>(first) + 26;
}

utf8proc_category_t category(char32_t c) {
  return utf8proc_category(static_cast<utf8proc_int32_t>(c));
}
char32_t simple_upper(char32_t c) {
  if (c < 0x80) return is_ascii_letter(c, 'a') ? c - 32 : c;
  return static_cast<char32_t>(utf8proc_toupper(static_cast<utf8proc_int32_t>(c)));
}
char32_t simple_title(char32_t c) {
  return static_cast<char32_t>(utf8proc_totitle(static_cast<utf8proc_int32_t>(c)));
}
bool is_cased(char32_t c) {
  const auto kind = category(c);
  return kind == UTF8PROC_CATEGORY_LU || kind == UTF8PROC_CATEGORY_LL || kind == UTF8PROC_CATEGORY_LT;
}

// The full case folding of a character.
std::vector<char32_t> folding(char32_t c) {
  std::array<utf8proc_int32_t, 8> buffer{};
  int boundary = 0;
  const auto count = utf8proc_decompose_char(static_cast<utf8proc_int32_t>(c), buffer.data(),
                                             static_cast<utf8proc_ssize_t>(buffer.size()),
                                             static_cast<utf8proc_option_t>(UTF8PROC_CASEFOLD), &boundary);
  LACONIC_CHECK(count >= 0 && static_cast<size_t>(count) <= buffer.size(), "case folding failed: {}", count);
  return {buffer.begin(), buffer.begin() + count};
}

// Whether upper case of it is several characters. Those are the characters with a longer folding that are not upper
// case themselves, and their upper case is that of the folding.
bool grows(char32_t c) {
  return c >= 0x80 && category(c) != UTF8PROC_CATEGORY_LU && folding(c).size() > 1;
}

void append_upper(char32_t c, std::string& out) {
  if (!grows(c)) return append_utf8(simple_upper(c), out);
  for (const char32_t part : folding(c)) append_utf8(simple_upper(part), out);
}

void append_title(char32_t c, std::string& out) {
  if (!grows(c) || simple_title(c) != c || category(c) == UTF8PROC_CATEGORY_LT) {
    return append_utf8(simple_title(c), out);
  }
  constexpr char32_t kIota = 0x3B9, kIotaBelow = 0x345;
  const auto parts = folding(c);
  append_utf8(simple_title(parts[0]), out);
  for (size_t i = 1; i < parts.size(); ++i) append_utf8(parts[i] == kIota ? kIotaBelow : parts[i], out);
}

// Characters that do not count when it is asked whether a sigma ends a word.
bool is_case_ignorable(char32_t c) {
  const auto kind = category(c);
  return kind == UTF8PROC_CATEGORY_MN || kind == UTF8PROC_CATEGORY_ME || kind == UTF8PROC_CATEGORY_CF ||
         kind == UTF8PROC_CATEGORY_LM || kind == UTF8PROC_CATEGORY_SK || c == '\'' || c == '.' || c == ':' ||
         c == 0xB7 || c == 0x2019;
}

bool ends_word(std::string_view text, size_t sigma) {
  size_t at = sigma;
  bool letter_before = false;
  while (at > 0) {
    at = previous_boundary(text, at);
    const char32_t c = code_point_at(text, at);
    if (is_case_ignorable(c)) continue;
    letter_before = is_cased(c);
    break;
  }
  if (!letter_before) return false;
  for (at = sigma + utf8_length(text[sigma]); at < text.size(); at += utf8_length(text[at])) {
    const char32_t c = code_point_at(text, at);
    if (!is_case_ignorable(c)) return !is_cased(c);
  }
  return true;
}

void append_lower(std::string_view text, size_t at, std::string& out) {
  constexpr char32_t kSigma = 0x3A3, kFinalSigma = 0x3C2;
  if (const auto c = static_cast<char32_t>(static_cast<unsigned char>(text[at])); c < 0x80) {
    out += static_cast<char>(is_ascii_letter(c, 'A') ? c + 32 : c);
    return;
  }
  if (code_point_at(text, at) == kSigma && ends_word(text, at)) return append_utf8(kFinalSigma, out);
  out += lowercase(text.substr(at, utf8_length(text[at])));
}

template <typename Each>
void each_character(std::string_view text, const Each& each) {
  for (size_t i = 0; i < text.size(); i += utf8_length(text[i])) each(i, code_point_at(text, i));
}

bool one_case(std::string_view text, utf8proc_category_t wanted) {
  bool any = false;
  bool all = true;
  each_character(text, [&](size_t, char32_t c) {
    if (!is_cased(c)) return;
    any = true;
    all = all && category(c) == wanted;
  });
  return any && all;
}

}  // namespace

std::string upper_case(std::string_view text) {
  std::string out;
  each_character(text, [&](size_t, char32_t c) { append_upper(c, out); });
  return out;
}

std::string lower_case(std::string_view text) {
  std::string out;
  each_character(text, [&](size_t at, char32_t) { append_lower(text, at, out); });
  return out;
}

std::string title_case(std::string_view text) {
  std::string out;
  bool inside = false;
  each_character(text, [&](size_t at, char32_t c) {
    if (inside) {
      append_lower(text, at, out);
    } else {
      append_title(c, out);
    }
    inside = is_cased(c);
  });
  return out;
}

std::string capitalized(std::string_view text) {
  std::string out;
  each_character(text, [&](size_t at, char32_t c) {
    if (at == 0) {
      append_title(c, out);
    } else {
      append_lower(text, at, out);
    }
  });
  return out;
}

std::string swapped_case(std::string_view text) {
  std::string out;
  each_character(text, [&](size_t at, char32_t c) {
    if (category(c) == UTF8PROC_CATEGORY_LU) {
      append_lower(text, at, out);
    } else if (category(c) == UTF8PROC_CATEGORY_LL) {
      append_upper(c, out);
    } else {
      append_utf8(c, out);
    }
  });
  return out;
}

std::string folded_case(std::string_view text) {
  std::string out;
  each_character(text, [&](size_t, char32_t c) {
    for (const char32_t part : folding(c)) append_utf8(part, out);
  });
  return out;
}

bool is_lower_case(std::string_view text) {
  return one_case(text, UTF8PROC_CATEGORY_LL);
}
bool is_upper_case(std::string_view text) {
  return one_case(text, UTF8PROC_CATEGORY_LU);
}

bool is_title_case(std::string_view text) {
  bool any = false;
  bool right = true;
  bool inside = false;
  each_character(text, [&](size_t, char32_t c) {
    const bool small = category(c) == UTF8PROC_CATEGORY_LL;
    if (is_cased(c)) {
      right = right && small == inside;
      any = true;
    }
    inside = is_cased(c);
  });
  return any && right;
}

bool is_alphabetic(char32_t c) {
  const auto kind = category(c);
  return kind >= UTF8PROC_CATEGORY_LU && kind <= UTF8PROC_CATEGORY_LO;
}

bool is_decimal(char32_t c) {
  return category(c) == UTF8PROC_CATEGORY_ND;
}

bool is_digit(char32_t c) {
  return is_decimal(c) || c == 0xB2 || c == 0xB3 || c == 0xB9 || c == 0x2070 || (c >= 0x2074 && c <= 0x2079) ||
         (c >= 0x2080 && c <= 0x2089) || (c >= 0x2460 && c <= 0x2468) || (c >= 0x2474 && c <= 0x247C) ||
         (c >= 0x2488 && c <= 0x2490) || (c >= 0x2776 && c <= 0x277E);
}

bool is_printable(char32_t c) {
  if (c == ' ') return true;
  switch (category(c)) {
    case UTF8PROC_CATEGORY_CN:
    case UTF8PROC_CATEGORY_ZS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_CS:
    case UTF8PROC_CATEGORY_CO:
      return false;
    default:
      return true;
  }
}

}  // namespace laconic::text::jinja
