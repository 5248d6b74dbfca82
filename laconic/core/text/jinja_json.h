// Between JSON and values: what a template is given, and the `tojson` of chat templates, which is Python's json.dumps.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "laconic/core/text/jinja_arguments.h"
#include "laconic/core/text/jinja_budget.h"
#include "laconic/core/text/jinja_value.h"

namespace laconic::text::jinja {

// Strings that are not UTF-8 and values nested too deeply are errors.
Value from_json(const nlohmann::ordered_json& json);

// Arguments: ensure_ascii=False, indent=None, separators=None, sort_keys=False.
std::string to_json(const Value& value, const Arguments& arguments, Budget& budget);

}  // namespace laconic::text::jinja
