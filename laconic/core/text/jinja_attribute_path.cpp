#include "laconic/core/text/jinja_attribute_path.h"

#include "laconic/core/base/strings.h"
#include "laconic/core/text/jinja_access.h"
#include "laconic/core/text/jinja_case.h"
#include "laconic/core/text/jinja_number.h"

namespace laconic::text::jinja {

AttributePath::AttributePath(const Value& attribute) {
  if (attribute.is_none()) return;
  if (!attribute.is_string()) {
    parts_.push_back(attribute);
    return;
  }
  for (const std::string& part : laconic::split(attribute.text(), '.')) {
    const bool digits = !part.empty() && part.find_first_not_of("0123456789") == std::string::npos;
    parts_.push_back(digits ? Value::integer(parse_integer(part).value_or(0)) : Value::string(part));
  }
}

Value AttributePath::of(Value item, const std::optional<Value>& otherwise, bool ignore_case) const {
  for (const Value& part : parts_) {
    item = get_item(item, part);
    if (otherwise && item.is_undefined()) item = *otherwise;
  }
  return ignore_case && item.is_string() ? Value::string(lower_case(item.text())) : item;
}

}  // namespace laconic::text::jinja
