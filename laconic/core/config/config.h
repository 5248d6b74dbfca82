// Configurations: read from YAML, JSON and the command line, written out, explained and documented. A configuration is
// any struct with `void visit(config::Visitor&)` (visitor.h); every function here works on any of them.
//
// Errors are laconic::Error of kind usage. Reading looks at everything before it throws: the message has a line per
// problem, `file:line:column: dotted.key: what was expected, what was found`, and for unknown names the nearest known
// one.
//
// What YAML may hold stands in yaml_source.h, how numbers and booleans are written in scalar.h, overrides in
// overrides.h. Beyond that:
//   - what a file leaves out keeps the value that the struct has; lists and maps of the file replace, they never merge;
//   - null makes an optional field or section absent, is an empty section, and is an error for any other field;
//   - a string field takes unquoted text as it stands (2024, yes, 007), but not null; JSON must have a string there.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "laconic/core/config/visitor.h"

namespace laconic::config {

using Visit = std::function<void(Visitor&)>;

// The functions behind the templates below, for structs that are known only by their visit.
namespace untyped {
void read_from_file(const std::filesystem::path& path, const std::vector<std::string>& overrides, const Visit& visit);
void read_from_yaml(std::string_view text, const std::string& source, const std::vector<std::string>& overrides,
                    const Visit& visit);
void read_from_json(const Json& json, const std::string& key, const Visit& visit);
Json dump_json(const Visit& visit);
std::string explain(const Visit& visit, const std::string& key);
std::string markdown(const Visit& visit, const std::string& title);
Json json_schema(const Visit& visit, const std::string& title);
}  // namespace untyped

// Reads a YAML file and lays `--section.key=value` overrides over it. When it throws, the target is partly changed.
template <typename T>
void read_from_file(const std::filesystem::path& path, const std::vector<std::string>& overrides, T& target) {
  untyped::read_from_file(path, overrides, [&](Visitor& v) { target.visit(v); });
}

// The same for a text; `source` names it in messages. The text may be "{}" where all values come from overrides.
template <typename T>
void read_from_yaml(std::string_view text, const std::string& source, const std::vector<std::string>& overrides,
                    T& target) {
  untyped::read_from_yaml(text, source, overrides, [&](Visitor& v) { target.visit(v); });
}

// Reads a JSON object; `key` is the dotted key that it stands for in messages ("objective").
template <typename T>
void read_from_json(const Json& json, T& target, const std::string& key = "") {
  untyped::read_from_json(json, key, [&](Visitor& v) { target.visit(v); });
}

// The effective configuration, which reads back to the same values: every field that exists with the values of the
// others, defaults and presets spelled out.
template <typename T>
Json dump_json(const T& config) {
  T copy = config;  // visit is not const, since a reader writes through it
  return untyped::dump_json([&](Visitor& v) { copy.visit(v); });
}
std::string yaml_from(const Json& mapping);
template <typename T>
std::string dump_yaml(const T& config) {
  return yaml_from(dump_json(config));
}

// Text for the terminal: type, range, unit, choices, default and help of a field, of all fields of a section, or of
// everything (""). The defaults are the values of `config`, which usually is T().
template <typename T>
std::string explain(const T& config, const std::string& key = "") {
  T copy = config;
  return untyped::explain([&](Visitor& v) { copy.visit(v); }, key);
}

// The reference page of the documentation.
template <typename T>
std::string markdown(const T& config, const std::string& title) {
  T copy = config;
  return untyped::markdown([&](Visitor& v) { copy.visit(v); }, title);
}

// JSON Schema, draft 2020-12, for editors.
template <typename T>
Json json_schema(const T& config, const std::string& title) {
  T copy = config;
  return untyped::json_schema([&](Visitor& v) { copy.visit(v); }, title);
}

}  // namespace laconic::config
