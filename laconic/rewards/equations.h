// What an equation says as an answer: the name that it gives a value to, the value, and whether it can be true.
#pragma once

#include "laconic/rewards/expression.h"

namespace laconic::rewards {

// A relation of equals signs alone: x = 5, a = b = 3.
bool is_equation(const Expression& e);

// f(x), |AB|, AB/CD, P(A), \cos B, A^{-1}, (x, y): a name for the value behind the equals sign.
bool is_name(const Expression& e);

// Whether an equation names or calculates its value: x = 5 and 2+3 = 5, but not x + y = 5.
bool is_valued(const Expression& equation);

// x = 5 + x - x
bool defines_itself(const Expression& equation);

// The value that an equation gives to a name, or at which a chain of equal values ends. An equation that defines its
// name by itself (x = x, x = 2x - 3) gives none, and neither does one that is false. Null as well for what is no
// equation.
const Expression* assigned_value(const Expression& e);

// Of x = \sqrt{2} \approx 1.41 the root: the value that the decimal at the end was rounded or cut from. Null where the
// decimal says something else, or as much: 1.5 = 1.6 names two values, and neither is rounded.
const Expression* rounded_value(const Expression& e);

}  // namespace laconic::rewards
