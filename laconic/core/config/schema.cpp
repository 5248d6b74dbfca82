#include <fmt/format.h>

#include "laconic/core/config/reference.h"

namespace laconic::config {
namespace {

void add_bounds(Json& node, const FieldInfo& info, const TypeInfo& type) {
  const auto bound = [&](double value) -> Json {
    // 1 rather than 1.0 for integers, as a person would write it.
    if (type.element == Element::integer && value >= -0x1p53 && value <= 0x1p53) return static_cast<int64_t>(value);
    return value;
  };
  if (info.min) node[info.exclusive_min ? "exclusiveMinimum" : "minimum"] = bound(*info.min);
  if (info.max) node[info.exclusive_max ? "exclusiveMaximum" : "maximum"] = bound(*info.max);
}

std::string note(const Description& node) {
  std::string text = node.help;
  if (!node.info.unit.empty()) text += fmt::format("{}({})", text.empty() ? "" : " ", node.info.unit);
  if (!node.condition.empty()) text += fmt::format("{}only with {}", text.empty() ? "" : "; ", node.condition);
  return text;
}

Json field_schema(const Description& field) {
  Json node;
  if (const auto text = note(field); !text.empty()) node["description"] = text;
  if (!field.choices.empty()) {
    node["enum"] = field.choices;
  } else {
    const char* names[] = {"boolean", "integer", "number", "string"};
    Json element;
    element["type"] = names[static_cast<int>(field.type.element)];
    if (field.type.nullable) element["type"] = Json::array({element["type"], "null"});
    add_bounds(element, field.info, field.type);
    if (field.type.shape == Shape::list) {
      node["type"] = "array";
      node["items"] = element;
    } else if (field.type.shape == Shape::map) {
      node["type"] = "object";
      node["additionalProperties"] = element;
    } else {
      node.update(element);
    }
  }
  node["default"] = field.default_value;
  return node;
}

Json section_schema(const Description& section);

Json list_schema(const Description& list) {
  Description item = list;
  item.is_list = false;
  item.help.clear();
  item.condition.clear();
  Json node;
  if (const auto text = note(list); !text.empty()) node["description"] = text;
  node["type"] = "array";
  node["items"] = section_schema(item);
  return node;
}

Json section_schema(const Description& section) {
  if (section.is_list) return list_schema(section);
  Json node;
  if (const auto text = note(section); !text.empty()) node["description"] = text;
  // A section with all of its keys commented out is null.
  node["type"] = section.name.empty() ? Json("object") : Json::array({"object", "null"});
  node["properties"] = Json::object();
  for (const auto& child : section.children)
    node["properties"][child.name] = child.is_section ? section_schema(child) : field_schema(child);
  node["additionalProperties"] = false;
  return node;
}

}  // namespace

Json schema(const Description& all, const std::string& title) {
  Json node;
  node["$schema"] = "https://json-schema.org/draft/2020-12/schema";
  node["title"] = title;
  node.update(section_schema(all));
  return node;
}

}  // namespace laconic::config
