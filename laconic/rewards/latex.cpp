#include "laconic/rewards/latex.h"

#include <array>
#include <cctype>
#include <utility>

#include "laconic/core/base/strings.h"

namespace laconic::rewards {
namespace {

bool is_digit(char c) {
  return std::isdigit(static_cast<unsigned char>(c)) != 0;
}
bool is_letter(char c) {
  return std::isalpha(static_cast<unsigned char>(c)) != 0;
}

// Longest patterns first where one begins like another.
constexpr std::array<std::pair<std::string_view, std::string_view>, 22> kReplacements = {{
    {"^{\\circ}", " degrees"},
    {"^\\circ", " degrees"},
    {"\u00b0", " degrees"},
    {"\\dfrac", "\\frac"},
    {"\\tfrac", "\\frac"},
    {"\\!", ""},
    {"\\,", ""},
    {"\\;", " "},
    {"\\:", " "},
    {"\\ ", " "},
    {"\\$", "$"},
    {"\\%", "%"},
    {"\\(", ""},
    {"\\)", ""},
    {"\\[", ""},
    {"\\]", ""},
    {"{,}", ","},
    {"\u2212", "-"},
    {"\u00a0", " "},
    {"**", ""},
    {"\\qquad", " "},
    {"\\quad", " "},
}};

constexpr std::array<std::string_view, 8> kWrappers = {"\\text{",   "\\textbf{", "\\textit{", "\\textrm{",
                                                       "\\mathrm{", "\\mathbf{", "\\mbox{",   "\\mathit{"};

// Position of the brace that closes the one at `open`, or npos.
size_t closing_brace(std::string_view text, size_t open) {
  int depth = 0;
  for (size_t i = open; i < text.size(); ++i) {
    if (text[i] == '{') ++depth;
    if (text[i] == '}' && --depth == 0) return i;
  }
  return std::string_view::npos;
}

// "\frac34" and "\frac3{4}" -> "\frac{3}{4}"; "\sqrt3" -> "\sqrt{3}".
std::string brace_arguments(const std::string& text) {
  std::string out;
  for (size_t i = 0; i < text.size();) {
    const bool fraction = text.compare(i, 5, "\\frac") == 0;
    const bool root = text.compare(i, 5, "\\sqrt") == 0;
    if (!fraction && !root) {
      out += text[i++];
      continue;
    }
    out.append(text, i, 5);
    i += 5;
    for (int argument = 0; argument < (fraction ? 2 : 1) && i < text.size(); ++argument) {
      if (text[i] == '{') {
        const size_t end = closing_brace(text, i);
        if (end == std::string::npos || end - i > 64) break;  // long arguments are left as they are
        out.append(text, i, end + 1 - i);
        i = end + 1;
      } else if (is_digit(text[i]) || is_letter(text[i])) {
        out += {'{', text[i++], '}'};
      } else {
        break;
      }
    }
  }
  return out;
}

// "3/4" as a whole text -> "\frac{3}{4}".
std::string slash_to_fraction(const std::string& text) {
  const size_t slash = text.find('/');
  const size_t start = !text.empty() && text[0] == '-' ? 1 : 0;
  if (slash == std::string::npos || slash == start || slash + 1 == text.size()) return text;
  for (size_t i = start; i < text.size(); ++i) {
    if (i != slash && !is_digit(text[i])) return text;
  }
  return text.substr(0, start) + "\\frac{" + text.substr(start, slash - start) + "}{" + text.substr(slash + 1) + "}";
}

}  // namespace

std::string strip_latex(std::string_view text) {
  std::string out;
  std::string wrapper_depths;  // one character per open brace: 'w' opened by a wrapper, 'b' an ordinary one
  for (size_t i = 0; i < text.size();) {
    const auto rest = text.substr(i);
    bool replaced = false;
    for (const auto& [from, to] : kReplacements) {
      if (!rest.starts_with(from)) continue;
      out += to;
      i += from.size();
      replaced = true;
      break;
    }
    if (replaced) continue;
    for (const auto wrapper : kWrappers) {
      if (!rest.starts_with(wrapper)) continue;
      wrapper_depths += 'w';
      out += ' ';
      i += wrapper.size();
      replaced = true;
      break;
    }
    if (replaced) continue;
    if ((rest.starts_with("\\left") && !rest.starts_with("\\leftarrow")) || rest.starts_with("\\right")) {
      const size_t length = rest.starts_with("\\left") ? 5 : 6;
      if (rest.size() == length || !is_letter(rest[length])) {
        i += length;
        continue;
      }
    }
    const char c = text[i++];
    if (c == '{') wrapper_depths += 'b';
    if (c == '}' && !wrapper_depths.empty()) {
      const bool wrapper = wrapper_depths.back() == 'w';
      wrapper_depths.pop_back();
      if (wrapper) continue;
    }
    if (c != '`') out += c;
  }
  return out;
}

std::string normal_form(std::string_view text) {
  if (text.size() > 4096) return std::string(trim(text));
  std::string bare;
  for (const char c : strip_latex(text)) {
    if (c == '$' || c == '~' || std::isspace(static_cast<unsigned char>(c))) continue;
    const bool leading_point = c == '.' && (bare.empty() || !is_digit(bare.back()));
    bare += leading_point ? "0." : std::string(1, c);
  }
  while (!bare.empty() && (bare.back() == '.' || bare.back() == ',' || bare.back() == ';')) bare.pop_back();
  const size_t equals = bare.find('=');
  if (equals != std::string::npos && equals <= 2 && equals > 0 && is_letter(bare[0]) &&
      bare.find('=', equals + 1) == std::string::npos) {
    bare.erase(0, equals + 1);
  }
  if (bare.ends_with("degrees")) bare.resize(bare.size() - 7);
  return slash_to_fraction(brace_arguments(bare));
}

}  // namespace laconic::rewards
