// Python's formatting: the % operator, str.format and the format specifications of both.
#pragma once

#include <string>
#include <string_view>

#include "laconic/core/text/jinja_arguments.h"
#include "laconic/core/text/jinja_budget.h"
#include "laconic/core/text/jinja_value.h"

namespace laconic::text::jinja {

// [[fill]align][sign][#][0][width][grouping][.precision][type]
struct FormatSpec {
  std::string fill = " ";
  char align = 0;  // < > ^ = or 0 for the type's own
  char sign = '-';
  bool alternate = false;
  char grouping = 0;
  int64_t width = 0;
  int64_t precision = -1;
  char type = 0;
};

FormatSpec parse_format_spec(std::string_view text);
// format(value, spec).
std::string format_value(const Value& value, const FormatSpec& spec, Budget& budget);

// text % arguments.
std::string format_percent(std::string_view text, const Value& arguments, Budget& budget);
// text.format(...). Attributes and indices in fields are not supported.
std::string format_braces(std::string_view text, const Arguments& arguments, Budget& budget);

}  // namespace laconic::text::jinja
