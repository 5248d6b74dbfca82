// The tests of Jinja: `value is name(arguments)`.
#pragma once

#include <string_view>

#include "laconic/core/text/jinja_arguments.h"
#include "laconic/core/text/jinja_budget.h"
#include "laconic/core/text/jinja_value.h"

namespace laconic::text::jinja {

// Whether Jinja has a test of this name.
bool is_test(std::string_view name);
// A name that Jinja lacks is an error.
bool apply_test(std::string_view name, const Value& value, const Arguments& arguments, Budget& budget);

}  // namespace laconic::text::jinja
