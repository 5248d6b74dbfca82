// The filters of Jinja and the `tojson` of chat templates.
#pragma once

#include <string_view>

#include "laconic/core/text/jinja_arguments.h"
#include "laconic/core/text/jinja_value.h"

namespace laconic::text::jinja {

class Interpreter;

using Filter = Value (*)(Interpreter& interpreter, const Value& input, const Arguments& arguments);

// Whether Jinja has a filter of this name.
bool is_filter(std::string_view name);
// A name that Jinja lacks is an error, a filter that this engine lacks one of kind unsupported.
Filter find_filter(std::string_view name);

// The tables that find_filter joins, by what the filters work on; nullptr for a name that is not in them.
Filter find_text_filter(std::string_view name);
Filter find_number_filter(std::string_view name);
Filter find_sequence_filter(std::string_view name);
Filter find_lazy_filter(std::string_view name);

}  // namespace laconic::text::jinja
