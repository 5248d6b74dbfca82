// String literals are read by Python's "unicode-escape" codec after non-ASCII characters were written as escapes.
#include <fmt/format.h>

#include <cctype>
#include <string>

#include "laconic/core/text/jinja_error.h"
#include "laconic/core/text/jinja_lexer.h"
#include "laconic/core/text/unicode.h"

namespace laconic::text::jinja {

namespace {

void put(char32_t c, std::string& out) {
  if (c > 0x10FFFF) template_error("illegal Unicode character in a string");
  if (c >= 0xD800 && c <= 0xDFFF) template_error("a lone surrogate (\\u{:04x}) in a string", static_cast<uint32_t>(c));
  append_utf8(c, out);
}

// Exactly `count` hexadecimal digits behind \x, \u or \U.
char32_t hexadecimal(std::string_view text, size_t at, size_t count, char kind) {
  char32_t value = 0;
  for (size_t i = at; i < at + count; ++i) {
    if (i >= text.size() || std::isxdigit(static_cast<unsigned char>(text[i])) == 0) {
      template_error("truncated \\{}{} escape", kind, std::string(count, 'X'));
    }
    const char digit = static_cast<char>(std::tolower(static_cast<unsigned char>(text[i])));
    value = value * 16 + static_cast<char32_t>(digit <= '9' ? digit - '0' : digit - 'a' + 10);
  }
  return value;
}

// One escape that begins with the backslash at `at`; returns its length.
size_t escape(std::string_view text, size_t at, std::string& out) {
  const char kind = text[at + 1];
  constexpr std::string_view kNames = "abfnrtv\\'\"";
  constexpr std::string_view kMeanings = "\a\b\f\n\r\t\v\\'\"";
  if (const size_t known = kNames.find(kind); known != std::string_view::npos) {
    out += kMeanings[known];
    return 2;
  }
  if (kind == '\n') return 2;
  if (kind >= '0' && kind <= '7') {
    char32_t value = 0;
    size_t length = 1;
    while (length < 4 && at + length < text.size() && text[at + length] >= '0' && text[at + length] <= '7') {
      value = value * 8 + static_cast<char32_t>(text[at + length++] - '0');
    }
    put(value, out);
    return length;
  }
  if (kind == 'x' || kind == 'u' || kind == 'U') {
    const size_t digits = kind == 'x' ? 2 : kind == 'u' ? 4 : 8;
    put(hexadecimal(text, at + 2, digits, kind), out);
    return 2 + digits;
  }
  if (kind == 'N') not_supported("the escape \\N in a string");
  out += '\\';
  if (static_cast<unsigned char>(kind) < 0x80) {
    out += kind;
    return 2;
  }
  // The escape that stands for the character loses its backslash to the one before it.
  const auto c = static_cast<uint32_t>(code_point_at(text, at + 1));
  out += c < 0x100 ? fmt::format("x{:02x}", c) : c < 0x10000 ? fmt::format("u{:04x}", c) : fmt::format("U{:08x}", c);
  return 1 + utf8_length(kind);
}

}  // namespace

std::string unescape(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    if (text[at] != '\\' || at + 1 == text.size()) {
      out += text[at++];
    } else {
      at += escape(text, at, out);
    }
  }
  return out;
}

}  // namespace laconic::text::jinja
