#include "laconic/core/config/field_ref.h"

#include <fmt/format.h>

#include <limits>

namespace laconic::config {
namespace {

template <typename T>
struct Unwrap {
  using type = T;
  static constexpr Shape shape = Shape::single;
  static constexpr bool nullable = false;
};
template <typename T>
struct Unwrap<std::optional<T>> : Unwrap<T> {
  static constexpr bool nullable = true;
};
template <typename T>
struct Unwrap<std::vector<T>> : Unwrap<T> {
  static constexpr Shape shape = Shape::list;
};
template <typename T>
struct Unwrap<std::map<std::string, T>> : Unwrap<T> {
  static constexpr Shape shape = Shape::map;
};

template <typename T>
constexpr Element element_of() {
  if constexpr (std::is_same_v<T, bool>)
    return Element::boolean;
  else if constexpr (std::is_integral_v<T>)
    return Element::integer;
  else if constexpr (std::is_floating_point_v<T>)
    return Element::number;
  else
    return Element::string;
}

std::string element_name(Element element, bool plural) {
  const char* names[] = {"boolean", "whole number", "number", "string"};
  return std::string(names[static_cast<int>(element)]) + (plural ? "s" : "");
}

std::string element_phrase(Element element) {
  const char* phrases[] = {"true or false", "a whole number", "a number", "a string"};
  return phrases[static_cast<int>(element)];
}

std::string bounds_and_unit(const FieldInfo& info) {
  std::string text;
  if (const auto range = range_text(info); !range.empty()) text += " " + range;
  if (!info.unit.empty()) text += fmt::format(" ({})", info.unit);
  return text;
}

}  // namespace

TypeInfo type_of(const FieldRef& field) {
  return std::visit(
      []<typename T>(T*) {
        using Inner = typename Unwrap<T>::type;
        TypeInfo type{element_of<Inner>(), Unwrap<T>::shape, Unwrap<T>::nullable};
        if constexpr (std::is_integral_v<Inner> && !std::is_same_v<Inner, bool>) {
          using Limits = std::numeric_limits<Inner>;
          type.default_bounds = fmt::format("between {} and {}", Limits::min(), Limits::max());
        }
        return type;
      },
      field);
}

std::string type_name(const TypeInfo& type) {
  std::string name = element_name(type.element, type.shape == Shape::list);
  if (type.shape == Shape::list) name = "list of " + name;
  if (type.shape == Shape::map) name = "map from name to " + name;
  return name;
}

std::string range_text(const FieldInfo& info) {
  if (info.min && info.max) {
    return fmt::format("in {}{}, {}{}", info.exclusive_min ? '(' : '[', *info.min, *info.max,
                       info.exclusive_max ? ')' : ']');
  }
  if (info.min) return fmt::format("{} {}", info.exclusive_min ? ">" : ">=", *info.min);
  if (info.max) return fmt::format("{} {}", info.exclusive_max ? "<" : "<=", *info.max);
  return "";
}

std::string expected_element_text(const TypeInfo& type, const FieldInfo& info) {
  return element_phrase(type.element) + bounds_and_unit(info);
}

std::string expected_text(const TypeInfo& type, const FieldInfo& info) {
  std::string text;
  if (type.shape == Shape::single) {
    text = expected_element_text(type, info);
  } else if (type.shape == Shape::list) {
    text = fmt::format("a list of {}{}", element_name(type.element, true), bounds_and_unit(info));
  } else {
    text = fmt::format("a mapping from names to {}{}", element_name(type.element, true), bounds_and_unit(info));
  }
  return type.nullable ? "null or " + text : text;
}

bool in_range(double value, const FieldInfo& info) {
  if (info.min && (info.exclusive_min ? value <= *info.min : value < *info.min)) return false;
  if (info.max && (info.exclusive_max ? value >= *info.max : value > *info.max)) return false;
  return true;
}

Json value_of(const FieldRef& field) {
  return std::visit(
      []<typename T>(T* value) -> Json {
        if constexpr (Unwrap<T>::nullable) {
          if (!*value) return nullptr;
          return **value;
        } else if constexpr (Unwrap<T>::shape == Shape::map) {
          Json map = Json::object();  // an empty std::map must not become null
          for (const auto& [name, item] : *value) map[name] = item;
          return map;
        } else if constexpr (Unwrap<T>::shape == Shape::list) {
          Json list = Json::array();
          for (const auto& item : *value) list.push_back(item);
          return list;
        } else {
          return *value;
        }
      },
      field);
}

}  // namespace laconic::config
