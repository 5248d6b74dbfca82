#include "laconic/core/config/reader.h"

#include <fmt/format.h>

#include <algorithm>

#include "laconic/core/base/strings.h"
#include "laconic/core/config/field_reader.h"
#include "laconic/core/config/yaml_text.h"

namespace laconic::config {

Reader::Reader(const Value& root, const std::string& key, Problems& problems) : problems_(problems) {
  source_.source = root.key_place.source;
  push(key, &root);
}

std::string Reader::full_key(std::string_view name) const {
  const std::string& section = scopes_.back().key;
  return section.empty() ? std::string(name) : fmt::format("{}.{}", section, name);
}

const Value* Reader::take(std::string_view name) {
  Scope& scope = scopes_.back();
  LACONIC_CHECK(std::find(scope.names.begin(), scope.names.end(), name) == scope.names.end(), "{} is visited twice",
                full_key(name));
  scope.names.emplace_back(name);
  return scope.mapping == nullptr ? nullptr : scope.mapping->find(name);
}

void Reader::push(const std::string& key, const Value* value) {
  Scope scope;
  scope.key = key;
  scope.place = value == nullptr ? source_ : value->key_place;
  if (value != nullptr && value->kind == ValueKind::mapping) scope.mapping = value;
  scopes_.push_back(std::move(scope));
}

void Reader::visit_field(std::string_view name, const FieldRef& field, const FieldInfo& info) {
  const std::string key = full_key(name);
  Read read;
  if (const Value* value = take(name)) {
    read.given = true;
    read.place = value->named_place();
    if (!read_field(*value, key, info, field, problems_)) failed_.insert(key);
  }
  read.text = flow_yaml(value_of(field));
  read_[key] = std::move(read);
}

std::optional<size_t> Reader::visit_choice(std::string_view name, const std::string& current,
                                           const std::vector<std::string>& options, const ChoiceInfo&) {
  const std::string key = full_key(name);
  Read read;
  std::optional<size_t> chosen;
  if (const Value* value = take(name)) {
    read.given = true;
    read.place = value->named_place();
    chosen = read_choice(*value, key, options, problems_);
    if (!chosen) {
      failed_.insert(key);
      scopes_.back().choice_failed = true;
    }
  }
  read.text = flow_yaml(chosen ? options[*chosen] : current);
  read_[key] = std::move(read);
  return chosen;
}

void Reader::reject_section(const std::string& key, const Value& value) {
  failed_.insert(key);
  if (value.kind == ValueKind::reported) return;
  std::string hint;
  if (value.raw)
    hint = fmt::format(" (set its keys one by one: --{}.key=value)", key);
  else if (value.kind == ValueKind::list)
    hint = " (its keys stand without dashes)";
  else if (value.text.find(':') != std::string::npos)
    hint = " (a space is missing behind the colon)";
  problems_.add(
      value.named_place(), key,
      fmt::format("expected a section, which is a mapping of keys to values, found {}{}", found_text(value), hint));
}

void Reader::begin_section(std::string_view name, std::string_view) {
  const std::string key = full_key(name);
  const Value* value = take(name);
  // A section whose keys are all commented out is null in YAML; an override of a whole section is a mistake.
  const bool usable =
      value == nullptr || (!value->raw && (value->kind == ValueKind::mapping || value->kind == ValueKind::null));
  if (!usable) reject_section(key, *value);
  push(key, value);
  if (!usable) scopes_.back().mapping = nullptr;
}

bool Reader::begin_optional_section(std::string_view name, std::string_view, bool present) {
  const std::string key = full_key(name);
  const Value* value = take(name);
  if (value == nullptr && !present) return false;
  if (value != nullptr && value->kind == ValueKind::null) return false;
  if (value != nullptr && (value->raw || value->kind != ValueKind::mapping)) {
    reject_section(key, *value);
    return false;
  }
  push(key, value);
  return true;
}

void Reader::end_section() {
  const Scope scope = std::move(scopes_.back());
  scopes_.pop_back();
  if (scope.mapping == nullptr) return;
  for (const auto& child : scope.mapping->children) {
    if (std::find(scope.names.begin(), scope.names.end(), child.key) == scope.names.end())
      unknown_.push_back({scope.key, &child, scope.names, scope.choice_failed});
  }
}

std::optional<size_t> Reader::begin_sections(std::string_view name, std::string_view, size_t) {
  const std::string key = full_key(name);
  const Value* value = take(name);
  lists_.push_back({key, nullptr});
  if (value == nullptr) return std::nullopt;
  if (value->kind != ValueKind::list) {
    failed_.insert(key);
    if (value->kind != ValueKind::reported) {
      problems_.add(
          value->named_place(), key,
          fmt::format("expected a list of sections, each a mapping of keys to values, found {}", found_text(*value)));
    }
    return std::nullopt;
  }
  lists_.back().list = value;
  return value->children.size();
}

void Reader::begin_item(size_t index) {
  const List& list = lists_.back();
  const std::string key = fmt::format("{}[{}]", list.key, index);
  if (list.list == nullptr) return push(key, nullptr);
  const Value& item = list.list->children[index];
  const bool usable = item.kind == ValueKind::mapping;
  if (!usable) reject_section(key, item);
  push(key, usable ? &item : nullptr);
  scopes_.back().place = item.place;
}

std::vector<UnknownKey> Reader::unknown_keys() {
  while (!scopes_.empty()) end_section();
  std::stable_sort(unknown_.begin(), unknown_.end(), [](const UnknownKey& a, const UnknownKey& b) {
    return stands_before(a.value->key_place, b.value->key_place);
  });
  return unknown_;
}

std::string Reader::value_text(const std::string& key) const {
  const auto found = read_.find(key);
  return found == read_.end() ? "" : found->second.text;
}

bool Reader::failed(const std::string& key) const {
  return std::any_of(failed_.begin(), failed_.end(), [&](const std::string& other) {
    return other == key || other.starts_with(key + ".") || other.starts_with(key + "[") || key.starts_with(other + ".");
  });
}

void Reader::contradiction(std::string_view names, std::string_view message) {
  std::vector<std::string> keys, values;
  Place place = scopes_.back().place;
  bool placed = false;
  // What the section holds depends on its choices: beside one that failed, it would be judged by the wrong rules.
  if (scopes_.back().choice_failed) return;
  for (const auto& part : split(names, ',')) {
    const std::string name(trim(part));
    keys.push_back(full_key(name));
    if (failed(keys.back())) return;
    const auto found = read_.find(keys.back());
    if (found == read_.end()) continue;
    if (!found->second.text.empty() && found->second.text != "\"\"")
      values.push_back(fmt::format("{}: {}", name, shortened(found->second.text)));
    // An override is what made a file contradict itself, so it is named before the file.
    if (found->second.given && (!placed || found->second.place.rank > place.rank)) {
      place = found->second.place;
      placed = true;
    }
  }
  problems_.add(place, join(keys, ", "),
                values.empty() ? std::string(message) : fmt::format("{} (found {})", message, join(values, ", ")));
}

}  // namespace laconic::config
