// Exact numbers of the math verifier, bounded in size so that no answer can make arithmetic slow.
#pragma once

#if defined(__GNUC__) && !defined(__clang__)
// GCC 12 takes the small-number storage of an optional that holds none for used.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <boost/multiprecision/cpp_int.hpp>
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace laconic::rewards {

using Integer = boost::multiprecision::cpp_int;
using Rational = boost::multiprecision::cpp_rational;

// Numbers with more bits than this are not computed with.
inline constexpr size_t kMaxBits = 4096;

size_t bits_of(const Rational& value);

inline bool is_integer(const Rational& value) {
  return denominator(value) == 1;
}
// The value as a machine integer, when it is one of magnitude at most `limit`.
std::optional<int64_t> small_integer(const Rational& value, int64_t limit);

// base^exponent; nothing when the result would exceed kMaxBits, or for 0 to a negative power.
std::optional<Rational> power(const Rational& base, int64_t exponent);

// Decimal digits with at most one point, and nothing else: "12", "0.5", ".5", "12.". Linear in practice up to the
// parser's limit of a few thousand digits.
Rational decimal_value(std::string_view digits);

// The integer r with r^n == value, when there is one (value >= 0, n >= 2).
std::optional<Integer> exact_root(const Integer& value, int64_t n);

}  // namespace laconic::rewards
