#include "laconic/core/text/jinja_tests.h"

#include <algorithm>
#include <array>

#include "laconic/core/text/jinja_case.h"
#include "laconic/core/text/jinja_compare.h"
#include "laconic/core/text/jinja_error.h"
#include "laconic/core/text/jinja_filters.h"
#include "laconic/core/text/jinja_iterate.h"
#include "laconic/core/text/jinja_loop.h"
#include "laconic/core/text/jinja_macro.h"
#include "laconic/core/text/jinja_operators.h"
#include "laconic/core/text/jinja_print.h"

namespace laconic::text::jinja {

namespace {

using Test = bool (*)(const Value& value, const Value& other, Budget& budget);

struct Entry {
  std::string_view name;
  Test test;
  bool takes_other = false;
};

bool has_remainder(const Value& value, const Value& divisor, int64_t wanted, Budget& budget) {
  return equal(operate(value, Operator::modulo, divisor, budget), Value::integer(wanted));
}

bool is_sequence_like(const Value& value) {
  return value.is_undefined() || value.is_string() || value.is(Kind::dict) || value.is_sequence(Flavor::list) ||
         value.is_tuple() || value.as<Range>() != nullptr;
}

bool is_callable(const Value& value) {
  // Undefined has a __call__, which fails.
  return value.is_undefined() || value.as<Function>() != nullptr || value.as<Macro>() != nullptr ||
         value.as<Loop>() != nullptr;
}

template <Order order>
bool in_order(const Value& a, const Value& b, Budget&) {
  return ordered(a, order, b);
}

bool is_equal(const Value& a, const Value& b, Budget& budget) {
  budget.spend(std::min(a.weight(), b.weight()) / 4);
  return equal(a, b);
}

constexpr std::array kTests = std::to_array<Entry>({
    {"odd", [](const Value& v, const Value&, Budget& b) { return has_remainder(v, Value::integer(2), 1, b); }},
    {"even", [](const Value& v, const Value&, Budget& b) { return has_remainder(v, Value::integer(2), 0, b); }},
    {"divisibleby", [](const Value& v, const Value& by, Budget& b) { return has_remainder(v, by, 0, b); }, true},
    {"defined", [](const Value& v, const Value&, Budget&) { return !v.is_undefined(); }},
    {"undefined", [](const Value& v, const Value&, Budget&) { return v.is_undefined(); }},
    {"filter", [](const Value& v, const Value&, Budget&) { return v.is_string() && is_filter(v.text()); }},
    {"test", [](const Value& v, const Value&, Budget&) { return v.is_string() && is_test(v.text()); }},
    {"none", [](const Value& v, const Value&, Budget&) { return v.is_none(); }},
    {"boolean", [](const Value& v, const Value&, Budget&) { return v.is(Kind::boolean); }},
    {"false", [](const Value& v, const Value&, Budget&) { return v.is(Kind::boolean) && !v.as_boolean(); }},
    {"true", [](const Value& v, const Value&, Budget&) { return v.is(Kind::boolean) && v.as_boolean(); }},
    {"integer", [](const Value& v, const Value&, Budget&) { return v.is(Kind::integer); }},
    {"float", [](const Value& v, const Value&, Budget&) { return v.is(Kind::floating); }},
    {"lower", [](const Value& v, const Value&, Budget& b) { return is_lower_case(to_text(v, b)); }},
    {"upper", [](const Value& v, const Value&, Budget& b) { return is_upper_case(to_text(v, b)); }},
    {"string", [](const Value& v, const Value&, Budget&) { return v.is_string(); }},
    {"mapping", [](const Value& v, const Value&, Budget&) { return v.is(Kind::dict); }},
    {"number", [](const Value& v, const Value&, Budget&) { return v.is_number(); }},
    {"sequence", [](const Value& v, const Value&, Budget&) { return is_sequence_like(v); }},
    {"iterable", [](const Value& v, const Value&, Budget&) { return is_iterable(v) || v.as<Loop>() != nullptr; }},
    {"callable", [](const Value& v, const Value&, Budget&) { return is_callable(v); }},
    {"sameas", [](const Value& v, const Value& other, Budget&) { return v.same_as(other); }, true},
    {"escaped", [](const Value& v, const Value&, Budget&) { return v.is_string() && v.as_string().safe; }},
    {"in", [](const Value& v, const Value& in, Budget& b) { return contains(in, v, b); }, true},
    {"==", is_equal, true},
    {"eq", is_equal, true},
    {"equalto", is_equal, true},
    {"!=", [](const Value& a, const Value& b, Budget& budget) { return !is_equal(a, b, budget); }, true},
    {"ne", [](const Value& a, const Value& b, Budget& budget) { return !is_equal(a, b, budget); }, true},
    {">", in_order<Order::greater>, true},
    {"gt", in_order<Order::greater>, true},
    {"greaterthan", in_order<Order::greater>, true},
    {">=", in_order<Order::greater_equal>, true},
    {"ge", in_order<Order::greater_equal>, true},
    {"<", in_order<Order::less>, true},
    {"lt", in_order<Order::less>, true},
    {"lessthan", in_order<Order::less>, true},
    {"<=", in_order<Order::less_equal>, true},
    {"le", in_order<Order::less_equal>, true},
});

const Entry* find_test(std::string_view name) {
  const auto found = std::find_if(kTests.begin(), kTests.end(), [&](const Entry& entry) { return entry.name == name; });
  return found != kTests.end() ? &*found : nullptr;
}

}  // namespace

bool is_test(std::string_view name) {
  return find_test(name) != nullptr;
}

bool apply_test(std::string_view name, const Value& value, const Arguments& arguments, Budget& budget) {
  const Entry* entry = find_test(name);
  if (entry == nullptr) template_error("No test named '{}' found.", name);
  if (!entry->takes_other) {
    Parameters::positional(arguments, name, 0);
    return entry->test(value, {}, budget);
  }
  if (name == "divisibleby") return entry->test(value, Parameters(arguments, name, {"num"}, 1).at(0), budget);
  if (name == "sameas") return entry->test(value, Parameters(arguments, name, {"other"}, 1).at(0), budget);
  if (name == "in") return entry->test(value, Parameters(arguments, name, {"seq"}, 1).at(0), budget);
  return entry->test(value, Parameters::positional(arguments, name, 1, 1).at(0), budget);
}

}  // namespace laconic::text::jinja
