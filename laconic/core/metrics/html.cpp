#include "laconic/core/metrics/html.h"

#include <fmt/format.h>

#include "laconic/core/base/strings.h"

namespace laconic::metrics {
namespace {

bool continues_character(char c) {
  return (static_cast<unsigned char>(c) & 0xc0) == 0x80;
}

}  // namespace

std::string escape_html(std::string_view text) {
  constexpr const char* kReplacement = "\xef\xbf\xbd";
  std::string result;
  result.reserve(text.size() + text.size() / 8);
  size_t invalid = first_invalid_utf8(text);
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (i == invalid) {
      result += kReplacement;
      const size_t next = first_invalid_utf8(text.substr(i + 1));
      invalid = next == std::string_view::npos ? next : i + 1 + next;
    } else if (c == '&') {
      result += "&amp;";
    } else if (c == '<') {
      result += "&lt;";
    } else if (c == '>') {
      result += "&gt;";
    } else if (c == '"') {
      result += "&quot;";
    } else if (c == '\'') {
      result += "&#39;";
    } else if ((static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t') || c == 0x7f) {
      result += kReplacement;
    } else {
      result += c;
    }
  }
  return result;
}

std::string without_middle(std::string_view text, size_t most) {
  if (text.size() <= most) return std::string(text);
  size_t head = most - most / 4;  // the end holds the answer, the beginning how it came about
  size_t tail = text.size() - most / 4;
  // Text that is not UTF-8 may have no boundary near; a character has at most four bytes.
  for (int i = 0; i < 3 && head > 0 && continues_character(text[head]); ++i) --head;
  for (int i = 0; i < 3 && tail < text.size() && continues_character(text[tail]); ++i) ++tail;
  return fmt::format("{}\n[... {} bytes are not shown ...]\n{}", text.substr(0, head), tail - head, text.substr(tail));
}

}  // namespace laconic::metrics
