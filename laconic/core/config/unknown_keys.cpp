#include "laconic/core/config/unknown_keys.h"

#include <fmt/format.h>

#include <algorithm>

#include "laconic/core/base/strings.h"

namespace laconic::config {
namespace {

std::string_view last_name(std::string_view key) {
  return key.substr(key.rfind('.') + 1);
}

std::string quoted_list(const std::vector<std::string>& names, size_t limit) {
  std::vector<std::string> quoted;
  for (size_t i = 0; i < names.size() && i < limit; ++i) quoted.push_back(fmt::format("`{}`", names[i]));
  return join(quoted, ", ") + (names.size() > limit ? ", ..." : "");
}

// data.mixture[2].path as it is described: data.mixture[].path.
std::string without_indices(const std::string& key) {
  std::string text;
  bool inside = false;
  for (const char c : key) {
    if (c == ']') inside = false;
    if (!inside) text += c;
    if (c == '[') inside = true;
  }
  return text;
}

std::string joined(const std::string& section, const std::string& name) {
  return section.empty() ? name : section + "." + name;
}

// The advice for one key, best first: the same name in another section, a similar name in this one, a similar dotted
// key anywhere, or what this section has.
std::string advice(const UnknownKey& unknown, const std::string& name, const std::vector<std::string>& all) {
  if (name == "<<") return "; merge keys are not supported, write the keys out";
  std::vector<std::string> elsewhere;
  for (const auto& key : all) {
    if (last_name(key) == name) elsewhere.push_back(key);
  }
  if (!elsewhere.empty()) return fmt::format(" (did you mean {}?)", quoted_list(elsewhere, 3));
  if (const auto near = nearest(name, unknown.names); !near.empty())
    return fmt::format(" (did you mean `{}`?)", joined(unknown.section, near));

  // Dotted keys: as a key of a file, or in the sections that an override asks for.
  std::string dotted = joined(unknown.section, name);
  for (const Value* value = unknown.value; value->implied && !value->children.empty();) {
    value = &value->children.front();
    dotted += "." + value->key;
  }
  const bool is_dotted = dotted.find('.', unknown.section.size() + 1) != std::string::npos;
  if (is_dotted) {
    if (std::find(all.begin(), all.end(), name) != all.end() && name.find('.') != std::string::npos)
      return fmt::format("; in a file `{}` stands as `{}` inside of the section `{}`", name, last_name(name),
                         name.substr(0, name.rfind('.')));
    if (const auto near = nearest(dotted, all); !near.empty()) return fmt::format(" (did you mean `{}`?)", near);
  }
  if (unknown.names.empty()) return "";
  return fmt::format("; {} has {}", unknown.section.empty() ? "the top level" : "`" + unknown.section + "`",
                     quoted_list(unknown.names, 24));
}

// A key that exists, but not with the values given.
std::string inactive_message(const Description& known, const Reader& reader, const std::string& section) {
  if (known.condition.empty()) return "does not exist with the other values of its section";
  const std::string about = known.condition.substr(0, known.condition.find(':'));
  const std::string now = reader.value_text(joined(section, about));
  return fmt::format("exists only with {}{}", known.condition,
                     now.empty() ? "" : fmt::format(", found {}: {}", about, now));
}

}  // namespace

void report_unknown_keys(const std::vector<UnknownKey>& unknown, const Description& all, const Reader& reader,
                         Problems& problems) {
  const auto keys = all.keys();
  size_t reported = 0;
  for (const auto& key : unknown) {
    const std::string full = joined(key.section, key.value->key);
    const bool one_name = key.value->key.find('.') == std::string::npos;  // `train.steps:` at the top is no known key
    if (const Description* known = one_name ? all.find(without_indices(full)) : nullptr) {
      if (!key.doubtful) problems.add(key.value->key_place, full, inactive_message(*known, reader, key.section));
      continue;
    }
    // Only what is shown is worth the search.
    const bool shown = reported++ < Problems::kShown;
    problems.add(key.value->key_place, full, "unknown key" + (shown ? advice(key, key.value->key, keys) : ""));
  }
}

}  // namespace laconic::config
