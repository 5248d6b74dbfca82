// What a source holds before it has a meaning: a tree of texts with their places. YAML files, JSON and overrides all
// become this, so that one reader gives them types.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "laconic/core/config/field_ref.h"

namespace laconic::config {

// Where something stands. Lines and columns (in characters) count from 1; 0 = the source as a whole.
struct Place {
  std::string source;  // a file, or an override as it was given; "" = nothing to name
  int line = 0;
  int column = 0;
  int rank = 0;  // 0: the file; overrides from 1 in their order
};

std::string to_string(const Place& place);  // "run.yaml:3:5"
bool stands_before(const Place& a, const Place& b);

enum class ValueKind {
  null,
  scalar,
  list,
  mapping,
  broken,    // an override that is not YAML; still good for a text field, which takes it verbatim
  reported,  // something unusable whose problem is known already: readers pass it by
};

enum class ScalarStyle {
  plain,    // YAML without quotes: may stand for any type
  quoted,   // a string
  literal,  // a number or boolean of JSON: never a string
};

struct Value {
  ValueKind kind = ValueKind::null;
  ScalarStyle style = ScalarStyle::plain;
  std::string text = {};  // of a scalar; of a broken value: what is wrong
  Place place = {};
  std::string key = {};  // under which it stands in a mapping
  Place key_place = {};
  std::vector<Value> children = {};               // of a list or mapping (whose keys differ from each other)
  std::optional<std::string> raw = std::nullopt;  // the text behind the `=` of an override
  bool implied = false;                           // a mapping that stands only in the dotted key of an override

  const Value* find(std::string_view name) const;
  Value* find(std::string_view name);
  // null has no place of its own worth naming: that of its key.
  const Place& named_place() const { return kind == ValueKind::null ? key_place : place; }
};

// "`1.5`", "the string \"8\"", "null", "a list", "a mapping".
std::string found_text(const Value& value);

// Cuts a text for a message at about `limit` bytes, between characters, and makes control characters visible.
std::string shortened(std::string_view text, size_t limit = 60);

// Levels that a value may be nested, so that recursion over it is safe.
inline constexpr int kMaxDepth = 100;

Value value_from_json(const Json& json);

}  // namespace laconic::config
