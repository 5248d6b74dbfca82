// Numeric comparison: both expressions evaluated at the same points, with a bound of the rounding error carried along.
#pragma once

#include <cstdint>
#include <optional>

#include "laconic/rewards/exact.h"
#include "laconic/rewards/expression.h"

namespace laconic::rewards {

// `different` as soon as a point tells them apart beyond the errors (in double precision first), `equal` when they
// agree to more than twenty digits at all points of 50-digit arithmetic (real ones, from a fixed seed), `unknown` when
// too few points could be evaluated, or when `precise_work`, which is counted down, is used up. With a tolerance > 0,
// values within it count as equal (tolerated(), below).
Certainty compare_numerically(const Expression& a, const Expression& b, double tolerance, int64_t& precise_work);

// True when double precision tells them apart.
bool surely_different(const Expression& a, const Expression& b, double tolerance);

// compare_numerically() for b = c * a with a constant c, the same at all points; c > 0 where `positive`.
Certainty compare_numerically_up_to_factor(const Expression& a, const Expression& b, bool positive,
                                           int64_t& precise_work);

// True when double precision tells that there is no such c.
bool surely_no_multiple(const Expression& a, const Expression& b, bool positive);

// |a - b| <= tolerance * min(1, max(|a|, |b|)): absolute for large values, relative for small ones.
bool tolerated(const Rational& a, const Rational& b, double tolerance);

// The value of an expression without variables, when it is real.
std::optional<double> real_value(const Expression& expression);

}  // namespace laconic::rewards
