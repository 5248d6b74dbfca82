#include "laconic/core/config/overrides.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "laconic/core/base/strings.h"
#include "laconic/core/config/yaml_source.h"

namespace laconic::config {
namespace {

// The mapping under `key` of `parent`, made where there is none; nullptr where something else stands there.
Value* enter(Value& parent, const std::string& key, const Place& place) {
  Value* child = parent.find(key);
  if (child == nullptr) {
    parent.children.emplace_back();
    child = &parent.children.back();
    child->key = key;
    child->key_place = place;
  }
  if (child->kind == ValueKind::null) {
    child->kind = ValueKind::mapping;
    child->implied = true;
    child->place = place;
    child->key_place = place;
  }
  return child->kind == ValueKind::mapping ? child : nullptr;
}

void set(Value& parent, const std::string& key, Value value, const Place& place) {
  value.key = key;
  value.key_place = place;
  if (Value* present = parent.find(key))
    *present = std::move(value);
  else
    parent.children.push_back(std::move(value));
}

void apply(const std::string& text, int rank, Value& root, Problems& problems) {
  Place place;
  place.source = shortened(text, 100);
  place.rank = rank;
  if (const size_t bad = first_invalid_utf8(text); bad != std::string::npos) {
    place.source = shortened(text.substr(0, bad), 100);
    problems.add(place, "",
                 fmt::format("expected UTF-8 text, found the byte 0x{:02X} at offset {}",
                             static_cast<unsigned char>(text[bad]), bad));
    return;
  }
  std::string_view rest = text;
  if (rest.starts_with("--")) rest.remove_prefix(2);
  const size_t equals = rest.find('=');
  if (equals == std::string_view::npos) {
    problems.add(place, "", "expected --section.key=value, found no `=`");
    return;
  }
  const auto path = split(rest.substr(0, equals), '.');
  if (std::any_of(path.begin(), path.end(), [](const std::string& key) { return trim(key).empty(); })) {
    problems.add(place, "", "expected --section.key=value, found an empty name before the `=`");
    return;
  }
  Value* parent = &root;
  for (size_t i = 0; i + 1 < path.size(); ++i) {
    Value* child = enter(*parent, path[i], place);
    if (child == nullptr) {
      const std::string key = join({path.begin(), path.begin() + static_cast<std::ptrdiff_t>(i) + 1}, ".");
      const Value* blocking = parent->find(path[i]);
      const std::string where = to_string(blocking->place);
      problems.add(place, key,
                   fmt::format("nothing can be set below it, it holds {}{}", found_text(*blocking),
                               where.empty() ? "" : " (" + where + ")"));
      return;
    }
    parent = child;
  }
  set(*parent, path.back(), parse_yaml_value(rest.substr(equals + 1), place), place);
}

}  // namespace

void apply_overrides(const std::vector<std::string>& overrides, Value& root, Problems& problems) {
  for (size_t i = 0; i < overrides.size(); ++i) apply(overrides[i], static_cast<int>(i) + 1, root, problems);
}

}  // namespace laconic::config
