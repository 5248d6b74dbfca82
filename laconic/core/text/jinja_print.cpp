#include "laconic/core/text/jinja_print.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "laconic/core/text/jinja_case.h"
#include "laconic/core/text/jinja_error.h"
#include "laconic/core/text/jinja_object.h"
#include "laconic/core/text/unicode.h"

namespace laconic::text::jinja {

namespace {

class Printer {
 public:
  explicit Printer(Budget& budget) : budget_(budget) {}

  void repr(const Value& value, int depth) {
    if (depth > 2 * kMaxNesting) template_error("a value that holds itself cannot be printed");
    if (out_.size() > budget_.limits().output_bytes) {
      template_error("the output is larger than {} bytes", budget_.limits().output_bytes);
    }
    switch (value.kind()) {
      case Kind::sequence:
        return sequence(value, depth);
      case Kind::dict:
        return dict(value.as_dict(), depth);
      case Kind::string:
        budget_.text(value.text().size());
        out_ += value.as_string().safe ? "Markup(" + string_repr(value.text()) + ")" : string_repr(value.text());
        return;
      case Kind::object:
        return object(value, depth);
      default:
        budget_.spend(1);
        out_ += value.is_undefined() ? "Undefined" : to_text(value, budget_);
    }
  }

  std::string take() { return std::move(out_); }

 private:
  void list(const List& items, char open, char close, int depth) {
    out_ += open;
    for (size_t i = 0; i < items.size(); ++i) {
      if (i > 0) out_ += ", ";
      repr(items[i], depth + 1);
    }
    if (open == '(' && items.size() == 1) out_ += ',';
    out_ += close;
  }

  void sequence(const Value& value, int depth) {
    if (value.is_tuple()) return list(value.items(), '(', ')', depth);
    if (value.is_sequence(Flavor::list)) return list(value.items(), '[', ']', depth);
    out_ += type_name(value) + "(";
    list(value.items(), '[', ']', depth);
    out_ += ')';
  }

  void dict(const Dict& entries, int depth) {
    out_ += '{';
    bool first = true;
    for (const auto& [key, value] : entries.entries()) {
      if (!first) out_ += ", ";
      first = false;
      repr(key, depth + 1);
      out_ += ": ";
      repr(value, depth + 1);
    }
    out_ += '}';
  }

  void object(const Value& value, int depth) {
    budget_.spend(1);
    if (const auto* fields = value.as<Namespace>()) {
      out_ += "<Namespace ";
      dict(fields->fields, depth + 1);
      out_ += '>';
    } else {
      out_ += value.as_object()->repr();
    }
  }

  Budget& budget_;
  std::string out_;
};

}  // namespace

std::string to_text(const Value& value, Budget& budget) {
  switch (value.kind()) {
    case Kind::undefined:
      return "";
    case Kind::none:
      return "None";
    case Kind::boolean:
      return value.as_boolean() ? "True" : "False";
    case Kind::integer:
      return fmt::format("{}", value.as_integer());
    case Kind::floating:
      return float_repr(value.as_floating());
    case Kind::string:
      budget.text(value.text().size());
      return value.text();
    default:
      return to_repr(value, budget);
  }
}

std::string to_repr(const Value& value, Budget& budget) {
  Printer printer(budget);
  printer.repr(value, 0);
  return printer.take();
}

std::string float_repr(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  std::array<char, 40> buffer{};
  const auto [end, error] =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::scientific);
  LACONIC_CHECK(error == std::errc(), "printing a number failed");
  std::string_view text(buffer.data(), static_cast<size_t>(end - buffer.data()));
  const bool negative = text[0] == '-';
  if (negative) text.remove_prefix(1);
  const size_t e = text.find('e');
  const int exponent = std::atoi(text.substr(e + 1).data());  // the buffer is zero behind the text
  std::string digits(1, text[0]);
  if (e > 1) digits += text.substr(2, e - 2);
  std::string out = negative ? "-" : "";
  if (exponent < -4 || exponent >= 16) {
    out += digits[0];
    if (digits.size() > 1) out += "." + digits.substr(1);
    return out + fmt::format("e{}{:02}", exponent < 0 ? '-' : '+', std::abs(exponent));
  }
  if (exponent < 0) return out + "0." + std::string(static_cast<size_t>(-exponent - 1), '0') + digits;
  const auto whole = static_cast<size_t>(exponent) + 1;
  if (digits.size() <= whole) return out + digits + std::string(whole - digits.size(), '0') + ".0";
  return out + digits.substr(0, whole) + "." + digits.substr(whole);
}

std::string string_repr(std::string_view text) {
  const bool single = text.find('\'') == std::string_view::npos || text.find('"') != std::string_view::npos;
  const char quote = single ? '\'' : '"';
  std::string out(1, quote);
  for (size_t i = 0; i < text.size(); i += utf8_length(text[i])) {
    const char32_t c = code_point_at(text, i);
    if (c == static_cast<char32_t>(quote) || c == '\\') {
      out += '\\';
      out += static_cast<char>(c);
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else if (c == '\t') {
      out += "\\t";
    } else if (is_printable(c)) {
      append_utf8(c, out);
    } else {
      const auto code = static_cast<uint32_t>(c);
      out += c < 0x100     ? fmt::format("\\x{:02x}", code)
             : c < 0x10000 ? fmt::format("\\u{:04x}", code)
                           : fmt::format("\\U{:08x}", code);
    }
  }
  return out + quote;
}

}  // namespace laconic::text::jinja
