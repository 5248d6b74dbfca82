// Filters that give a generator: nothing happens before it is read, and it can be read once.
#include <algorithm>
#include <array>
#include <memory>

#include "laconic/core/text/jinja_attribute_path.h"
#include "laconic/core/text/jinja_error.h"
#include "laconic/core/text/jinja_filters.h"
#include "laconic/core/text/jinja_interpreter.h"
#include "laconic/core/text/jinja_iterate.h"
#include "laconic/core/text/jinja_tests.h"
#include "laconic/core/text/jinja_text.h"

namespace laconic::text::jinja {

namespace {

Value generator(Interpreter& interpreter, Next next, int nesting) {
  auto guarded = [&interpreter, next = std::move(next)]() -> std::optional<Value> {
    const Budget::Level level(interpreter.budget());
    interpreter.budget().spend(1);
    return next();
  };
  return Value::object(std::make_shared<Generator>(std::move(guarded), nesting + 1));
}

int nesting_of(const Value& input, const Arguments& arguments) {
  int depth = input.depth();
  for (const Value& value : arguments.positional) depth = std::max(depth, value.depth());
  for (const auto& [name, value] : arguments.named) depth = std::max(depth, value.depth());
  return depth;
}

// A source that begins when it is first asked: what cannot be iterated fails there and not before. What counts as false
// has no items.
Next late(const Value& input) {
  return [input, source = std::shared_ptr<Next>()]() mutable -> std::optional<Value> {
    if (!truthy(input)) return std::nullopt;
    if (!source) source = std::make_shared<Next>(iterate(input));
    return (*source)();
  };
}

using Change = std::function<Value(const Value&)>;
using Question = std::function<bool(const Value&)>;

// What map applies to each item.
Change make_change(Interpreter& interpreter, const Arguments& arguments) {
  const auto named = [&](std::string_view name) {
    return std::find_if(arguments.named.begin(), arguments.named.end(), [&](const auto& n) { return n.first == name; });
  };
  const auto attribute = named("attribute");
  if (arguments.positional.empty() && attribute != arguments.named.end()) {
    for (const auto& [name, value] : arguments.named) {
      if (name != "attribute" && name != "default") template_error("Unexpected keyword argument '{}'", name);
    }
    const auto given = named("default");
    const bool has_default = given != arguments.named.end() && !given->second.is_none();
    const auto otherwise = has_default ? std::optional(given->second) : std::nullopt;
    return [path = AttributePath(attribute->second), otherwise](const Value& item) {
      return path.of(item, otherwise, false);
    };
  }
  if (arguments.positional.empty()) template_error("map requires a filter argument");
  if (!arguments.positional[0].is_string()) template_error("map requires the name of a filter");
  Arguments rest = arguments;
  rest.positional.erase(rest.positional.begin());
  return [&interpreter, name = arguments.positional[0].text(), rest](const Value& item) {
    return interpreter.call_filter(name, item, rest);
  };
}

Value map(Interpreter& interpreter, const Value& input, const Arguments& arguments) {
  auto next = [&interpreter, source = late(input), arguments, change = Change()]() mutable -> std::optional<Value> {
    auto item = source();
    if (!item) return std::nullopt;
    if (!change) change = make_change(interpreter, arguments);
    return change(*item);
  };
  return generator(interpreter, std::move(next), nesting_of(input, arguments));
}

// What select and its kin ask of each item: the test named in the arguments, else whether it is true.
Question make_question(Interpreter& interpreter, Arguments arguments, bool by_attribute) {
  std::optional<AttributePath> path;
  if (by_attribute) {
    if (arguments.positional.empty()) template_error("Missing parameter for attribute name");
    path.emplace(arguments.positional[0]);
    arguments.positional.erase(arguments.positional.begin());
  }
  const auto subject = [path](const Value& item) { return path ? path->of(item, std::nullopt, false) : item; };
  if (arguments.positional.empty()) return [subject](const Value& item) { return truthy(subject(item)); };
  if (!arguments.positional[0].is_string()) template_error("the name of a test is missing");
  const std::string name = arguments.positional[0].text();
  arguments.positional.erase(arguments.positional.begin());
  return [&interpreter, subject, name, arguments](const Value& item) {
    return apply_test(name, subject(item), arguments, interpreter.budget());
  };
}

template <bool by_attribute, bool wanted>
Value choose(Interpreter& interpreter, const Value& input, const Arguments& arguments) {
  auto next = [&interpreter, source = late(input), arguments, question = Question()]() mutable -> std::optional<Value> {
    for (auto item = source(); item; item = source()) {
      interpreter.budget().spend(1);
      if (!question) question = make_question(interpreter, arguments, by_attribute);
      if (question(*item) == wanted) return item;
    }
    return std::nullopt;
  };
  return generator(interpreter, std::move(next), nesting_of(input, arguments));
}

Value items(Interpreter& interpreter, const Value& input, const Arguments& arguments) {
  Parameters::positional(arguments, "items", 0);
  auto next = [input, i = size_t{0}]() mutable -> std::optional<Value> {
    if (input.is_undefined()) return std::nullopt;
    if (!input.is(Kind::dict)) template_error("Can only get item pairs from a mapping.");
    if (i >= input.as_dict().size()) return std::nullopt;
    const auto& [key, value] = input.as_dict().entries()[i++];
    return Value::tuple({key, value});
  };
  return generator(interpreter, std::move(next), input.depth());
}

Value unique(Interpreter& interpreter, const Value& input, const Arguments& arguments) {
  const Parameters given(arguments, "unique", {"case_sensitive", "attribute"});
  auto next = [&interpreter, source = Next(), input, path = AttributePath(given.value(1, Value::none())),
               ignore_case = !given.flag(0, false), seen = Dict()]() mutable -> std::optional<Value> {
    if (!source) source = iterate(input);
    for (auto item = source(); item; item = source()) {
      Value key = path.of(*item, std::nullopt, ignore_case);
      interpreter.budget().spend(key.weight());
      if (seen.find(key) != nullptr) continue;
      seen.set(std::move(key), Value::none());
      return item;
    }
    return std::nullopt;
  };
  return generator(interpreter, std::move(next), nesting_of(input, arguments));
}

Value reverse(Interpreter& interpreter, const Value& input, const Arguments& arguments) {
  Parameters::positional(arguments, "reverse", 0);
  if (input.is_string()) return slice(input, Value::none(), Value::none(), Value::integer(-1), interpreter.budget());
  if (!is_iterable(input)) template_error("argument must be iterable");
  List all = to_list(input, interpreter.budget());
  std::reverse(all.begin(), all.end());
  if (input.as<Generator>() != nullptr) return Value::list(std::move(all));
  return generator(interpreter, iterate(Value::list(std::move(all))), input.depth() + 1);
}

Value batch(Interpreter& interpreter, const Value& input, const Arguments& arguments) {
  const Parameters given(arguments, "batch", {"linecount", "fill_with"}, 1);
  const int64_t size = given.integer(0, 1);
  const Value fill = given.value(1, Value::none());
  auto next = [&interpreter, source = Next(), input, size, fill, first = std::optional<Value>(),
               started = false]() mutable -> std::optional<Value> {
    if (!started) {
      source = iterate(input);
      first = source();
      started = true;
    }
    if (!first) return std::nullopt;
    List row{std::move(*first)};
    first = source();
    while (first && static_cast<int64_t>(row.size()) != size) {
      interpreter.budget().spend(1);
      row.push_back(std::move(*first));
      first = source();
    }
    if (!fill.is_none()) {
      interpreter.budget().spend(static_cast<uint64_t>(std::max<int64_t>(size, 0)));
      while (static_cast<int64_t>(row.size()) < size) row.push_back(fill);
    }
    return Value::list(std::move(row));
  };
  return generator(interpreter, std::move(next), nesting_of(input, arguments) + 1);
}

struct Entry {
  std::string_view name;
  Filter filter;
};

constexpr std::array kFilters = std::to_array<Entry>({
    {"batch", batch},
    {"items", items},
    {"map", map},
    {"reject", choose<false, false>},
    {"rejectattr", choose<true, false>},
    {"reverse", reverse},
    {"select", choose<false, true>},
    {"selectattr", choose<true, true>},
    {"unique", unique},
});

}  // namespace

Filter find_lazy_filter(std::string_view name) {
  const auto found = std::find_if(kFilters.begin(), kFilters.end(), [&](const Entry& e) { return e.name == name; });
  return found != kFilters.end() ? found->filter : nullptr;
}

}  // namespace laconic::text::jinja
