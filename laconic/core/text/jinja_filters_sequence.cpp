// Filters that read a whole sequence.
#include <algorithm>
#include <array>

#include "laconic/core/base/strings.h"
#include "laconic/core/text/jinja_attribute_path.h"
#include "laconic/core/text/jinja_case.h"
#include "laconic/core/text/jinja_compare.h"
#include "laconic/core/text/jinja_error.h"
#include "laconic/core/text/jinja_filters.h"
#include "laconic/core/text/jinja_interpreter.h"
#include "laconic/core/text/jinja_iterate.h"
#include "laconic/core/text/jinja_operators.h"
#include "laconic/core/text/jinja_print.h"
#include "laconic/core/text/jinja_text.h"

namespace laconic::text::jinja {

namespace {

// Sorts items by their keys, equal keys in their order; `reverse` keeps that order, too.
List sorted_by(List items, const List& keys, bool reverse, Budget& budget) {
  size_t weight = 1;
  for (const Value& key : keys) weight += std::min<size_t>(key.weight(), 1000);
  uint64_t rounds = 1;
  for (size_t n = items.size(); n > 1; n /= 2) ++rounds;
  budget.spend(weight * rounds / 4);
  std::vector<size_t> order(items.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return ordered(keys[reverse ? b : a], Order::less, keys[reverse ? a : b]);
  });
  List out;
  out.reserve(items.size());
  for (const size_t i : order) out.push_back(std::move(items[i]));
  return out;
}

Value length(Interpreter&, const Value& input, const Arguments& arguments) {
  Parameters::positional(arguments, "length", 0);
  const auto size = length_of(input);
  if (!size) template_error("object of type '{}' has no len()", type_name(input));
  return Value::integer(*size);
}

Value list(Interpreter& interpreter, const Value& input, const Arguments& arguments) {
  Parameters::positional(arguments, "list", 0);
  return Value::list(to_list(input, interpreter.budget()));
}

Value join(Interpreter& interpreter, const Value& input, const Arguments& arguments) {
  const Parameters given(arguments, "join", {"d", "attribute"});
  Budget& budget = interpreter.budget();
  const AttributePath path(given.value(1, Value::none()));
  const std::string separator = given.get(0) != nullptr ? to_text(*given.get(0), budget) : "";
  Output out(budget);
  bool first = true;
  const Next next = iterate(input);
  while (auto item = next()) {
    if (!first) out.write(separator);
    first = false;
    out.write(to_text(path.of(std::move(*item), std::nullopt, false), budget));
  }
  return Value::string(out.take());
}

Value first(Interpreter&, const Value& input, const Arguments& arguments) {
  Parameters::positional(arguments, "first", 0);
  auto item = iterate(input)();
  return item ? *item : Value::undefined("No first item, sequence was empty.");
}

Value last(Interpreter& interpreter, const Value& input, const Arguments& arguments) {
  Parameters::positional(arguments, "last", 0);
  const bool reversible = length_of(input).has_value();
  if (!reversible) template_error("'{}' object is not reversible", type_name(input));
  if (input.is_string() || input.is(Kind::dict) || input.is(Kind::object)) {
    const List items = to_list(input, interpreter.budget());
    return items.empty() ? Value::undefined("No last item, sequence was empty.") : items.back();
  }
  const bool empty = input.is_undefined() || input.items().empty();
  return empty ? Value::undefined("No last item, sequence was empty.") : input.items().back();
}

Value sort(Interpreter& interpreter, const Value& input, const Arguments& arguments) {
  const Parameters given(arguments, "sort", {"reverse", "case_sensitive", "attribute"});
  const bool ignore_case = !given.flag(1, false);
  const Value attribute = given.value(2, Value::none());
  std::vector<AttributePath> paths;
  if (attribute.is_string()) {
    for (const auto& part : laconic::split(attribute.text(), ',')) paths.emplace_back(Value::string(part));
  } else {
    paths.emplace_back(attribute);
  }
  List items = to_list(input, interpreter.budget());
  List keys;
  for (const Value& item : items) {
    List parts;
    for (const auto& path : paths) parts.push_back(path.of(item, std::nullopt, ignore_case));
    interpreter.budget().spend(parts.size());
    keys.push_back(Value::list(std::move(parts)));
  }
  return Value::list(sorted_by(std::move(items), keys, given.integer(0, 0) != 0, interpreter.budget()));
}

Value dict_sort(Interpreter& interpreter, const Value& input, const Arguments& arguments) {
  const Parameters given(arguments, "dictsort", {"case_sensitive", "by", "reverse"});
  const std::string by = given.get(1) != nullptr ? given.text(1) : "key";
  if (by != "key" && by != "value") template_error("You can only sort by either \"key\" or \"value\"");
  if (!input.is(Kind::dict)) template_error("dictsort wants a dict, not '{}'", type_name(input));
  List items;
  List keys;
  const AttributePath itself{Value::none()};
  for (const auto& [key, value] : input.as_dict().entries()) {
    items.push_back(Value::tuple({key, value}));
    keys.push_back(itself.of(by == "key" ? key : value, std::nullopt, !given.flag(0, false)));
  }
  return Value::list(sorted_by(std::move(items), keys, given.integer(2, 0) != 0, interpreter.budget()));
}

Value group_by(Interpreter& interpreter, const Value& input, const Arguments& arguments) {
  const Parameters given(arguments, "groupby", {"attribute", "default", "case_sensitive"}, 1);
  const AttributePath path(given.at(0));
  const bool has_default = given.get(1) != nullptr && !given.get(1)->is_none();
  const auto otherwise = has_default ? std::optional(*given.get(1)) : std::nullopt;
  const bool ignore_case = !given.flag(2, false);
  List items = to_list(input, interpreter.budget());
  List keys;
  for (const Value& item : items) keys.push_back(path.of(item, otherwise, ignore_case));
  items = sorted_by(std::move(items), keys, false, interpreter.budget());
  List groups;
  for (size_t i = 0; i < items.size();) {
    const Value key = path.of(items[i], otherwise, ignore_case);
    const Value shown = path.of(items[i], otherwise, false);
    List members;
    while (i < items.size() && equal(path.of(items[i], otherwise, ignore_case), key)) members.push_back(items[i++]);
    groups.push_back(Value::sequence(Flavor::group, {shown, Value::list(std::move(members))}));
  }
  return Value::list(std::move(groups));
}

Value sum(Interpreter& interpreter, const Value& input, const Arguments& arguments) {
  const Parameters given(arguments, "sum", {"attribute", "start"});
  const AttributePath path(given.value(0, Value::none()));
  Value total = given.value(1, Value::integer(0));
  if (total.is_string()) template_error("sum() can't sum strings [use ''.join(seq) instead]");
  const Next next = iterate(input);
  while (auto item = next()) {
    interpreter.budget().spend(1);
    total = operate(total, Operator::add, path.of(std::move(*item), std::nullopt, false), interpreter.budget());
  }
  return total;
}

template <Order better>
Value extreme(Interpreter& interpreter, const Value& input, const Arguments& arguments) {
  const Parameters given(arguments, better == Order::less ? "min" : "max", {"case_sensitive", "attribute"});
  const AttributePath path(given.value(1, Value::none()));
  const bool ignore_case = !given.flag(0, false);
  const List items = to_list(input, interpreter.budget());
  if (items.empty()) return Value::undefined("No aggregated item, sequence was empty.");
  size_t best = 0;
  Value best_key = path.of(items[0], std::nullopt, ignore_case);
  for (size_t i = 1; i < items.size(); ++i) {
    Value key = path.of(items[i], std::nullopt, ignore_case);
    interpreter.budget().spend(1 + std::min(key.weight(), best_key.weight()) / 4);
    if (!ordered(key, better, best_key)) continue;
    best = i;
    best_key = std::move(key);
  }
  return items[best];
}

struct Entry {
  std::string_view name;
  Filter filter;
};

constexpr std::array kFilters = std::to_array<Entry>({
    {"count", length},
    {"dictsort", dict_sort},
    {"first", first},
    {"groupby", group_by},
    {"join", join},
    {"last", last},
    {"length", length},
    {"list", list},
    {"max", extreme<Order::greater>},
    {"min", extreme<Order::less>},
    {"sort", sort},
    {"sum", sum},
});

}  // namespace

Filter find_sequence_filter(std::string_view name) {
  const auto found = std::find_if(kFilters.begin(), kFilters.end(), [&](const Entry& e) { return e.name == name; });
  return found != kFilters.end() ? found->filter : nullptr;
}

}  // namespace laconic::text::jinja
