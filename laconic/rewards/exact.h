// Exact comparison: quotients of polynomials in variables, roots of primes, pi, e and i with rational coefficients.
#pragma once

#include <optional>

#include "laconic/rewards/expression.h"

namespace laconic::rewards {

enum class Certainty { equal, different, unknown };

// Brings both to a normal form in which sqrt(8) is 2 sqrt(2), i*i is -1 and (x+1)^2 is x^2+2x+1, and multiplies out.
// `unknown` for functions, symbolic exponents, nested roots, and for what would take more steps than `work`, which is
// counted down.
Certainty compare_exactly(const Expression& a, const Expression& b, int64_t& work);

// The value of an expression that is a rational number by the four operations, powers and roots alone.
std::optional<Rational> rational_value(const Expression& expression);

// Whether the equations a = 0 and b = 0 say the same: one is a non-zero multiple of the other. Both are differences of
// the sides of an equation. `positive` asks for a positive multiple, as for inequalities; `work` as above.
Certainty compare_up_to_factor(const Expression& a, const Expression& b, bool positive, int64_t& work);

}  // namespace laconic::rewards
