#include "laconic/core/config/dumper.h"

namespace laconic::config {

void Dumper::put(std::string_view name, Json value) {
  Json& section = stack_.back().second;
  if (section.is_array()) {  // of a list of sections, whose items have no names
    section.push_back(std::move(value));
    return;
  }
  LACONIC_CHECK(!section.contains(name), "{} is visited twice", name);
  section[std::string(name)] = std::move(value);
}

void Dumper::visit_field(std::string_view name, const FieldRef& field, const FieldInfo&) {
  put(name, value_of(field));
}

std::optional<size_t> Dumper::visit_choice(std::string_view name, const std::string& current,
                                           const std::vector<std::string>&, const ChoiceInfo&) {
  put(name, current);
  return std::nullopt;
}

void Dumper::begin_section(std::string_view name, std::string_view) {
  stack_.emplace_back(name, Json::object());
}

bool Dumper::begin_optional_section(std::string_view name, std::string_view help, bool present) {
  if (present)
    begin_section(name, help);
  else
    put(name, nullptr);
  return present;
}

void Dumper::end_section() {
  auto [name, value] = std::move(stack_.back());
  stack_.pop_back();
  put(name, std::move(value));
}

std::optional<size_t> Dumper::begin_sections(std::string_view name, std::string_view, size_t) {
  stack_.emplace_back(name, Json::array());
  return std::nullopt;
}

void Dumper::begin_item(size_t) {
  stack_.emplace_back("", Json::object());
}

}  // namespace laconic::config
