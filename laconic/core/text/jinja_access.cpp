#include "laconic/core/text/jinja_access.h"

#include <algorithm>
#include <array>

#include "laconic/core/text/jinja_error.h"
#include "laconic/core/text/jinja_interpreter.h"
#include "laconic/core/text/jinja_iterate.h"
#include "laconic/core/text/jinja_loop.h"
#include "laconic/core/text/jinja_macro.h"
#include "laconic/core/text/jinja_print.h"

namespace laconic::text::jinja {

namespace {

template <size_t N>
bool one_of(std::string_view name, const std::array<std::string_view, N>& names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// Methods that change the value: the sandbox hands out something undefined instead.
bool is_mutator(const Value& value, std::string_view name) {
  static constexpr std::array<std::string_view, 8> kList = {"append", "clear",  "extend",  "insert",
                                                            "pop",    "remove", "reverse", "sort"};
  static constexpr std::array<std::string_view, 5> kDict = {"clear", "pop", "popitem", "setdefault", "update"};
  if (value.is_sequence(Flavor::list)) return one_of(name, kList);
  return value.is(Kind::dict) && one_of(name, kDict);
}

// Attributes that Python has and this engine has not.
bool is_missing_attribute(const Value& value, std::string_view name) {
  static constexpr std::array<std::string_view, 5> kText = {"encode", "format_map", "isidentifier", "maketrans",
                                                            "translate"};
  static constexpr std::array<std::string_view, 14> kNumber = {
      "as_integer_ratio", "bit_count", "bit_length", "conjugate", "denominator", "from_bytes", "fromhex", "hex", "imag",
      "is_integer",       "numerator", "real",       "to_bytes",  "__round__"};
  static constexpr std::array<std::string_view, 3> kView = {"isdisjoint", "mapping", "fromkeys"};
  if (value.is_string()) return one_of(name, kText);
  if (value.is_number()) return one_of(name, kNumber);
  return (value.is(Kind::sequence) || value.is(Kind::dict)) && one_of(name, kView);
}

// str methods of a text that is marked safe give texts that are.
Value mark_safe(const Value& value) {
  if (value.is_string()) return Value::string(value.text(), true);
  if (!value.is(Kind::sequence)) return value;
  List items;
  for (const Value& item : value.items()) items.push_back(mark_safe(item));
  return Value::sequence(value.as_sequence().flavor, std::move(items));
}

Value bound(const Value& self, std::string_view name, Method method) {
  auto body = [self, method](Interpreter& interpreter, const Arguments& arguments) {
    interpreter.budget().spend(self.is_string() ? self.weight() : 1);
    const Value result = method(self, arguments, interpreter.budget());
    return self.is_string() && self.as_string().safe ? mark_safe(result) : result;
  };
  return Value::object(std::make_shared<Function>(std::string(name), std::move(body), self.depth() + 1));
}

std::optional<Value> object_attribute(const Value& value, std::string_view name) {
  if (const auto* fields = value.as<Namespace>()) {
    const Value* field = fields->fields.find(name);
    return field != nullptr ? std::optional(*field) : std::nullopt;
  }
  if (value.as<Loop>() != nullptr) return loop_attribute(value, name);
  if (const auto* macro = value.as<Macro>()) return macro->attribute(name);
  if (const auto* range = value.as<Range>()) {
    if (name == "start") return Value::integer(range->start);
    if (name == "stop") return Value::integer(range->stop);
    if (name == "step") return Value::integer(range->step);
    if (name == "count" || name == "index") not_supported("range.{}", name);
  }
  return std::nullopt;
}

Value missing(const Value& value, const Value& key) {
  if (key.is_string()) {
    const std::string type = value.is(Kind::object) && value.as<Namespace>() != nullptr
                                 ? "jinja2.utils.Namespace object"
                                 : described_type(value);
    return Value::undefined(fmt::format("'{}' has no attribute '{}'", type, key.text()));
  }
  // Only plain keys are worth showing.
  const std::string shown = key.is(Kind::integer)    ? fmt::format("{}", key.as_integer())
                            : key.is(Kind::floating) ? float_repr(key.as_floating())
                                                     : "of type " + type_name(key);
  return Value::undefined(fmt::format("{} has no element {}", described_type(value), shown));
}

}  // namespace

std::optional<Value> find_attribute(const Value& value, std::string_view name) {
  if (value.is_undefined()) template_error("{}", value.undefined_message());
  if (value.is(Kind::object)) {
    auto found = object_attribute(value, name);
    if (found || value.as<Namespace>() != nullptr) return found;
  } else {
    const Method method = value.is_string() ? find_string_method(name) : find_container_method(value, name);
    if (method != nullptr) return bound(value, name, method);
    if (is_missing_attribute(value, name)) not_supported("{}.{}", type_name(value), name);
    if (value.is_sequence(Flavor::group) && name == "grouper") return value.items()[0];
    if (value.is_sequence(Flavor::group) && name == "list") return value.items()[1];
  }
  if (is_mutator(value, name) || (name.starts_with("__") && name.ends_with("__"))) {
    return Value::undefined(fmt::format("access to attribute '{}' of '{}' object is unsafe.", name, type_name(value)));
  }
  return std::nullopt;
}

Value get_attribute(const Value& value, std::string_view name) {
  if (auto found = find_attribute(value, name)) return *found;
  if (value.is(Kind::dict)) {
    if (const Value* item = value.as_dict().find(name)) return *item;
  }
  return missing(value, Value::string(std::string(name)));
}

Value get_item(const Value& value, const Value& key) {
  if (value.is_undefined()) template_error("{}", value.undefined_message());
  if (value.is(Kind::dict)) {
    const bool unhashable = key.is(Kind::dict) || (key.is(Kind::sequence) && !key.is_tuple());
    const Value* item = unhashable ? nullptr : value.as_dict().find(key);
    if (item != nullptr) return *item;
  } else if (auto item = element(value, key)) {
    return *item;
  }
  if (key.is_string()) {
    if (auto found = find_attribute(value, key.text())) return *found;
  }
  return missing(value, key);
}

}  // namespace laconic::text::jinja
