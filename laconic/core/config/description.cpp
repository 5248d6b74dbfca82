#include "laconic/core/config/description.h"

#include <fmt/format.h>

#include "laconic/core/base/strings.h"

namespace laconic::config {

const Description* Description::find(std::string_view dotted) const {
  for (const auto& child : children) {
    if (child.key == dotted || (child.is_list && child.key.substr(0, child.key.size() - 2) == dotted)) return &child;
    if (!child.is_section) continue;
    if (const auto* found = child.find(dotted)) return found;
  }
  return nullptr;
}

std::vector<std::string> Description::keys() const {
  std::vector<std::string> all;
  for (const auto& child : children) {
    all.push_back(child.key);
    const auto below = child.keys();
    all.insert(all.end(), below.begin(), below.end());
  }
  return all;
}

Describer::Describer(const std::string& key) {
  stack_.emplace_back();
  stack_.back().key = key;
  stack_.back().is_section = true;
}

Description Describer::make(std::string_view name, std::string_view help) {
  Description made;
  made.name = name;
  made.key = stack_.back().key.empty() ? made.name : fmt::format("{}.{}", stack_.back().key, name);
  made.help = help;
  made.condition = join(conditions_, " and ");
  return made;
}

void Describer::visit_field(std::string_view name, const FieldRef& field, const FieldInfo& info) {
  Description made = make(name, info.help);
  made.type = type_of(field);
  made.info = info;
  made.default_value = value_of(field);
  stack_.back().children.push_back(std::move(made));
}

std::optional<size_t> Describer::visit_choice(std::string_view name, const std::string& current,
                                              const std::vector<std::string>& options, const ChoiceInfo& info) {
  Description made = make(name, info.help);
  made.choices = options;
  made.default_value = current;
  stack_.back().children.push_back(std::move(made));
  return std::nullopt;
}

void Describer::begin_section(std::string_view name, std::string_view help) {
  Description made = make(name, help);
  made.is_section = true;
  stack_.push_back(std::move(made));
  outer_.push_back(std::move(conditions_));
  conditions_.clear();
}

bool Describer::begin_optional_section(std::string_view name, std::string_view help, bool) {
  begin_section(name, help);
  stack_.back().optional = true;
  return true;
}

void Describer::end_section() {
  Description made = std::move(stack_.back());
  stack_.pop_back();
  stack_.back().children.push_back(std::move(made));
  conditions_ = std::move(outer_.back());
  outer_.pop_back();
}

// The items are alike: one stands for all, and its fields are those of the list.
std::optional<size_t> Describer::begin_sections(std::string_view name, std::string_view help, size_t) {
  begin_section(name, help);
  stack_.back().is_list = true;
  stack_.back().key += "[]";
  return std::nullopt;
}

}  // namespace laconic::config
