#include "laconic/core/config/value.h"

#include <fmt/format.h>

#include <tuple>

#include "laconic/core/base/error.h"

namespace laconic::config {
namespace {

Value from_json(const Json& json, int depth) {
  if (depth > kMaxDepth) fail(ErrorKind::usage, "a configuration nested more than {} levels deep", kMaxDepth);
  Value value;
  switch (json.type()) {
    case Json::value_t::null:
    case Json::value_t::discarded:
    case Json::value_t::binary:
      break;
    case Json::value_t::object:
      value.kind = ValueKind::mapping;
      for (const auto& [key, item] : json.items()) {
        value.children.push_back(from_json(item, depth + 1));
        value.children.back().key = key;
      }
      break;
    case Json::value_t::array:
      value.kind = ValueKind::list;
      for (const auto& item : json) value.children.push_back(from_json(item, depth + 1));
      break;
    case Json::value_t::string:
      value.kind = ValueKind::scalar;
      value.style = ScalarStyle::quoted;
      value.text = json.get<std::string>();
      break;
    case Json::value_t::number_float:
      value.kind = ValueKind::scalar;
      value.style = ScalarStyle::literal;
      value.text = fmt::format("{}", json.get<double>());  // unlike dump(), also nan and inf
      break;
    default:
      value.kind = ValueKind::scalar;
      value.style = ScalarStyle::literal;
      value.text = json.dump();
  }
  return value;
}

}  // namespace

std::string to_string(const Place& place) {
  if (place.line == 0) return place.source;
  return fmt::format("{}:{}:{}", place.source, place.line, place.column);
}

bool stands_before(const Place& a, const Place& b) {
  return std::tie(a.rank, a.line, a.column) < std::tie(b.rank, b.line, b.column);
}

const Value* Value::find(std::string_view name) const {
  if (kind != ValueKind::mapping) return nullptr;
  for (const auto& child : children) {
    if (child.key == name) return &child;
  }
  return nullptr;
}

Value* Value::find(std::string_view name) {
  return const_cast<Value*>(std::as_const(*this).find(name));
}

std::string shortened(std::string_view text, size_t limit) {
  std::string result;
  for (const char c : text) {
    const bool starts_character = (static_cast<unsigned char>(c) & 0xC0) != 0x80;
    if (starts_character && result.size() >= limit) return result + "...";
    if (c == '\n')
      result += "\\n";
    else if (c == '\t')
      result += "\\t";
    else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F)
      result += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    else
      result += c;
  }
  return result;
}

std::string found_text(const Value& value) {
  switch (value.kind) {
    case ValueKind::null:
      return "null";
    case ValueKind::list:
      return "a list";
    case ValueKind::mapping:
      return value.implied ? fmt::format("a key below it, `{}`", shortened(value.children.front().key)) : "a mapping";
    case ValueKind::broken:
      return fmt::format("`{}` ({})", shortened(value.raw.value_or("")), value.text);
    case ValueKind::reported:
      return "an unusable value";
    case ValueKind::scalar:
      break;
  }
  if (value.style == ScalarStyle::quoted) return fmt::format("the string \"{}\"", shortened(value.text));
  return fmt::format("`{}`", shortened(value.text));
}

Value value_from_json(const Json& json) {
  return from_json(json, 1);
}

}  // namespace laconic::config
