#include "laconic/rewards/equations.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "laconic/rewards/exact.h"
#include "laconic/rewards/numeric.h"

namespace laconic::rewards {
namespace {

bool is_capital(const Expression& e) {
  return e.is(Kind::symbol) && e.name[0] >= 'A' && e.name[0] <= 'Z';
}

// AB, \angle ABC, \Delta p: letters that are one name.
bool is_joined_name(const Expression& e) {
  if (!e.is(Kind::product) || e.args.size() > 4 || !e.args[0].is(Kind::symbol)) return false;
  const auto is_symbol = [](const Expression& arg) { return arg.is(Kind::symbol); };
  const std::string& first = e.args[0].name;
  if (first == "\\angle" || first == "\\triangle" || first == "\\Delta")
    return std::all_of(e.args.begin(), e.args.end(), is_symbol);
  return std::all_of(e.args.begin(), e.args.end(), is_capital);
}

bool mentions(const Expression& e, const Expression& name) {
  if (!name.is(Kind::symbol)) return false;
  return any_node(e, [&](const Expression& node) { return node.is(Kind::symbol) && node.name == name.name; });
}

// Whether all sides that have a value may have the same: 6 = 5 and 6 = x = 5 are false. Decimals and whole numbers may
// be rounded, and e may be a name (the eccentricity is e = 1/2).
bool may_be_true(const Expression& equation) {
  const Expression* before = nullptr;
  double value_before = 0;
  for (const auto& side : equation.args) {
    const auto value = side.is_constant("e") ? std::nullopt : real_value(side);
    if (!value) continue;
    if (before != nullptr) {
      const double slack = has_decimals(*before) || has_decimals(side) ? 0.2 : 0.01;
      const double size = std::max(std::abs(value_before), std::abs(*value));
      if (std::abs(value_before - *value) > slack * size + 1e-9) return false;
    }
    before = &side;
    value_before = *value;
  }
  return true;
}

}  // namespace

bool is_equation(const Expression& e) {
  return e.is(Kind::relation) && e.name.find_first_not_of('=') == std::string::npos;
}

bool is_name(const Expression& e) {
  const auto names_one = [](const Expression& arg) { return is_capital(arg) || is_joined_name(arg); };
  switch (e.kind) {
    case Kind::symbol:
    case Kind::text:
      return true;
    case Kind::product:
      return is_joined_name(e) || (e.args.size() == 2 && e.args[0].is(Kind::symbol) && e.args[1].grouped);
    case Kind::function:
      if (e.name == "abs") return is_joined_name(e.args[0]);
      return (e.name == "sin" || e.name == "cos" || e.name == "tan") && names_one(e.args[0]);
    case Kind::quotient:
      return is_joined_name(e.args[0]) && is_joined_name(e.args[1]);
    case Kind::power: {
      const auto exponent = rational_value(e.args[1]);
      const bool transposed = e.args[1].is(Kind::symbol) && e.args[1].name == "T";
      return is_capital(e.args[0]) && (transposed || (exponent && *exponent == -1));
    }
    case Kind::sequence:
      return e.name == "()" && std::all_of(e.args.begin(), e.args.end(), is_name);
    default:
      return false;
  }
}

bool is_valued(const Expression& equation) {
  const Expression& first = equation.args.front();
  return is_name(first) || is_name(equation.args.back()) || symbols_of(first).empty();
}

bool defines_itself(const Expression& equation) {
  const Expression &first = equation.args.front(), &last = equation.args.back();
  return (is_name(first) && mentions(last, first)) || (is_name(last) && mentions(first, last));
}

const Expression* assigned_value(const Expression& e) {
  if (!is_equation(e) || !may_be_true(e)) return nullptr;
  const Expression &first = e.args.front(), &last = e.args.back();
  if (is_name(last) && e.args.size() == 2 && symbols_of(first).empty() && !first.is(Kind::text))
    return &first;  // 5 = x
  for (size_t i = 0; i + 1 < e.args.size(); ++i) {
    if (is_name(e.args[i]) && mentions(last, e.args[i])) return nullptr;
  }
  if (is_name(first)) return &last;
  return symbols_of(last).empty() ? &last : nullptr;
}

const Expression* rounded_value(const Expression& e) {
  if (!is_equation(e)) return nullptr;
  const Expression &last = e.args.back(), &exact = e.args[e.args.size() - 2];
  const Expression& decimal = last.is(Kind::negate) ? last.args[0] : last;
  if (is_name(exact) || !decimal.is(Kind::number) || decimal.places < 1) return nullptr;
  const auto value = real_value(exact), shown = real_value(last);
  if (!value || !shown || (*value < 0) != (*shown < 0)) return nullptr;
  const double unit = std::pow(10.0, -decimal.places), rest = std::abs(*value) - std::abs(*shown);
  const bool rounded = std::abs(rest) <= 0.5 * unit * (1 + 1e-9);
  const bool cut = rest > 0 && rest < unit * (1 - 1e-9) && !has_decimals(exact);
  return rounded || cut ? &exact : nullptr;
}

}  // namespace laconic::rewards
