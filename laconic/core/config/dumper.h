// The visitor that writes a struct out.
#pragma once

#include <vector>

#include "laconic/core/config/visitor.h"

namespace laconic::config {

// Visit with it, then take the result: every field that exists with the values of the struct, in the order of the
// visit. A section that is absent is null.
class Dumper : public Visitor {
 public:
  Dumper() { stack_.push_back({"", Json::object()}); }
  Json take() { return std::move(stack_.front().second); }

 protected:
  void visit_field(std::string_view name, const FieldRef& field, const FieldInfo& info) override;
  std::optional<size_t> visit_choice(std::string_view name, const std::string& current,
                                     const std::vector<std::string>& options, const ChoiceInfo& info) override;
  void begin_section(std::string_view name, std::string_view help) override;
  bool begin_optional_section(std::string_view name, std::string_view help, bool present) override;
  void end_section() override;
  std::optional<size_t> begin_sections(std::string_view name, std::string_view help, size_t present) override;
  void begin_item(size_t index) override;
  void end_sections() override { end_section(); }

 private:
  void put(std::string_view name, Json value);

  std::vector<std::pair<std::string, Json>> stack_;
};

}  // namespace laconic::config
