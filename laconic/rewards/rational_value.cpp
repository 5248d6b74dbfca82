#include <algorithm>
#include <vector>

#include "laconic/rewards/exact.h"

namespace laconic::rewards {
namespace {

std::optional<Rational> rational_function(const Expression& e) {
  std::vector<Rational> values;
  for (const auto& arg : e.args) {
    const auto value = rational_value(arg);
    if (!value) return std::nullopt;
    values.push_back(*value);
  }
  if (e.name == "abs" && values.size() == 1) return abs(values[0]);
  if (e.name == "max" && !values.empty()) return *std::max_element(values.begin(), values.end());
  if (e.name == "min" && !values.empty()) return *std::min_element(values.begin(), values.end());
  if ((e.name == "floor" || e.name == "ceil") && values.size() == 1) {
    Integer quotient, rest;
    divide_qr(Integer(numerator(values[0])), Integer(denominator(values[0])), quotient, rest);
    if (rest != 0 && e.name == "floor" && values[0] < 0) quotient -= 1;
    if (rest != 0 && e.name == "ceil" && values[0] > 0) quotient += 1;
    return Rational(quotient);
  }
  std::vector<int64_t> whole;
  for (const auto& value : values) {
    const auto small = small_integer(value, 1000000000000);
    if (!small) return std::nullopt;
    whole.push_back(*small);
  }
  if (e.name == "factorial" && whole.size() == 1 && whole[0] >= 0 && whole[0] <= 170) {
    Integer product = 1;
    for (int64_t i = 2; i <= whole[0]; ++i) product *= i;
    return Rational(product);
  }
  if (e.name == "double_factorial" && whole.size() == 1 && whole[0] >= 0 && whole[0] <= 170) {
    Integer product = 1;
    for (int64_t i = whole[0]; i >= 2; i -= 2) product *= i;
    return Rational(product);
  }
  if (e.name == "binom" && whole.size() == 2 && whole[0] >= 0 && whole[0] <= 200 && whole[1] >= 0) {
    if (whole[1] > whole[0]) return Rational(0);
    Integer product = 1;
    for (int64_t i = 1; i <= whole[1]; ++i) product = product * (whole[0] - whole[1] + i) / i;
    return Rational(product);
  }
  if (e.name == "mod" && whole.size() == 2 && whole[1] > 0)
    return Rational(((whole[0] % whole[1]) + whole[1]) % whole[1]);
  if ((e.name == "gcd" || e.name == "lcm") && !whole.empty()) {
    Integer total = whole[0];
    for (const auto n : whole)
      total = e.name == "gcd" ? Integer(gcd(total, Integer(n))) : Integer(lcm(total, Integer(n)));
    if (msb(abs(total) + 1) > kMaxBits) return std::nullopt;
    return Rational(total);
  }
  return std::nullopt;
}

}  // namespace

std::optional<Rational> rational_value(const Expression& e) {
  switch (e.kind) {
    case Kind::number:
      return bits_of(e.value) > kMaxBits ? std::nullopt : std::optional<Rational>(e.value);
    case Kind::negate: {
      const auto value = rational_value(e.args[0]);
      if (!value) return std::nullopt;
      return Rational(-*value);
    }
    case Kind::sum:
    case Kind::product: {
      Rational total = e.is(Kind::sum) ? 0 : 1;
      for (const auto& arg : e.args) {
        const auto value = rational_value(arg);
        if (!value) return std::nullopt;
        total = e.is(Kind::sum) ? Rational(total + *value) : Rational(total * *value);
        if (bits_of(total) > kMaxBits) return std::nullopt;
      }
      return total;
    }
    case Kind::quotient: {
      const auto top = rational_value(e.args[0]), bottom = rational_value(e.args[1]);
      if (!top || !bottom || *bottom == 0) return std::nullopt;
      return Rational(*top / *bottom);
    }
    case Kind::percent: {
      const auto value = rational_value(e.args[0]);
      if (!value) return std::nullopt;
      return Rational(*value / 100);
    }
    case Kind::power: {
      const auto base = rational_value(e.args[0]), exponent = rational_value(e.args[1]);
      if (!base || !exponent) return std::nullopt;
      const auto whole = small_integer(*exponent, static_cast<int64_t>(kMaxBits));
      if (!whole) return std::nullopt;
      return power(*base, *whole);
    }
    case Kind::function:
      return rational_function(e);
    default:
      return std::nullopt;
  }
}

}  // namespace laconic::rewards
