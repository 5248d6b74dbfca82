// value.name and value[key] as Jinja's sandbox resolves them: attributes and methods first for a dot, items first for
// brackets, the other one as fallback.
#pragma once

#include <optional>
#include <string_view>

#include "laconic/core/text/jinja_arguments.h"
#include "laconic/core/text/jinja_budget.h"
#include "laconic/core/text/jinja_object.h"
#include "laconic/core/text/jinja_value.h"

namespace laconic::text::jinja {

Value get_attribute(const Value& value, std::string_view name);
Value get_item(const Value& value, const Value& key);
// The attribute alone, without items: what the `attr` filter sees.
std::optional<Value> find_attribute(const Value& value, std::string_view name);

// A method of a built-in type; `self` is of that type.
using Method = Value (*)(const Value& self, const Arguments& arguments, Budget& budget);

// nullptr for a name that is no method of the type.
Method find_string_method(std::string_view name);
Method find_container_method(const Value& self, std::string_view name);

}  // namespace laconic::text::jinja
