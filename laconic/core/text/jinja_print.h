// Python's str() and repr().
#pragma once

#include <string>
#include <string_view>

#include "laconic/core/text/jinja_budget.h"
#include "laconic/core/text/jinja_value.h"

namespace laconic::text::jinja {

// As {{ value }} prints it.
std::string to_text(const Value& value, Budget& budget);
std::string to_repr(const Value& value, Budget& budget);

// The shortest digits that read back to the same value, in Python's layout: 1.0, 1e+16, 1e-05, inf, nan.
std::string float_repr(double value);
std::string string_repr(std::string_view text);

}  // namespace laconic::text::jinja
