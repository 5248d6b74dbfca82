#include "laconic/cli/fields.h"

#include <fmt/format.h>

#include <limits>

#include "laconic/core/base/error.h"
#include "laconic/core/base/strings.h"

namespace laconic::cli {
namespace {

constexpr size_t kShownBytes = 40;

std::string found(const Json& value) {
  if (value.is_null()) return "null";
  if (value.is_object()) return "an object";
  if (value.is_array()) return "a list";
  const std::string text = value.dump(-1, ' ', true);  // ASCII, so that cutting it breaks no character
  const std::string shown = text.size() <= kShownBytes ? text : text.substr(0, kShownBytes) + "...";
  return fmt::format("{} {}",
                     value.is_string()    ? "the string"
                     : value.is_boolean() ? "the boolean"
                                          : "the number",
                     shown);
}

int32_t token_id(const Json& value, std::string_view name, size_t index) {
  constexpr int64_t kGreatest = std::numeric_limits<int32_t>::max();
  // Unsigned and signed integers of JSON are different types of the library.
  const bool fits = value.is_number_unsigned() ? value.get<uint64_t>() <= static_cast<uint64_t>(kGreatest) : false;
  if (!fits) wrong_value(fmt::format("{}[{}]", name, index), "a token id (a whole number >= 0)", value);
  return static_cast<int32_t>(value.get<int64_t>());
}

}  // namespace

void wrong_value(std::string_view where, std::string_view expected, const Json& value) {
  fail(ErrorKind::input, "{}: expected {}, found {}", where, expected, found(value));
}

const Json* Fields::find(std::string_view name) const {
  const auto at = object_.find(std::string(name));
  return at == object_.end() || at->is_null() ? nullptr : &*at;
}

const Json& Fields::need(std::string_view name, std::string_view expected) const {
  if (const Json* value = find(name)) return *value;
  if (object_.contains(std::string(name))) fail(ErrorKind::input, "{}: expected {}, found null", name, expected);
  std::vector<std::string> names;
  for (const auto& item : object_.items()) names.push_back(item.key());
  fail(ErrorKind::input, "{}: expected {}, found nothing{}", name, expected, did_you_mean(name, names));
}

std::string Fields::text(std::string_view name) const {
  const Json& value = need(name, "a string");
  if (!value.is_string()) wrong_value(name, "a string", value);
  return value.get<std::string>();
}

bool Fields::boolean(std::string_view name, bool fallback) const {
  const Json* value = find(name);
  if (value == nullptr) return fallback;
  if (!value->is_boolean()) wrong_value(name, "true or false", *value);
  return value->get<bool>();
}

int64_t Fields::whole(std::string_view name, int64_t least, int64_t greatest, int64_t fallback) const {
  const Json* value = find(name);
  if (value == nullptr) return fallback;
  const std::string expected = fmt::format("a whole number from {} to {}", least, greatest);
  if (!value->is_number_integer()) wrong_value(name, expected, *value);
  // A value beyond 2^63 is unsigned in the library and would wrap.
  const bool huge = value->is_number_unsigned() &&
                    value->get<uint64_t>() > static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
  if (huge || value->get<int64_t>() < least || value->get<int64_t>() > greatest) wrong_value(name, expected, *value);
  return value->get<int64_t>();
}

double Fields::number(std::string_view name, double fallback) const {
  const Json* value = find(name);
  if (value == nullptr) return fallback;
  if (!value->is_number()) wrong_value(name, "a number", *value);
  return value->get<double>();
}

std::vector<int32_t> Fields::ids(std::string_view name) const {
  const Json& value = need(name, "a list of token ids");
  if (!value.is_array()) wrong_value(name, "a list of token ids", value);
  std::vector<int32_t> ids;
  ids.reserve(value.size());
  for (size_t i = 0; i < value.size(); ++i) ids.push_back(token_id(value[i], name, i));
  return ids;
}

std::vector<int32_t> Fields::ids_or_none(std::string_view name) const {
  return has(name) ? ids(name) : std::vector<int32_t>();
}

std::vector<std::string> Fields::texts_or_none(std::string_view name) const {
  const Json* value = find(name);
  if (value == nullptr) return {};
  if (value->is_string()) return {value->get<std::string>()};
  if (!value->is_array()) wrong_value(name, "a list of strings", *value);
  std::vector<std::string> texts;
  for (size_t i = 0; i < value->size(); ++i) {
    if (!(*value)[i].is_string()) wrong_value(fmt::format("{}[{}]", name, i), "a string", (*value)[i]);
    texts.push_back((*value)[i].get<std::string>());
  }
  return texts;
}

std::string_view Fields::one_of(const std::vector<std::string_view>& names) const {
  std::vector<std::string> given, all;
  std::string_view last;
  for (const auto name : names) {
    all.push_back(fmt::format("`{}`", name));
    if (!has(name)) continue;
    given.push_back(fmt::format("`{}`", name));
    last = name;
  }
  if (given.size() == 1) return last;
  if (given.empty()) fail(ErrorKind::input, "expected one of the fields {}, found none", join(all, ", "));
  fail(ErrorKind::input, "expected one of the fields {}, found {}", join(all, ", "), join(given, " and "));
}

}  // namespace laconic::cli
