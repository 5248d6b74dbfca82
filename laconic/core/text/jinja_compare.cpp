#include "laconic/core/text/jinja_compare.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "laconic/core/text/jinja_error.h"
#include "laconic/core/text/jinja_object.h"

namespace laconic::text::jinja {

namespace {

// Wide enough for every int64 and every double without rounding, where long double has 64 bits of mantissa.
long double number_of(const Value& value) {
  if (value.is(Kind::boolean)) return value.as_boolean() ? 1.0L : 0.0L;
  if (value.is(Kind::integer)) return static_cast<long double>(value.as_integer());
  return static_cast<long double>(value.as_floating());
}

// Views of a dict print by what they show but compare by identity here, tuples of groupby as tuples.
bool comparable(const Value& a, const Value& b) {
  return a.is(Kind::sequence) && b.is(Kind::sequence) &&
         (a.as_sequence().flavor == b.as_sequence().flavor || (a.is_tuple() && b.is_tuple()));
}

bool equal_dicts(const Dict& a, const Dict& b) {
  if (a.size() != b.size()) return false;
  return std::all_of(a.entries().begin(), a.entries().end(), [&](const Dict::Entry& entry) {
    const Value* other = b.find(entry.first);
    return other != nullptr && equal(entry.second, *other);
  });
}

bool equal_ranges(const Range& a, const Range& b) {
  if (a.size != b.size) return false;
  return a.size == 0 || (a.start == b.start && (a.size == 1 || a.step == b.step));
}

template <typename T>
bool satisfies(const T& a, Order order, const T& b) {
  switch (order) {
    case Order::less:
      return a < b;
    case Order::less_equal:
      return a <= b;
    case Order::greater:
      return a > b;
    case Order::greater_equal:
      return a >= b;
  }
  return false;
}

std::string_view symbol(Order order) {
  switch (order) {
    case Order::less:
      return "<";
    case Order::less_equal:
      return "<=";
    case Order::greater:
      return ">";
    case Order::greater_equal:
      return ">=";
  }
  return "";
}

bool range_contains(const Range& range, const Value& item) {
  if (!item.is_number()) return false;
  const long double wanted = number_of(item);
  const auto offset = wanted - static_cast<long double>(range.start);
  const auto steps = offset / static_cast<long double>(range.step);
  return steps >= 0 && steps < static_cast<long double>(range.size) && std::floor(steps) == steps;
}

}  // namespace

bool equal(const Value& a, const Value& b) {
  if (a.is_number() && b.is_number()) return number_of(a) == number_of(b);
  if (a.kind() != b.kind()) return false;
  switch (a.kind()) {
    case Kind::undefined:
    case Kind::none:
      return true;
    case Kind::string:
      return a.text() == b.text();
    case Kind::sequence:
      if (&a.as_sequence() == &b.as_sequence()) return true;
      return comparable(a, b) &&
             std::equal(a.items().begin(), a.items().end(), b.items().begin(), b.items().end(), equal);
    case Kind::dict:
      return &a.as_dict() == &b.as_dict() || equal_dicts(a.as_dict(), b.as_dict());
    default:
      break;
  }
  const auto* left = a.as<Range>();
  const auto* right = b.as<Range>();
  return left != nullptr && right != nullptr ? equal_ranges(*left, *right) : a.as_object() == b.as_object();
}

size_t hash_of(const Value& value) {
  switch (value.kind()) {
    case Kind::undefined:
      return 1;
    case Kind::none:
      return 2;
    case Kind::boolean:
    case Kind::integer:
    case Kind::floating:
      return std::hash<long double>()(number_of(value));
    case Kind::string:
      return std::hash<std::string>()(value.text());
    case Kind::object:
      return std::hash<const void*>()(value.as_object().get());
    case Kind::sequence:
      if (value.is_tuple()) {
        size_t hash = 3;
        for (const Value& item : value.items()) hash = hash * 1'000'003 + hash_of(item);
        return hash;
      }
      break;
    case Kind::dict:
      break;
  }
  template_error("unhashable type: '{}'", type_name(value));
}

bool ordered(const Value& a, Order order, const Value& b) {
  for (const Value* side : {&a, &b}) {
    if (side->is_undefined()) template_error("{}", side->undefined_message());
  }
  if (a.is_number() && b.is_number()) return satisfies(number_of(a), order, number_of(b));
  if (a.is_string() && b.is_string()) return satisfies(a.text(), order, b.text());  // UTF-8 keeps the order
  if (comparable(a, b) && (a.is_tuple() || a.is_sequence(Flavor::list))) {
    const List& left = a.items();
    const List& right = b.items();
    // The first difference decides, and only it is compared by order.
    for (size_t i = 0; i < std::min(left.size(), right.size()); ++i) {
      if (!equal(left[i], right[i])) return ordered(left[i], order, right[i]);
    }
    return satisfies(left.size(), order, right.size());
  }
  template_error("'{}' not supported between instances of '{}' and '{}'", symbol(order), type_name(a), type_name(b));
}

bool contains(const Value& container, const Value& item, Budget& budget) {
  switch (container.kind()) {
    case Kind::undefined:
      return false;
    case Kind::string:
      if (!item.is_string()) {
        template_error("'in <string>' requires string as left operand, not {}", type_name(item));
      }
      budget.text(container.text().size());
      return container.text().find(item.text()) != std::string::npos;
    case Kind::sequence:
      budget.spend(container.items().size() / 4);
      return std::any_of(container.items().begin(), container.items().end(),
                         [&](const Value& other) { return equal(other, item); });
    case Kind::dict:
      return container.as_dict().find(item) != nullptr;
    default:
      break;
  }
  if (const auto* range = container.as<Range>()) return range_contains(*range, item);
  if (const auto* generator = container.as<Generator>()) {
    while (const auto next = generator->next()) {
      budget.spend(1);
      if (equal(*next, item)) return true;
    }
    return false;
  }
  template_error("argument of type '{}' is not iterable", type_name(container));
}

}  // namespace laconic::text::jinja
