// The `attribute` argument of filters: "name", "a.b.0", or a number.
#pragma once

#include <optional>
#include <vector>

#include "laconic/core/text/jinja_budget.h"
#include "laconic/core/text/jinja_value.h"

namespace laconic::text::jinja {

class AttributePath {
 public:
  // None is the empty path. Text is cut at dots, parts of digits count as numbers.
  explicit AttributePath(const Value& attribute);

  // Follows the path as value[part] does; at each step `otherwise`, where given, stands in for undefined. With
  // `ignore_case` a text at the end is made lower case.
  Value of(Value item, const std::optional<Value>& otherwise, bool ignore_case) const;

 private:
  std::vector<Value> parts_;
};

}  // namespace laconic::text::jinja
