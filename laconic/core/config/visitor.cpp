#include "laconic/core/config/visitor.h"

namespace laconic::config {

void Visitor::choice(std::string_view name, std::string& value, const std::vector<std::string>& options,
                     const ChoiceInfo& info) {
  if (const auto chosen = visit_choice(name, value, options, info)) value = options.at(*chosen);
}

Visitor::Block Visitor::when(bool active, std::string_view condition) {
  const bool entered = active || describing();
  if (entered) begin_when(condition);
  return Block(this, entered);
}

}  // namespace laconic::config
