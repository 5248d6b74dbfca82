#include "laconic/core/text/jinja_number.h"

#include <fmt/format.h>

#include <cctype>
#include <charconv>
#include <cmath>
#include <limits>
#include <string>

#include "laconic/core/base/strings.h"
#include "laconic/core/text/jinja_error.h"
#include "laconic/core/text/jinja_text.h"

namespace laconic::text::jinja {

namespace {

int64_t digit_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const auto lower = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lower >= 'a' && lower <= 'z' ? lower - 'a' + 10 : 99;
}

// Takes a sign off the front; true for minus.
bool take_sign(std::string_view& text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  return negative;
}

int64_t base_of_prefix(std::string_view text) {
  if (text.size() < 2 || text[0] != '0') return 0;
  switch (text[1]) {
    case 'x':
    case 'X':
      return 16;
    case 'o':
    case 'O':
      return 8;
    case 'b':
    case 'B':
      return 2;
    default:
      return 0;
  }
}

// The text without its underscores; nothing where one does not stand between digits.
std::optional<std::string> without_underscores(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '_') {
      out += text[i];
      continue;
    }
    const auto is_digit = [&](size_t at) {
      return at < text.size() && std::isalnum(static_cast<unsigned char>(text[at])) != 0;
    };
    if (i == 0 || !is_digit(i - 1) || !is_digit(i + 1)) return std::nullopt;
  }
  return out;
}

}  // namespace

std::optional<int64_t> parse_integer(std::string_view text, int64_t base) {
  text = strip(text, std::nullopt, Side::both);
  const bool negative = take_sign(text);
  if (base != 0 && (base < 2 || base > 36)) return std::nullopt;
  const int64_t prefix = base_of_prefix(text);
  if (prefix != 0 && (base == 0 || base == prefix)) {
    text.remove_prefix(text.size() > 2 && text[2] == '_' ? 3 : 2);
    base = prefix;
  } else if (base == 0) {
    base = 10;
    if (text.size() > 1 && text[0] == '0' && text.find_first_not_of("0_") != std::string_view::npos)
      return std::nullopt;
  }
  const auto digits = without_underscores(text);
  if (!digits || digits->empty()) return std::nullopt;
  int64_t value = 0;
  bool overflow = false;
  for (const char c : *digits) {
    const int64_t digit = digit_value(c);
    if (digit >= base) return std::nullopt;
    // Built towards the sign, so that the smallest integer is reached.
    overflow = overflow || __builtin_mul_overflow(value, base, &value);
    overflow = overflow || __builtin_sub_overflow(value, digit, &value);
  }
  if (overflow || (!negative && value == std::numeric_limits<int64_t>::min())) {
    not_supported("an integer beyond 64 bits");
  }
  return negative ? value : -value;
}

std::optional<double> parse_float(std::string_view text) {
  text = strip(text, std::nullopt, Side::both);
  const bool negative = take_sign(text);
  const double sign = negative ? -1.0 : 1.0;
  const std::string lower = to_lower(text);
  if (lower == "inf" || lower == "infinity") return sign * std::numeric_limits<double>::infinity();
  if (lower == "nan") return std::numeric_limits<double>::quiet_NaN();
  const auto plain = without_underscores(text);
  if (!plain || plain->empty()) return std::nullopt;
  if (plain->find_first_not_of("0123456789.eE+-") != std::string::npos) return std::nullopt;
  if (!std::isdigit(static_cast<unsigned char>((*plain)[0])) && (*plain)[0] != '.') return std::nullopt;
  double value = 0;
  const auto [end, error] = std::from_chars(plain->data(), plain->data() + plain->size(), value);
  if (end != plain->data() + plain->size()) return std::nullopt;
  if (error == std::errc::result_out_of_range) {
    // from_chars leaves the value alone; the sign of the exponent tells which side it fell off.
    const bool tiny = plain->find("e-") != std::string::npos || plain->find("E-") != std::string::npos;
    return sign * (tiny ? 0.0 : std::numeric_limits<double>::infinity());
  }
  if (error != std::errc()) return std::nullopt;
  return sign * value;
}

std::optional<int64_t> truncated(double value) {
  if (!std::isfinite(value)) return std::nullopt;
  if (value >= 9223372036854775808.0 || value < -9223372036854775808.0) not_supported("an integer beyond 64 bits");
  return static_cast<int64_t>(value);
}

double rounded(double value, int64_t digits) {
  if (!std::isfinite(value) || digits > 320) return value;
  if (digits < -308) return std::copysign(0.0, value);
  if (digits < 0) {
    const double unit = std::pow(10.0, static_cast<double>(-digits));
    return std::nearbyint(value / unit) * unit;
  }
  // Decimal printing rounds the exact binary value, which is what round() is defined by.
  return parse_float(fmt::format("{:.{}f}", value, static_cast<int>(digits))).value_or(value);
}

}  // namespace laconic::text::jinja
