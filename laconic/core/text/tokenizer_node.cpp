#include "laconic/core/text/tokenizer_node.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "laconic/core/base/error.h"

namespace laconic::text {

bool Node::is_null() const {
  return value_->is_null();
}
bool Node::is_string() const {
  return value_->is_string();
}

bool Node::has(const std::string& key) const {
  if (!value_->is_object()) invalid("an object");
  const auto found = value_->find(key);
  return found != value_->end() && !found->is_null();
}

Node Node::child(const std::string& key) const {
  if (!has(key)) fail(ErrorKind::input, "{}: key `{}` is missing", where_, key);
  const bool top = where_.ends_with(": ");
  return {(*value_)[key], where_ + (top ? "" : ".") + key};
}

std::string Node::text(const std::string& key) const {
  return child(key).as_text();
}

std::optional<std::string> Node::optional_text(const std::string& key) const {
  if (!has(key)) return std::nullopt;
  return text(key);
}

bool Node::flag(const std::string& key, bool otherwise) const {
  if (!has(key)) return otherwise;
  const Node node = child(key);
  if (!node.value().is_boolean()) node.invalid("true or false");
  return node.value().get<bool>();
}

int64_t Node::integer(const std::string& key) const {
  return child(key).as_integer();
}

std::vector<Node> Node::list(const std::string& key) const {
  const Node node = child(key);
  if (!node.value().is_array()) node.invalid("a list");
  std::vector<Node> nodes;
  for (const auto& item : node.value()) nodes.emplace_back(item, fmt::format("{}[{}]", node.where(), nodes.size()));
  return nodes;
}

std::string Node::as_text() const {
  if (!value_->is_string()) invalid("a string");
  return value_->get<std::string>();
}

int64_t Node::as_integer() const {
  if (!value_->is_number_integer()) invalid("an integer");
  return value_->get<int64_t>();
}

void Node::only(std::initializer_list<std::string_view> keys) const {
  for (const auto& [key, ignored] : value_->items()) {
    if (key != "type" && std::find(keys.begin(), keys.end(), key) == keys.end()) unsupported("key `" + key + "`");
  }
}

void Node::unsupported(const std::string& construct) const {
  fail(ErrorKind::unsupported, "{}: {} is not supported", where_, construct);
}

void Node::invalid(const std::string& expected) const {
  const std::string found = value_->dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
  fail(ErrorKind::input, "{}: expected {}, found {}", where_, expected,
       found.size() > 80 ? std::string(value_->type_name()) : found);
}

}  // namespace laconic::text
