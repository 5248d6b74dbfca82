// Everything that may stand in a configuration, as a tree: what explanations, documentation, schema and the suggestions
// for unknown keys are made from.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "laconic/core/config/visitor.h"

namespace laconic::config {

struct Description {
  std::string name;
  std::string key;  // dotted, from the top
  std::string help;
  std::string condition;  // "source: file": exists only then; "" = always

  bool is_section = false;
  bool optional = false;              // of a section: may be absent
  bool is_list = false;               // of a section: a list of them; the key ends in [], as in data.mixture[].path
  std::vector<Description> children;  // of a section

  TypeInfo type;  // of a field; the choices of a choice are strings
  FieldInfo info;
  std::vector<std::string> choices;  // of a choice
  Json default_value;                // of a field, of a section that is absent by default null

  // Of a key below this section; nullptr where there is none. A list is also found without its [].
  const Description* find(std::string_view dotted) const;
  std::vector<std::string> keys() const;  // of everything below, dotted
};

// Builds the tree: visit with it, then take the result. Defaults are the values of the visited struct.
class Describer : public Visitor {
 public:
  explicit Describer(const std::string& key = "");
  bool describing() const override { return true; }
  Description take() { return std::move(stack_.front()); }

 protected:
  void visit_field(std::string_view name, const FieldRef& field, const FieldInfo& info) override;
  std::optional<size_t> visit_choice(std::string_view name, const std::string& current,
                                     const std::vector<std::string>& options, const ChoiceInfo& info) override;
  void begin_section(std::string_view name, std::string_view help) override;
  bool begin_optional_section(std::string_view name, std::string_view help, bool present) override;
  void end_section() override;
  std::optional<size_t> begin_sections(std::string_view name, std::string_view help, size_t present) override;
  void begin_item(size_t) override {}
  void end_sections() override {}
  void begin_when(std::string_view condition) override { conditions_.emplace_back(condition); }
  void end_when() override { conditions_.pop_back(); }

 private:
  Description make(std::string_view name, std::string_view help);

  std::vector<Description> stack_;
  std::vector<std::string> conditions_;          // of the current section
  std::vector<std::vector<std::string>> outer_;  // of the sections around it
};

}  // namespace laconic::config
