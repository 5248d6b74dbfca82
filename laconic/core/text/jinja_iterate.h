// Going over values: iter(), len(), list() and slices.
#pragma once

#include <cstdint>
#include <optional>

#include "laconic/core/text/jinja_budget.h"
#include "laconic/core/text/jinja_object.h"
#include "laconic/core/text/jinja_value.h"

namespace laconic::text::jinja {

bool is_iterable(const Value& value);
// Strings give characters, dicts keys. Of a generator it takes the rest. What cannot be iterated is an error.
Next iterate(const Value& value);
// len(value), or nothing where there is none.
std::optional<int64_t> length_of(const Value& value);
// list(value) as a C++ list.
List to_list(const Value& value, Budget& budget);

// value[start:stop:step]; None stands for absence.
Value slice(const Value& value, const Value& start, const Value& stop, const Value& step, Budget& budget);
// value[key] for sequences, strings and ranges; nothing where Python raises TypeError or IndexError.
std::optional<Value> element(const Value& value, const Value& key);

}  // namespace laconic::text::jinja
