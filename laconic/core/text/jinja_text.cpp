#include "laconic/core/text/jinja_text.h"

#include <algorithm>

#include "laconic/core/text/unicode.h"

namespace laconic::text::jinja {

namespace {

bool is_line_end(char32_t c) {
  return (c >= '\n' && c <= '\r') || (c >= 0x1C && c <= 0x1E) || c == 0x85 || c == 0x2028 || c == 0x2029;
}

bool strips(std::string_view text, size_t at, std::optional<std::string_view> characters) {
  if (!characters) return is_python_space(code_point_at(text, at));
  const auto character = text.substr(at, utf8_length(text[at]));
  for (size_t i = 0; i < characters->size(); i += utf8_length((*characters)[i])) {
    if (characters->substr(i).starts_with(character)) return true;
  }
  return false;
}

// The end of the run without white space that begins at `at`.
size_t word_end(std::string_view text, size_t at) {
  while (at < text.size() && !is_python_space(code_point_at(text, at))) at += utf8_length(text[at]);
  return at;
}

size_t word_begin(std::string_view text, size_t end) {
  while (end > 0) {
    const size_t before = previous_boundary(text, end);
    if (is_python_space(code_point_at(text, before))) break;
    end = before;
  }
  return end;
}

}  // namespace

size_t count_characters(std::string_view text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

size_t byte_offset(std::string_view text, size_t index) {
  size_t at = 0;
  while (at < text.size() && index > 0) {
    at += utf8_length(text[at]);
    --index;
  }
  return at;
}

bool is_python_space(char32_t c) {
  return (c >= 0x1C && c <= 0x1F) || is_whitespace(c);
}

size_t leading_space(std::string_view text) {
  return text.size() - strip(text, std::nullopt, Side::left).size();
}

std::string_view strip_right_space(std::string_view text) {
  return strip(text, std::nullopt, Side::right);
}

std::string_view strip(std::string_view text, std::optional<std::string_view> characters, Side side) {
  while (side != Side::right && !text.empty() && strips(text, 0, characters)) text.remove_prefix(utf8_length(text[0]));
  while (side != Side::left && !text.empty()) {
    const size_t last = previous_boundary(text, text.size());
    if (!strips(text, last, characters)) break;
    text = text.substr(0, last);
  }
  return text;
}

std::vector<std::string> split(std::string_view text, std::optional<std::string_view> separator, int64_t limit) {
  std::vector<std::string> parts;
  if (!separator) {
    size_t at = leading_space(text);
    while (at < text.size()) {
      if (limit >= 0 && static_cast<int64_t>(parts.size()) >= limit) {  // the rest keeps its trailing white space
        parts.emplace_back(text.substr(at));
        break;
      }
      const size_t end = word_end(text, at);
      parts.emplace_back(text.substr(at, end - at));
      at = end + leading_space(text.substr(end));
    }
    return parts;
  }
  size_t at = 0;
  while (limit < 0 || static_cast<int64_t>(parts.size()) < limit) {
    const size_t end = text.find(*separator, at);
    if (end == std::string_view::npos) break;
    parts.emplace_back(text.substr(at, end - at));
    at = end + separator->size();
  }
  parts.emplace_back(text.substr(at));
  return parts;
}

std::vector<std::string> split_from_right(std::string_view text, std::optional<std::string_view> separator,
                                          int64_t limit) {
  std::vector<std::string> parts;
  const auto room = [&] { return limit < 0 || static_cast<int64_t>(parts.size()) < limit; };
  if (!separator) {
    text = strip_right_space(text);
    while (!text.empty() && room()) {
      const size_t begin = word_begin(text, text.size());
      parts.emplace_back(text.substr(begin));
      text = strip_right_space(text.substr(0, begin));
    }
    if (!text.empty()) parts.emplace_back(text);
  } else {
    while (room()) {
      const size_t at = text.rfind(*separator);
      if (at == std::string_view::npos) break;
      parts.emplace_back(text.substr(at + separator->size()));
      text = text.substr(0, at);
    }
    parts.emplace_back(text);
  }
  std::reverse(parts.begin(), parts.end());
  return parts;
}

std::vector<std::string> split_lines(std::string_view text, bool keep_ends) {
  std::vector<std::string> lines;
  size_t begin = 0;
  for (size_t i = 0; i < text.size();) {
    size_t next = i + utf8_length(text[i]);
    if (is_line_end(code_point_at(text, i))) {
      if (text[i] == '\r' && next < text.size() && text[next] == '\n') ++next;
      lines.emplace_back(text.substr(begin, (keep_ends ? next : i) - begin));
      begin = next;
    }
    i = next;
  }
  if (begin < text.size()) lines.emplace_back(text.substr(begin));
  return lines;
}

std::string replace(std::string_view text, std::string_view from, std::string_view to, int64_t limit) {
  std::string out;
  size_t at = 0;
  for (int64_t done = 0; limit < 0 || done < limit; ++done) {
    if (from.empty()) {
      out.append(to);
      if (at >= text.size()) return out;
      const size_t length = utf8_length(text[at]);
      out.append(text.substr(at, length));
      at += length;
      continue;
    }
    const size_t found = text.find(from, at);
    if (found == std::string_view::npos) break;
    out.append(text.substr(at, found - at)).append(to);
    at = found + from.size();
  }
  return out.append(text.substr(at));
}

size_t count_matches(std::string_view text, std::string_view part) {
  if (part.empty()) return count_characters(text) + 1;
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string_view::npos; at = text.find(part, at + part.size())) ++count;
  return count;
}

std::string expand_tabs(std::string_view text, int64_t width) {
  std::string out;
  int64_t column = 0;
  for (size_t i = 0; i < text.size(); i += utf8_length(text[i])) {
    if (text[i] == '\t') {
      const int64_t spaces = width > 0 ? width - column % width : 0;
      out.append(static_cast<size_t>(spaces), ' ');
      column += spaces;
      continue;
    }
    out.append(text.substr(i, utf8_length(text[i])));
    column = text[i] == '\n' || text[i] == '\r' ? 0 : column + 1;
  }
  return out;
}

std::string escape_html(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '\'':
        out += "&#39;";
        break;
      case '"':
        out += "&#34;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

}  // namespace laconic::text::jinja
