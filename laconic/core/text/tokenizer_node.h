// A value inside a tokenizer's JSON files together with its place, so that every complaint names file and key.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace laconic::text {

class Node {
 public:
  // `value` must outlive the node; `where` is "file: key.path".
  Node(const nlohmann::json& value, std::string where) : value_(&value), where_(std::move(where)) {}

  const nlohmann::json& value() const { return *value_; }
  const std::string& where() const { return where_; }
  bool is_null() const;
  bool is_string() const;

  // Members of an object. Absent or null members: child() is an Error, the others return what is stated.
  bool has(const std::string& key) const;  // present and not null
  Node child(const std::string& key) const;
  std::string text(const std::string& key) const;
  std::optional<std::string> optional_text(const std::string& key) const;
  bool flag(const std::string& key, bool otherwise) const;
  int64_t integer(const std::string& key) const;
  std::vector<Node> list(const std::string& key) const;

  std::string as_text() const;
  int64_t as_integer() const;

  // Error (unsupported) on any key beyond "type" and these: an option that is not understood must not be ignored.
  void only(std::initializer_list<std::string_view> keys) const;
  [[noreturn]] void unsupported(const std::string& construct) const;
  [[noreturn]] void invalid(const std::string& expected) const;

 private:
  const nlohmann::json* value_;
  std::string where_;
};

}  // namespace laconic::text
