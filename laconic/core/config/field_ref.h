// What a field of a configuration can be, and what a reader of the documentation needs to know about it.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

namespace laconic::config {

using Json = nlohmann::ordered_json;

// The description of a field. The bounds hold for every number in it: the value, each item of a list, each value of a
// map. Numbers are finite without saying so.
struct FieldInfo {
  std::string help = {};
  std::optional<double> min = std::nullopt;
  std::optional<double> max = std::nullopt;
  bool exclusive_min = false;
  bool exclusive_max = false;
  std::string unit = {};
};

struct ChoiceInfo {
  std::string help = {};
};

// A field of a struct, by its type. The pointer is valid only during the call that hands it over.
using FieldRef =
    std::variant<bool*, int*, int64_t*, uint64_t*, double*, std::string*, std::optional<double>*,
                 std::optional<int64_t>*, std::optional<std::string>*, std::vector<std::string>*, std::vector<double>*,
                 std::vector<int64_t>*, std::map<std::string, double>*, std::map<std::string, std::string>*>;

template <typename T, typename Variant>
struct IsAlternative;
template <typename T, typename... Ts>
struct IsAlternative<T, std::variant<Ts...>> : std::bool_constant<(std::is_same_v<T, Ts> || ...)> {};

template <typename T>
concept FieldType = IsAlternative<T*, FieldRef>::value;

// The same without the C++ type.
enum class Element { boolean, integer, number, string };
enum class Shape { single, list, map };
struct TypeInfo {
  Element element = Element::string;
  Shape shape = Shape::single;
  bool nullable = false;            // null means absent
  std::string default_bounds = {};  // of integers: what the C++ type can hold
};

TypeInfo type_of(const FieldRef& field);

// "whole number", "list of strings", "map from name to number"; whether it may be null is left out.
std::string type_name(const TypeInfo& type);

// "> 0", "in [0, 1)", or "" without bounds.
std::string range_text(const FieldInfo& info);

// A noun phrase for error messages: "a whole number >= 1 (tokens)", "null or a number in (0, 1]".
std::string expected_text(const TypeInfo& type, const FieldInfo& info);
// The same for one item of a list or one value of a map.
std::string expected_element_text(const TypeInfo& type, const FieldInfo& info);

bool in_range(double value, const FieldInfo& info);

// The value as JSON: an absent optional is null; a non-finite number stays one.
Json value_of(const FieldRef& field);

}  // namespace laconic::config
