#include "laconic/core/config/field_reader.h"

#include <fmt/format.h>

#include <algorithm>

#include "laconic/core/base/strings.h"
#include "laconic/core/config/scalar.h"
#include "laconic/core/config/yaml_text.h"

namespace laconic::config {
namespace {

// Reads one field. Its problems carry the same key, type and range.
class FieldReader {
 public:
  FieldReader(std::string key, const FieldInfo& info, const FieldRef& field, Problems& problems)
      : key_(std::move(key)), info_(info), type_(type_of(field)), problems_(problems) {}

  bool read(const Value& value, bool& out) { return read_single(value, out); }
  bool read(const Value& value, int& out) { return read_single(value, out); }
  bool read(const Value& value, int64_t& out) { return read_single(value, out); }
  bool read(const Value& value, uint64_t& out) { return read_single(value, out); }
  bool read(const Value& value, double& out) { return read_single(value, out); }
  bool read(const Value& value, std::string& out) { return read_single(value, out); }

  template <typename T>
  bool read(const Value& value, std::optional<T>& out) {
    if (value.kind == ValueKind::null) {
      out.reset();
      return true;
    }
    T inner{};
    if (!read_single(value, inner)) return false;
    out = std::move(inner);
    return true;
  }

  template <typename T>
  bool read(const Value& value, std::vector<T>& out) {
    if (value.kind != ValueKind::list) return reject_whole(value);
    std::vector<T> items;
    bool good = true;
    for (size_t i = 0; i < value.children.size(); ++i) {
      T item{};
      good =
          read_element(value.children[i], fmt::format("{}[{}]", key_, i), expected_element_text(type_, info_), item) &&
          good;
      items.push_back(std::move(item));
    }
    if (good) out = std::move(items);
    return good;
  }

  template <typename T>
  bool read(const Value& value, std::map<std::string, T>& out) {
    if (value.kind != ValueKind::mapping) return reject_whole(value);
    std::map<std::string, T> entries;
    bool good = true;
    for (const auto& child : value.children) {
      T item{};
      good = read_element(child, key_ + "." + child.key, expected_element_text(type_, info_), item) && good;
      entries.emplace(child.key, std::move(item));
    }
    if (good) out = std::move(entries);
    return good;
  }

 private:
  template <typename T>
  bool read_single(const Value& value, T& out) {
    return read_element(value, key_, expected_text(type_, info_), out);
  }

  bool read_element(const Value& value, const std::string& key, const std::string& expected, bool& out) {
    if (value.kind != ValueKind::scalar || value.style == ScalarStyle::quoted) return reject(value, key, expected, "");
    const auto parsed = parse_boolean(value.text);
    if (!parsed) return reject(value, key, expected, "");
    out = *parsed;
    return true;
  }

  bool read_element(const Value& value, const std::string& key, const std::string& expected, std::string& out) {
    // The text of an override needs no quoting against YAML, only null and quotes keep their meaning.
    const bool verbatim = value.raw && value.kind != ValueKind::null &&
                          !(value.kind == ValueKind::scalar && value.style == ScalarStyle::quoted);
    if (verbatim) {
      out = *value.raw;
      return true;
    }
    if (value.kind == ValueKind::null) return reject(value, key, expected, " (the empty string is \"\")");
    if (value.kind == ValueKind::mapping) return reject(value, key, expected, " (a text with `: ` in it needs quotes)");
    if (value.kind != ValueKind::scalar || value.style == ScalarStyle::literal) return reject(value, key, expected, "");
    out = value.text;
    return true;
  }

  template <typename T>
  bool read_element(const Value& value, const std::string& key, const std::string& expected, T& out) {
    if (value.kind == ValueKind::null) return reject(value, key, expected, " (leave the key out for its default)");
    if (value.kind != ValueKind::scalar) return reject(value, key, expected, "");
    T parsed{};
    const ScalarStatus status = parse(value.text, parsed);
    if (value.style == ScalarStyle::quoted)
      return reject(value, key, expected, status == ScalarStatus::ok ? " (a number stands without quotes)" : "");
    if (status != ScalarStatus::ok) return reject(value, key, expected, hint(status));
    if (!in_range(static_cast<double>(parsed), info_)) return reject(value, key, expected, "");
    out = parsed;
    return true;
  }

  static ScalarStatus parse(const std::string& text, double& out) { return parse_number(text, out); }
  template <typename T>
  static ScalarStatus parse(const std::string& text, T& out) {
    return parse_integer(text, out);
  }

  std::string hint(ScalarStatus status) const {
    switch (status) {
      case ScalarStatus::ok:
      case ScalarStatus::not_a_number:
      case ScalarStatus::not_whole:
        return "";
      case ScalarStatus::not_finite:
        return " (it must be finite)";
      case ScalarStatus::leading_zero:
        return " (with a leading zero it is octal to some readers of YAML; leave the zero out)";
      case ScalarStatus::other_notation:
        return " (write it in decimal digits)";
      case ScalarStatus::inexact:
        return " (write a whole number of this size in digits, without point and exponent)";
      case ScalarStatus::too_large:
        break;
    }
    return type_.element == Element::integer ? fmt::format(" (it must be {})", type_.default_bounds)
                                             : " (outside of what a 64-bit float can hold)";
  }

  bool reject_whole(const Value& value) {
    std::string advice;
    const char* empty = type_.shape == Shape::list ? "[]" : "{}";
    if (value.kind == ValueKind::null) advice = fmt::format(" (an empty one is {})", empty);
    if (value.kind == ValueKind::scalar && type_.shape == Shape::list) {
      const bool quoted = value.style == ScalarStyle::quoted;
      advice =
          fmt::format(" (a list stands in brackets: [{}])", quoted ? flow_yaml(value.text) : shortened(value.text));
    }
    return reject(value, key_, expected_text(type_, info_), advice);
  }

  bool reject(const Value& value, const std::string& key, const std::string& expected, const std::string& advice) {
    if (value.kind == ValueKind::reported) return false;
    problems_.add(value.named_place(), key,
                  fmt::format("expected {}, found {}{}", expected, found_text(value), advice));
    return false;
  }

  std::string key_;
  const FieldInfo& info_;
  TypeInfo type_;
  Problems& problems_;
};

std::string option_text(const std::string& option) {
  return option.empty() ? "\"\"" : option;
}

}  // namespace

bool read_field(const Value& value, const std::string& key, const FieldInfo& info, const FieldRef& field,
                Problems& problems) {
  FieldReader reader(key, info, field, problems);
  return std::visit([&](auto* out) { return reader.read(value, *out); }, field);
}

std::optional<size_t> read_choice(const Value& value, const std::string& key, const std::vector<std::string>& options,
                                  Problems& problems) {
  if (value.kind == ValueKind::reported) return std::nullopt;
  if (value.kind == ValueKind::scalar) {
    const auto found = std::find(options.begin(), options.end(), value.text);
    if (found != options.end()) return static_cast<size_t>(found - options.begin());
  }
  std::vector<std::string> names;
  names.reserve(options.size());
  for (const auto& option : options) names.push_back(option_text(option));
  const std::string near = value.kind == ValueKind::scalar ? did_you_mean(value.text, options) : "";
  problems.add(value.named_place(), key,
               fmt::format("expected {}{}, found {}{}", names.size() == 1 ? "" : "one of ", join(names, ", "),
                           found_text(value), near));
  return std::nullopt;
}

}  // namespace laconic::config
