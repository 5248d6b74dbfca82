#include "laconic/core/config/reference.h"

#include <fmt/format.h>

#include <algorithm>

#include "laconic/core/base/error.h"
#include "laconic/core/base/strings.h"
#include "laconic/core/config/value.h"
#include "laconic/core/config/yaml_text.h"

namespace laconic::config {
namespace {

std::string choice_list(const Description& field) {
  std::vector<std::string> names;
  for (const auto& option : field.choices) names.push_back(option.empty() ? "\"\"" : option);
  return join(names, ", ");
}

bool is_choice(const Description& node) {
  return !node.is_section && !node.choices.empty();
}

// "number in (0, 1] or null", "one of a, b".
std::string type_text(const Description& field) {
  if (is_choice(field)) return "one of " + choice_list(field);
  std::string text = type_name(field.type);
  if (const auto range = range_text(field.info); !range.empty()) text += " " + range;
  if (!field.info.unit.empty()) text += fmt::format(" ({})", field.info.unit);
  return field.type.nullable ? text + " or null" : text;
}

void append_explanation(std::string& out, const Description& node) {
  if (!out.empty()) out += "\n";
  if (node.is_section)
    out += fmt::format("{}: {}\n", node.key,
                       node.is_list    ? "list of sections"
                       : node.optional ? "optional section"
                                       : "section");
  else
    out += fmt::format("{}: {}; default {}\n", node.key, type_text(node), flow_yaml(node.default_value));
  if (!node.help.empty()) out += fmt::format("    {}\n", node.help);
  if (!node.condition.empty()) out += fmt::format("    only with {}\n", node.condition);
  for (const auto& child : node.children) append_explanation(out, child);
}

// Text for a cell of a table: nothing in it may end the cell or become markup.
std::string cell(std::string_view text) {
  constexpr std::string_view kMarkup = "|<*`\\";
  std::string escaped;
  for (const char c : text) {
    if (kMarkup.find(c) != std::string_view::npos) escaped += '\\';
    escaped += c == '\n' ? ' ' : c;
  }
  return escaped;
}

// Inside of backticks only the bar needs an escape.
std::string code(std::string_view text) {
  std::string escaped;
  for (const char c : text) escaped += c == '|' ? std::string("\\|") : std::string(1, c);
  return "`" + escaped + "`";
}

std::string type_cell(const Description& field) {
  if (!is_choice(field)) return cell(type_text(field));
  std::vector<std::string> names;
  for (const auto& option : field.choices) names.push_back(code(option.empty() ? "\"\"" : option));
  return join(names, ", ");
}

void append_markdown(std::string& out, const Description& section) {
  if (!section.key.empty()) out += fmt::format("\n## `{}`\n", section.key);
  std::string about = cell(section.help);
  if (section.optional) about += about.empty() ? "Optional section." : " (optional section)";
  if (section.is_list) about += about.empty() ? "List of sections." : " (list of sections)";
  if (!section.condition.empty())
    about += fmt::format("{}Only with {}.", about.empty() ? "" : ". ", code(section.condition));
  if (!about.empty()) out += "\n" + about + "\n";
  bool header = false;
  for (const auto& child : section.children) {
    if (child.is_section) continue;
    if (!header) out += "\n| key | type | default | meaning |\n|---|---|---|---|\n";
    header = true;
    std::string meaning = cell(child.help);
    if (!child.condition.empty())
      meaning += fmt::format("{}only with {}", meaning.empty() ? "" : "; ", code(child.condition));
    out += fmt::format("| {} | {} | {} | {} |\n", code(child.name), type_cell(child),
                       code(flow_yaml(child.default_value)), meaning);
  }
  for (const auto& child : section.children) {
    if (child.is_section) append_markdown(out, child);
  }
}

}  // namespace

std::string explanation(const Description& all, const std::string& key) {
  std::string out;
  if (key.empty()) {
    for (const auto& child : all.children) append_explanation(out, child);
    return out;
  }
  const Description* node = all.find(key);
  if (node == nullptr) {
    const auto keys = all.keys();
    std::vector<std::string> same_name;
    for (const auto& known : keys) {
      if (known.ends_with("." + key)) same_name.push_back(fmt::format("`{}`", known));
    }
    fail(ErrorKind::usage, "no key `{}` in the configuration{}", shortened(key),
         same_name.empty() ? did_you_mean(key, keys) : fmt::format(" (did you mean {}?)", join(same_name, ", ")));
  }
  append_explanation(out, *node);
  return out;
}

std::string markdown(const Description& all, const std::string& title) {
  std::string out = fmt::format("# {}\n", title);
  append_markdown(out, all);
  return out;
}

}  // namespace laconic::config
