// Filters on numbers, and those that take any value.
#include <algorithm>
#include <array>
#include <cmath>

#include "laconic/core/text/jinja_access.h"
#include "laconic/core/text/jinja_error.h"
#include "laconic/core/text/jinja_filters.h"
#include "laconic/core/text/jinja_interpreter.h"
#include "laconic/core/text/jinja_json.h"
#include "laconic/core/text/jinja_number.h"
#include "laconic/core/text/jinja_operators.h"

namespace laconic::text::jinja {

namespace {

void refuse_undefined(const Value& value) {
  if (value.is_undefined()) template_error("{}", value.undefined_message());
}

Value absolute(Interpreter&, const Value& input, const Arguments& arguments) {
  Parameters::positional(arguments, "abs", 0);
  refuse_undefined(input);
  if (input.is(Kind::floating)) return Value::floating(std::fabs(input.as_floating()));
  if (!input.is_number()) template_error("bad operand type for abs(): '{}'", type_name(input));
  const int64_t number = require_integer(input, "abs");
  return number < 0 ? negated(Value::integer(number)) : Value::integer(number);
}

Value integer(Interpreter&, const Value& input, const Arguments& arguments) {
  const Parameters given(arguments, "int", {"default", "base"});
  refuse_undefined(input);
  std::optional<int64_t> number;
  if (input.is_string()) {
    number = parse_integer(input.text(), given.integer(1, 10));
    // "42.23"|int gives 42.
    const auto real = number ? std::nullopt : parse_float(input.text());
    if (real) number = truncated(*real);
  } else if (input.is(Kind::floating)) {
    number = truncated(input.as_floating());
    if (!number && std::isinf(input.as_floating())) template_error("cannot convert float infinity to integer");
  } else if (input.is_number()) {
    number = require_integer(input, "int");
  }
  return number ? Value::integer(*number) : given.value(0, Value::integer(0));
}

Value real(Interpreter&, const Value& input, const Arguments& arguments) {
  const Parameters given(arguments, "float", {"default"});
  refuse_undefined(input);
  std::optional<double> number;
  if (input.is_string()) {
    number = parse_float(input.text());
  } else if (input.is(Kind::floating)) {
    number = input.as_floating();
  } else if (input.is_number()) {
    number = static_cast<double>(require_integer(input, "float"));
  }
  return number ? Value::floating(*number) : given.value(0, Value::floating(0.0));
}

Value round_filter(Interpreter&, const Value& input, const Arguments& arguments) {
  const Parameters given(arguments, "round", {"precision", "method"});
  const std::string method = given.get(1) != nullptr ? given.text(1) : "common";
  if (method != "common" && method != "ceil" && method != "floor") {
    template_error("method must be common, ceil or floor");
  }
  const int64_t precision = given.integer(0, 0);
  refuse_undefined(input);
  if (!input.is_number()) template_error("type {} doesn't define __round__ method", type_name(input));
  const bool whole = !input.is(Kind::floating);
  if (method == "common") {
    if (!whole) return Value::floating(rounded(input.as_floating(), precision));
    if (precision >= 0) return Value::integer(require_integer(input, "round"));
    not_supported("rounding an integer to a negative precision");
  }
  const double value = whole ? static_cast<double>(require_integer(input, "round")) : input.as_floating();
  const double unit = std::pow(10.0, static_cast<double>(precision));
  const double scaled = method == "ceil" ? std::ceil(value * unit) : std::floor(value * unit);
  if (!std::isfinite(scaled)) template_error("cannot round {} so", value);
  return Value::floating(scaled / unit);
}

Value default_filter(Interpreter&, const Value& input, const Arguments& arguments) {
  const Parameters given(arguments, "default", {"default_value", "boolean"});
  const bool replaced = input.is_undefined() || (given.flag(1, false) && !truthy(input));
  return replaced ? given.value(0, Value::string("")) : input;
}

Value attribute(Interpreter&, const Value& input, const Arguments& arguments) {
  const Parameters given(arguments, "attr", {"name"}, 1);
  if (auto found = find_attribute(input, given.text(0))) return *found;
  return Value::undefined(fmt::format("'{}' has no attribute '{}'", described_type(input), given.text(0)));
}

Value json(Interpreter& interpreter, const Value& input, const Arguments& arguments) {
  return Value::string(to_json(input, arguments, interpreter.budget()));
}

struct Entry {
  std::string_view name;
  Filter filter;
};

constexpr std::array kFilters = std::to_array<Entry>({
    {"abs", absolute},
    {"attr", attribute},
    {"d", default_filter},
    {"default", default_filter},
    {"float", real},
    {"int", integer},
    {"round", round_filter},
    {"tojson", json},
});

}  // namespace

Filter find_number_filter(std::string_view name) {
  const auto found = std::find_if(kFilters.begin(), kFilters.end(), [&](const Entry& e) { return e.name == name; });
  return found != kFilters.end() ? found->filter : nullptr;
}

}  // namespace laconic::text::jinja
