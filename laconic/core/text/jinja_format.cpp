#include "laconic/core/text/jinja_format.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>

#include "laconic/core/text/jinja_error.h"
#include "laconic/core/text/jinja_number.h"
#include "laconic/core/text/jinja_print.h"
#include "laconic/core/text/jinja_text.h"
#include "laconic/core/text/unicode.h"

namespace laconic::text::jinja {

namespace {

constexpr int64_t kMaxWidth = 1 << 20;
constexpr int64_t kMaxPrecision = 1000;

bool is_align(char c) {
  return c == '<' || c == '>' || c == '^' || c == '=';
}

int64_t take_number(std::string_view text, size_t& at, int64_t limit, int64_t otherwise) {
  const size_t begin = at;
  int64_t value = 0;
  while (at < text.size() && std::isdigit(static_cast<unsigned char>(text[at])) != 0) {
    value = value * 10 + (text[at++] - '0');
    if (value > limit) not_supported("a format width or precision above {}", limit);
  }
  return at > begin ? value : otherwise;
}

std::string spaced(size_t count, const std::string& fill) {
  std::string out;
  for (size_t i = 0; i < count; ++i) out += fill;
  return out;
}

// `head` is the sign and prefix, which zeros go behind.
std::string padded(const std::string& head, const std::string& body, const FormatSpec& spec, char own_align) {
  const char align = spec.align != 0 ? spec.align : own_align;
  const auto size = static_cast<int64_t>(count_characters(head) + count_characters(body));
  const auto missing = static_cast<size_t>(std::max<int64_t>(spec.width - size, 0));
  switch (align) {
    case '<':
      return head + body + spaced(missing, spec.fill);
    case '^':
      return spaced(missing / 2, spec.fill) + head + body + spaced(missing - missing / 2, spec.fill);
    case '=':
      return head + spaced(missing, spec.fill) + body;
    default:
      return spaced(missing, spec.fill) + head + body;
  }
}

std::string grouped(const std::string& digits, char separator, size_t size) {
  if (separator == 0) return digits;
  const size_t whole = std::min(digits.find_first_not_of("0123456789abcdefABCDEF"), digits.size());
  std::string out;
  for (size_t i = 0; i < whole; ++i) {
    if (i > 0 && (whole - i) % size == 0) out += separator;
    out += digits[i];
  }
  return out + digits.substr(whole);
}

std::string sign_of(bool negative, const FormatSpec& spec) {
  if (negative) return "-";
  return spec.sign == '-' ? "" : std::string(1, spec.sign);
}

std::string format_integer(int64_t value, const FormatSpec& spec) {
  if (spec.precision >= 0) template_error("Precision not allowed in integer format specifier");
  const bool negative = value < 0;
  const uint64_t size = negative ? 0 - static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
  std::string prefix;
  std::string digits;
  switch (spec.type) {
    case 'b':
      prefix = "0b";
      digits = fmt::format("{:b}", size);
      break;
    case 'o':
      prefix = "0o";
      digits = fmt::format("{:o}", size);
      break;
    case 'x':
      prefix = "0x";
      digits = fmt::format("{:x}", size);
      break;
    case 'X':
      prefix = "0X";
      digits = fmt::format("{:X}", size);
      break;
    default:
      digits = fmt::format("{}", size);
  }
  const std::string head = sign_of(negative, spec) + (spec.alternate ? prefix : "");
  return padded(head, grouped(digits, spec.grouping, prefix.empty() ? 3 : 4), spec, '>');
}

// The digits of a finite size (no sign).
std::string float_digits(double size, const FormatSpec& spec) {
  const int precision = static_cast<int>(spec.precision < 0 ? 6 : spec.precision);
  switch (spec.type) {
    case 0: {
      if (spec.precision < 0) return float_repr(size);
      const std::string text = fmt::format("{:.{}g}", size, std::max(precision, 1));
      return text.find_first_of(".e") == std::string::npos ? text + ".0" : text;
    }
    case 'f':
    case 'F':
      return fmt::format("{:.{}f}", size, precision);
    case 'e':
      return fmt::format("{:.{}e}", size, precision);
    case 'E':
      return fmt::format("{:.{}E}", size, precision);
    case 'g':
      return fmt::format("{:.{}g}", size, std::max(precision, 1));
    case 'G':
      return fmt::format("{:.{}G}", size, std::max(precision, 1));
    default:
      return fmt::format("{:.{}f}%", size * 100, precision);
  }
}

std::string format_real(double value, const FormatSpec& spec) {
  if (spec.alternate) not_supported("# for a float in a format");
  const bool negative = std::signbit(value) && !std::isnan(value);
  const double size = std::fabs(value);
  std::string digits = std::isnan(size)   ? "nan"
                       : std::isinf(size) ? "inf"
                                          : grouped(float_digits(size, spec), spec.grouping, 3);
  if (!std::isfinite(size)) {
    if (spec.type == '%') digits += '%';
    if (spec.type == 'F' || spec.type == 'E' || spec.type == 'G') {
      std::transform(digits.begin(), digits.end(), digits.begin(),
                     [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    }
  }
  return padded(sign_of(negative, spec), digits, spec, '>');
}

std::string format_text(std::string_view text, const FormatSpec& spec) {
  if (spec.align == '=') template_error("'=' alignment not allowed in string format specifier");
  if (spec.sign != '-') template_error("Sign not allowed in string format specifier");
  if (spec.precision >= 0) text = text.substr(0, byte_offset(text, static_cast<size_t>(spec.precision)));
  return padded("", std::string(text), spec, '<');
}

bool is_default(const FormatSpec& spec) {
  return spec.align == 0 && spec.sign == '-' && !spec.alternate && spec.grouping == 0 && spec.width == 0 &&
         spec.precision < 0 && spec.type == 0;
}

}  // namespace

FormatSpec parse_format_spec(std::string_view text) {
  FormatSpec spec;
  size_t at = 0;
  const auto take = [&](std::string_view any_of) {
    if (at >= text.size() || any_of.find(text[at]) == std::string_view::npos) return char{0};
    return text[at++];
  };
  if (!text.empty()) {
    const size_t first = utf8_length(text[0]);
    if (first < text.size() && is_align(text[first])) {
      spec.fill = text.substr(0, first);
      spec.align = text[first];
      at = first + 1;
    } else {
      spec.align = take("<>^=");
    }
  }
  if (const char sign = take("+- ")) spec.sign = sign;
  spec.alternate = take("#") != 0;
  if (take("0") != 0 && spec.align == 0) {
    spec.fill = "0";
    spec.align = '=';
  }
  spec.width = take_number(text, at, kMaxWidth, 0);
  spec.grouping = take(",_");
  if (take(".") != 0) {
    spec.precision = take_number(text, at, kMaxPrecision, -1);
    if (spec.precision < 0) template_error("Format specifier missing precision");
  }
  spec.type = take("bcdeEfFgGosxX%");
  if (at < text.size()) template_error("Invalid format specifier '{}'", text);
  return spec;
}

std::string format_value(const Value& value, const FormatSpec& spec, Budget& budget) {
  budget.text(static_cast<size_t>(spec.width));
  const auto unknown = [&]() {
    template_error("Unknown format code '{}' for object of type '{}'", spec.type, type_name(value));
  };
  const bool real_type = std::string_view("eEfFgG%").find(spec.type) != std::string_view::npos && spec.type != 0;
  if (value.is(Kind::integer) || (value.is(Kind::boolean) && !is_default(spec))) {
    const int64_t number = require_integer(value, "format");
    if (real_type) return format_real(static_cast<double>(number), spec);
    if (spec.type == 's') unknown();
    if (spec.type == 'c') not_supported("the format type c");
    return format_integer(number, spec);
  }
  if (value.is(Kind::floating)) {
    if (!real_type && spec.type != 0) unknown();
    return format_real(value.as_floating(), spec);
  }
  if (value.is_string()) {
    if (spec.type != 0 && spec.type != 's') unknown();
    return format_text(value.text(), spec);
  }
  if (!is_default(spec)) template_error("unsupported format string passed to {}.__format__", type_name(value));
  return to_text(value, budget);
}

}  // namespace laconic::text::jinja
