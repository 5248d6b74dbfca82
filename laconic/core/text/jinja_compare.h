// Python's equality, order, hashing and membership.
#pragma once

#include <cstddef>

#include "laconic/core/text/jinja_budget.h"
#include "laconic/core/text/jinja_value.h"

namespace laconic::text::jinja {

bool equal(const Value& a, const Value& b);

// Equal values have equal hashes. Lists, dicts and what holds them are an error: "unhashable type".
size_t hash_of(const Value& value);

enum class Order { less, less_equal, greater, greater_equal };
// a < b and so on; types without a common order are an error.
bool ordered(const Value& a, Order order, const Value& b);

// `item in container`. A generator is consumed up to the item.
bool contains(const Value& container, const Value& item, Budget& budget);

}  // namespace laconic::text::jinja
