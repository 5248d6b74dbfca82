#include "laconic/core/config/scalar.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <string>

#include "laconic/core/base/strings.h"

namespace laconic::config {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// The parts of a number's text; `valid` when nothing is left over and there are digits.
struct Syntax {
  bool valid = false;
  bool integer = false;  // neither point nor exponent
  bool leading_zero = false;
};

Syntax examine(std::string_view text) {
  Syntax syntax;
  size_t i = 0;
  const auto digits = [&] {
    const size_t begin = i;
    while (i < text.size() && is_digit(text[i])) ++i;
    return i - begin;
  };
  if (i < text.size() && (text[i] == '-' || text[i] == '+')) ++i;
  const size_t first = i;
  const size_t whole = digits();
  syntax.leading_zero = whole > 1 && text[first] == '0';
  syntax.integer = true;
  size_t fraction = 0;
  if (i < text.size() && text[i] == '.') {
    ++i;
    fraction = digits();
    syntax.integer = false;
  }
  if (whole + fraction == 0) return syntax;
  if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
    ++i;
    if (i < text.size() && (text[i] == '-' || text[i] == '+')) ++i;
    if (digits() == 0) return syntax;
    syntax.integer = false;
  }
  syntax.valid = i == text.size();
  return syntax;
}

// What a text that is not of the grammar may have been meant as.
ScalarStatus status_of_other(std::string_view text) {
  std::string lower = to_lower(text.substr(0, 64));
  if (!lower.empty() && (lower.front() == '-' || lower.front() == '+')) lower.erase(0, 1);
  for (const char* word : {".inf", ".nan", "inf", "nan", "infinity"}) {
    if (lower == word) return ScalarStatus::not_finite;
  }
  const bool number_like =
      !lower.empty() && is_digit(lower.front()) && std::all_of(lower.begin(), lower.end(), [](char c) {
        return is_digit(c) || (c >= 'a' && c <= 'z') || c == '_' || c == ',' || c == '.';
      });
  return number_like ? ScalarStatus::other_notation : ScalarStatus::not_a_number;
}

ScalarStatus syntax_status(const Syntax& syntax, std::string_view text) {
  if (!syntax.valid) return status_of_other(text);
  return syntax.leading_zero ? ScalarStatus::leading_zero : ScalarStatus::ok;
}

template <typename T>
std::from_chars_result convert(std::string_view text, T& value) {
  if (!text.empty() && text.front() == '+') text.remove_prefix(1);  // from_chars knows no plus sign
  return std::from_chars(text.data(), text.data() + text.size(), value);
}

template <typename T>
ScalarStatus parse_whole(std::string_view text, T& value) {
  const Syntax syntax = examine(text);
  if (const auto status = syntax_status(syntax, text); status != ScalarStatus::ok) return status;
  if (syntax.integer && !(std::is_unsigned_v<T> && text.front() == '-')) {
    return convert(text, value).ec == std::errc() ? ScalarStatus::ok : ScalarStatus::too_large;
  }
  double number = 0.0;
  if (const auto status = parse_number(text, number); status != ScalarStatus::ok) return status;
  if (number != std::floor(number)) return ScalarStatus::not_whole;
  if (std::abs(number) > 0x1p53) return ScalarStatus::inexact;
  if (number < static_cast<double>(std::numeric_limits<T>::min()) ||
      number > static_cast<double>(std::numeric_limits<T>::max()))
    return ScalarStatus::too_large;
  value = static_cast<T>(number);
  return ScalarStatus::ok;
}

}  // namespace

std::optional<bool> parse_boolean(std::string_view text) {
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  return std::nullopt;
}

ScalarStatus parse_integer(std::string_view text, int64_t& value) {
  return parse_whole(text, value);
}
ScalarStatus parse_integer(std::string_view text, uint64_t& value) {
  return parse_whole(text, value);
}
ScalarStatus parse_integer(std::string_view text, int& value) {
  return parse_whole(text, value);
}

ScalarStatus parse_number(std::string_view text, double& value) {
  const Syntax syntax = examine(text);
  if (const auto status = syntax_status(syntax, text); status != ScalarStatus::ok) return status;
  return convert(text, value).ec == std::errc() ? ScalarStatus::ok : ScalarStatus::too_large;
}

}  // namespace laconic::config
