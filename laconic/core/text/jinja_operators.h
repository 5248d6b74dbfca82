// Arithmetic with Python's rules. Integers are 64-bit; a result beyond is an Error of kind unsupported, never a wrong
// number.
#pragma once

#include "laconic/core/text/jinja_budget.h"
#include "laconic/core/text/jinja_value.h"

namespace laconic::text::jinja {

enum class Operator { add, subtract, multiply, divide, floor_divide, modulo, power };

Value operate(const Value& a, Operator op, const Value& b, Budget& budget);
Value negated(const Value& value);
Value plus(const Value& value);

}  // namespace laconic::text::jinja
