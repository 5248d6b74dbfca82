#include "laconic/rewards/rational.h"

#include <algorithm>
#include <cmath>
#include <string>

namespace laconic::rewards {
namespace {

size_t bits_of(const Integer& value) {
  return value == 0 ? 1 : static_cast<size_t>(msb(abs(value))) + 1;
}

}  // namespace

size_t bits_of(const Rational& value) {
  return std::max(bits_of(Integer(numerator(value))), bits_of(Integer(denominator(value))));
}

std::optional<int64_t> small_integer(const Rational& value, int64_t limit) {
  if (!is_integer(value)) return std::nullopt;
  if (value > limit || value < -limit) return std::nullopt;
  return static_cast<int64_t>(numerator(value));
}

std::optional<Rational> power(const Rational& base, int64_t exponent) {
  if (base == 0) return exponent > 0 ? std::optional<Rational>(0) : std::nullopt;
  if (base == 1 || exponent == 0) return Rational(1);
  if (base == -1) return Rational(exponent % 2 == 0 ? 1 : -1);
  const auto steps = static_cast<uint64_t>(std::abs(exponent));
  if (steps > kMaxBits || bits_of(base) * steps > kMaxBits) return std::nullopt;
  const auto count = static_cast<unsigned>(steps);
  const Integer top = pow(Integer(numerator(base)), count), bottom = pow(Integer(denominator(base)), count);
  return exponent > 0 ? Rational(top, bottom) : Rational(bottom, top);
}

Rational decimal_value(std::string_view digits) {
  const size_t point = digits.find('.');
  const size_t decimals = point == std::string_view::npos ? 0 : digits.size() - point - 1;
  std::string plain(digits);
  if (point != std::string_view::npos) plain.erase(point, 1);
  plain.erase(0, std::min(plain.find_first_not_of('0'), plain.size()));  // a leading zero would mean octal
  const Integer value = plain.empty() ? Integer(0) : Integer(plain);
  if (decimals == 0) return Rational(value);
  return Rational(value, pow(Integer(10), static_cast<unsigned>(decimals)));
}

std::optional<Integer> exact_root(const Integer& value, int64_t n) {
  if (value < 2) return value;
  const auto degree = static_cast<unsigned>(n);
  const size_t bits = bits_of(value);
  if (n > static_cast<int64_t>(bits)) return std::nullopt;
  Integer low = 1, high = Integer(1) << static_cast<unsigned>(bits / degree + 1);
  while (low < high) {
    const Integer middle = (low + high + 1) / 2;
    if (pow(middle, degree) <= value) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  if (pow(low, degree) != value) return std::nullopt;
  return low;
}

}  // namespace laconic::rewards
