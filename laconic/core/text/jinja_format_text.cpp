// The two template languages inside strings: "%s" % x and "{}".format(x).
#include <cctype>
#include <optional>

#include "laconic/core/text/jinja_error.h"
#include "laconic/core/text/jinja_format.h"
#include "laconic/core/text/jinja_number.h"
#include "laconic/core/text/jinja_print.h"
#include "laconic/core/text/jinja_text.h"
#include "laconic/core/text/unicode.h"

namespace laconic::text::jinja {

namespace {

class PercentFormat {
 public:
  PercentFormat(std::string_view text, const Value& arguments, Budget& budget)
      : text_(text), arguments_(arguments), budget_(budget) {}

  std::string run() {
    while (at_ < text_.size()) {
      const size_t percent = std::min(text_.find('%', at_), text_.size());
      out_.append(text_.substr(at_, percent - at_));
      at_ = percent + 1;
      if (percent < text_.size()) conversion();
    }
    const bool spare = arguments_.is_tuple() ? used_ < arguments_.items().size()
                                             : used_ == 0 && !arguments_.is(Kind::dict) &&
                                                   !arguments_.is(Kind::sequence) && !arguments_.is_undefined();
    if (spare) template_error("not all arguments converted during string formatting");
    return std::move(out_);
  }

 private:
  char take() {
    if (at_ >= text_.size()) template_error("incomplete format");
    return text_[at_++];
  }

  const Value& next_argument() {
    if (!arguments_.is_tuple()) {
      if (used_++ > 0) template_error("not enough arguments for format string");
      return arguments_;
    }
    if (used_ >= arguments_.items().size()) template_error("not enough arguments for format string");
    return arguments_.items()[used_++];
  }

  int64_t number_or_star(int64_t limit) {
    if (at_ < text_.size() && text_[at_] == '*') {
      ++at_;
      const int64_t given = require_integer(next_argument(), "%");
      if (given < -limit || given > limit) not_supported("a format width or precision above {}", limit);
      return given;
    }
    int64_t value = 0;
    while (at_ < text_.size() && std::isdigit(static_cast<unsigned char>(text_[at_])) != 0) {
      value = value * 10 + (text_[at_++] - '0');
      if (value > limit) not_supported("a format width or precision above {}", limit);
    }
    return value;
  }

  const Value* named_argument() {
    if (at_ >= text_.size() || text_[at_] != '(') return nullptr;
    const size_t close = text_.find(')', at_);
    if (close == std::string_view::npos) template_error("incomplete format key");
    const auto key = text_.substr(at_ + 1, close - at_ - 1);
    at_ = close + 1;
    if (!arguments_.is(Kind::dict)) template_error("format requires a mapping");
    const Value* found = arguments_.as_dict().find(key);
    if (found == nullptr) template_error("the format key '{}' is missing", key);
    return found;
  }

  void conversion() {
    if (at_ < text_.size() && text_[at_] == '%') {
      out_ += text_[at_++];
      return;
    }
    const Value* named = named_argument();
    FormatSpec spec;
    bool left = false;
    bool zero = false;
    for (; at_ < text_.size() && std::string_view("-+ #0").find(text_[at_]) != std::string_view::npos; ++at_) {
      left = left || text_[at_] == '-';
      zero = zero || text_[at_] == '0';
      spec.alternate = spec.alternate || text_[at_] == '#';
      if (text_[at_] == '+' || (text_[at_] == ' ' && spec.sign != '+')) spec.sign = text_[at_];
    }
    spec.width = number_or_star(1 << 20);
    if (spec.width < 0) {
      left = true;
      spec.width = -spec.width;
    }
    if (at_ < text_.size() && text_[at_] == '.') {
      ++at_;
      spec.precision = std::max<int64_t>(number_or_star(1000), 0);
    }
    spec.type = take();
    while (spec.type == 'l' || spec.type == 'h' || spec.type == 'L') spec.type = take();  // C's sizes mean nothing
    spec.align = left ? '<' : '>';
    if (spec.type == '%') {  // "%5%"
      out_ += '%';
      return;
    }
    convert(named != nullptr ? *named : next_argument(), spec, zero && !left);
  }

  void convert(const Value& value, FormatSpec spec, bool zero) {
    if (zero) {
      spec.align = '=';
      spec.fill = "0";
    }
    switch (spec.type) {
      case 's':
      case 'r': {
        const auto text = spec.type == 's' ? to_text(value, budget_) : to_repr(value, budget_);
        spec.type = 0;
        spec.sign = '-';
        spec.fill = " ";
        if (spec.align == '=') spec.align = '>';
        out_ += format_value(Value::string(text), spec, budget_);
        return;
      }
      case 'd':
      case 'i':
      case 'u':
      case 'x':
      case 'X':
      case 'o':
        return integer(value, spec);
      case 'e':
      case 'E':
      case 'f':
      case 'F':
      case 'g':
      case 'G':
        if (!value.is_number()) template_error("must be real number, not {}", type_name(value));
        out_ += format_value(value, spec, budget_);
        return;
      default:
        if (spec.type == 'c' || spec.type == 'a') not_supported("the format %{}", spec.type);
        template_error("unsupported format character '{}'", spec.type);
    }
  }

  void integer(const Value& value, FormatSpec spec) {
    const bool decimal = spec.type == 'd' || spec.type == 'i' || spec.type == 'u';
    if (!value.is_number() || (!decimal && value.is(Kind::floating))) {
      template_error("%{} format: {} is required, not {}", spec.type, decimal ? "a real number" : "an integer",
                     type_name(value));
    }
    if (spec.precision > 0) not_supported("a precision for an integer in a format");
    spec.precision = -1;
    if (decimal) spec.type = 'd';
    const auto number = value.is(Kind::floating) ? truncated(value.as_floating()) : require_integer(value, "%");
    if (!number) template_error("cannot convert float {} to integer", float_repr(value.as_floating()));
    out_ += format_value(Value::integer(*number), spec, budget_);
  }

  std::string_view text_;
  const Value& arguments_;
  Budget& budget_;
  std::string out_;
  size_t at_ = 0;
  size_t used_ = 0;
};

class BraceFormat {
 public:
  BraceFormat(std::string_view text, const Arguments& arguments, Budget& budget)
      : text_(text), arguments_(arguments), budget_(budget) {}

  std::string run() {
    while (at_ < text_.size()) {
      const char c = text_[at_++];
      const bool doubled = at_ < text_.size() && text_[at_] == c;
      if ((c == '{' || c == '}') && doubled) {
        out_ += c;
        ++at_;
      } else if (c == '{') {
        field();
      } else if (c == '}') {
        template_error("Single '}}' encountered in format string");
      } else {
        out_ += c;
      }
    }
    return std::move(out_);
  }

 private:
  const Value& argument(std::string_view name) {
    if (name.find_first_of(".[") != std::string_view::npos)
      not_supported("an attribute in the format field `{}`", name);
    if (name.empty() || std::isdigit(static_cast<unsigned char>(name[0])) != 0) {
      const auto index = name.empty() ? std::optional<int64_t>(automatic_++) : parse_integer(name);
      if (!index) template_error("the format field `{}` is not a name", name);
      (name.empty() ? any_automatic_ : any_numbered_) = true;
      if (any_automatic_ && any_numbered_) template_error("a format mixes automatic and numbered fields");
      if (static_cast<size_t>(*index) >= arguments_.positional.size()) {
        template_error("Replacement index {} out of range for positional args tuple", *index);
      }
      return arguments_.positional[static_cast<size_t>(*index)];
    }
    for (const auto& [key, value] : arguments_.named) {
      if (key == name) return value;
    }
    template_error("the format field '{}' has no argument", name);
  }

  void field() {
    const size_t close = text_.find('}', at_);
    if (close == std::string_view::npos) template_error("expected '}}' before end of string");
    const auto whole = text_.substr(at_, close - at_);
    at_ = close + 1;
    if (whole.find('{') != std::string_view::npos) not_supported("a field inside a format specification");
    const size_t colon = std::min(whole.find(':'), whole.size());
    const auto spec = whole.substr(std::min(colon + 1, whole.size()));
    auto name = whole.substr(0, colon);
    char conversion = 0;
    if (const size_t mark = name.find('!'); mark != std::string_view::npos) {
      if (mark + 2 != name.size()) template_error("expected one character after '!' in a format field");
      conversion = name[mark + 1];
      name = name.substr(0, mark);
    }
    Value value = argument(name);
    if (conversion == 'r') {
      value = Value::string(to_repr(value, budget_));
    } else if (conversion == 's') {
      value = Value::string(to_text(value, budget_));
    } else if (conversion != 0) {
      not_supported("the conversion !{} in a format", conversion);
    }
    out_ += format_value(value, parse_format_spec(spec), budget_);
  }

  std::string_view text_;
  const Arguments& arguments_;
  Budget& budget_;
  std::string out_;
  size_t at_ = 0;
  int64_t automatic_ = 0;
  bool any_automatic_ = false;
  bool any_numbered_ = false;
};

}  // namespace

std::string format_percent(std::string_view text, const Value& arguments, Budget& budget) {
  budget.text(text.size());
  return PercentFormat(text, arguments, budget).run();
}

std::string format_braces(std::string_view text, const Arguments& arguments, Budget& budget) {
  budget.text(text.size());
  return BraceFormat(text, arguments, budget).run();
}

}  // namespace laconic::text::jinja
