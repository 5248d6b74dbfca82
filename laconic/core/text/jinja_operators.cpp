#include "laconic/core/text/jinja_operators.h"

#include <charconv>
#include <cmath>
#include <limits>

#include "laconic/core/text/jinja_error.h"
#include "laconic/core/text/jinja_format.h"
#include "laconic/core/text/jinja_text.h"

namespace laconic::text::jinja {

namespace {

std::string_view symbol(Operator op) {
  switch (op) {
    case Operator::add:
      return "+";
    case Operator::subtract:
      return "-";
    case Operator::multiply:
      return "*";
    case Operator::divide:
      return "/";
    case Operator::floor_divide:
      return "//";
    case Operator::modulo:
      return "%";
    case Operator::power:
      return "** or pow()";
  }
  return "";
}

bool is_integral(const Value& value) {
  return value.is(Kind::integer) || value.is(Kind::boolean);
}
int64_t integral(const Value& value) {
  return value.is(Kind::boolean) ? static_cast<int64_t>(value.as_boolean()) : value.as_integer();
}
double real(const Value& value) {
  return value.is(Kind::floating) ? value.as_floating() : static_cast<double>(integral(value));
}

[[noreturn]] void too_large() {
  not_supported("an integer beyond 64 bits");
}

int64_t floor_quotient(int64_t a, int64_t b) {
  if (a == std::numeric_limits<int64_t>::min() && b == -1) too_large();
  const int64_t quotient = a / b;
  return a % b != 0 && (a < 0) != (b < 0) ? quotient - 1 : quotient;
}

Value integer_power(int64_t base, int64_t exponent, Budget& budget) {
  if (exponent < 0) {
    if (base == 0) template_error("0.0 cannot be raised to a negative power");
    return Value::floating(std::pow(static_cast<double>(base), static_cast<double>(exponent)));
  }
  if (base == 0 || base == 1) return Value::integer(exponent == 0 ? 1 : base);
  if (base == -1) return Value::integer(exponent % 2 == 0 ? 1 : -1);
  int64_t result = 1;
  for (; exponent > 0; --exponent) {  // overflows after 63 rounds at most
    budget.spend(1);
    if (__builtin_mul_overflow(result, base, &result)) too_large();
  }
  return Value::integer(result);
}

Value integer_arithmetic(int64_t a, Operator op, int64_t b, Budget& budget) {
  int64_t result = 0;
  switch (op) {
    case Operator::add:
      if (__builtin_add_overflow(a, b, &result)) too_large();
      return Value::integer(result);
    case Operator::subtract:
      if (__builtin_sub_overflow(a, b, &result)) too_large();
      return Value::integer(result);
    case Operator::multiply:
      if (__builtin_mul_overflow(a, b, &result)) too_large();
      return Value::integer(result);
    case Operator::divide:
      if (b == 0) template_error("division by zero");
      return Value::floating(static_cast<double>(static_cast<long double>(a) / static_cast<long double>(b)));
    case Operator::floor_divide:
      if (b == 0) template_error("integer division or modulo by zero");
      return Value::integer(floor_quotient(a, b));
    case Operator::modulo:
      if (b == 0) template_error("integer modulo by zero");
      return Value::integer(b == -1 ? 0 : a - floor_quotient(a, b) * b);
    case Operator::power:
      return integer_power(a, b, budget);
  }
  return {};
}

double float_modulo(double a, double b) {
  const double rest = std::fmod(a, b);
  if (rest == 0.0) return std::copysign(0.0, b);
  return (rest < 0) != (b < 0) ? rest + b : rest;
}

Value float_arithmetic(double a, Operator op, double b) {
  const bool divides = op == Operator::divide || op == Operator::floor_divide || op == Operator::modulo;
  if (divides && b == 0.0) {
    template_error("{}", op == Operator::divide         ? "float division by zero"
                         : op == Operator::floor_divide ? "float floor division by zero"
                                                        : "float modulo by zero");
  }
  switch (op) {
    case Operator::add:
      return Value::floating(a + b);
    case Operator::subtract:
      return Value::floating(a - b);
    case Operator::multiply:
      return Value::floating(a * b);
    case Operator::divide:
      return Value::floating(a / b);
    case Operator::floor_divide: {
      // As Python: the quotient of what the remainder leaves, rounded to the nearest whole number.
      const double rest = std::fmod(a, b);
      double whole = (a - rest) / b;
      if (rest != 0.0 && (rest < 0) != (b < 0)) whole -= 1.0;
      if (whole == 0.0) return Value::floating(std::copysign(0.0, a / b));
      const double floored = std::floor(whole);
      return Value::floating(whole - floored > 0.5 ? floored + 1.0 : floored);
    }
    case Operator::modulo:
      return Value::floating(float_modulo(a, b));
    case Operator::power:
      if (a == 0.0 && b < 0.0) template_error("0.0 cannot be raised to a negative power");
      if (a < 0.0 && std::floor(b) != b && std::isfinite(b)) not_supported("a complex number");
      const double power = std::pow(a, b);
      if (std::isinf(power) && std::isfinite(a) && std::isfinite(b)) template_error("numerical result out of range");
      return Value::floating(power);
  }
  return {};
}

// "ab" * 3, [1] * 3.
Value repeated(const Value& value, int64_t count, Budget& budget) {
  const auto times = static_cast<uint64_t>(std::max<int64_t>(count, 0));
  const uint64_t size = value.is_string() ? value.text().size() : value.items().size();
  if (size > 0 && times > budget.limits().output_bytes / size) {
    template_error("repeating a value {} times makes it too large", times);
  }
  if (value.is_string()) {
    budget.text(size * times);
    std::string text;
    text.reserve(size * times);
    for (uint64_t i = 0; i < times && size > 0; ++i) text += value.text();
    return Value::string(std::move(text), value.as_string().safe);
  }
  budget.spend(size * times);
  List items;
  items.reserve(size * times);
  for (uint64_t i = 0; i < times && size > 0; ++i)
    items.insert(items.end(), value.items().begin(), value.items().end());
  return Value::sequence(value.as_sequence().flavor, std::move(items));
}

Value joined(const Value& a, const Value& b, Budget& budget) {
  if (a.is_string()) {
    budget.text(a.text().size() + b.text().size());
    if (a.text().size() + b.text().size() > budget.limits().output_bytes) template_error("a text is too large");
    const bool safe = a.as_string().safe || b.as_string().safe;
    const auto part = [&](const Value& side) {
      return safe && !side.as_string().safe ? escape_html(side.text()) : side.text();
    };
    return Value::string(part(a) + part(b), safe);
  }
  budget.spend(a.items().size() + b.items().size());
  List items = a.items();
  items.insert(items.end(), b.items().begin(), b.items().end());
  return Value::sequence(a.is_tuple() ? Flavor::tuple : Flavor::list, std::move(items));
}

bool repeatable(const Value& value) {
  return value.is_string() || value.is_sequence(Flavor::list) || value.is_tuple();
}

}  // namespace

Value operate(const Value& a, Operator op, const Value& b, Budget& budget) {
  if (op == Operator::modulo && a.is_string()) {
    if (a.as_string().safe) not_supported("% on a text marked safe");
    return Value::string(format_percent(a.text(), b, budget));
  }
  for (const Value* side : {&a, &b}) {
    if (side->is_undefined()) template_error("{}", side->undefined_message());
  }
  if (is_integral(a) && is_integral(b)) return integer_arithmetic(integral(a), op, integral(b), budget);
  if (a.is_number() && b.is_number()) return float_arithmetic(real(a), op, real(b));
  if (op == Operator::add) {
    const bool lists = a.is_sequence(Flavor::list) && b.is_sequence(Flavor::list);
    if ((a.is_string() && b.is_string()) || lists || (a.is_tuple() && b.is_tuple())) return joined(a, b, budget);
    if (a.is_string()) template_error("can only concatenate str (not \"{}\") to str", type_name(b));
  }
  if (op == Operator::multiply && repeatable(a) && is_integral(b)) return repeated(a, integral(b), budget);
  if (op == Operator::multiply && is_integral(a) && repeatable(b)) return repeated(b, integral(a), budget);
  template_error("unsupported operand type(s) for {}: '{}' and '{}'", symbol(op), type_name(a), type_name(b));
}

Value negated(const Value& value) {
  if (value.is(Kind::floating)) return Value::floating(-value.as_floating());
  if (is_integral(value)) {
    if (integral(value) == std::numeric_limits<int64_t>::min()) too_large();
    return Value::integer(-integral(value));
  }
  if (value.is_undefined()) template_error("{}", value.undefined_message());
  template_error("bad operand type for unary -: '{}'", type_name(value));
}

Value plus(const Value& value) {
  if (value.is(Kind::floating)) return value;
  if (is_integral(value)) return Value::integer(integral(value));
  if (value.is_undefined()) template_error("{}", value.undefined_message());
  template_error("bad operand type for unary +: '{}'", type_name(value));
}

}  // namespace laconic::text::jinja
