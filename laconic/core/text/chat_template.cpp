#include "laconic/core/text/chat_template.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "laconic/core/base/error.h"

namespace laconic::text {

ChatTemplate ChatTemplate::parse(std::string_view source, std::string name) {
  return ChatTemplate(jinja::Template::parse(source, std::move(name)));
}

std::string ChatTemplate::render(const nlohmann::ordered_json& messages, bool add_generation_prompt,
                                 const nlohmann::ordered_json& context) const {
  if (!context.is_object() && !context.is_null()) {
    fail(ErrorKind::input, "the variables of a chat template must be a JSON object");
  }
  nlohmann::ordered_json variables = {{"messages", messages},
                                      {"tools", nullptr},
                                      {"documents", nullptr},
                                      {"add_generation_prompt", add_generation_prompt}};
  for (const auto& [name, value] : context.items()) variables[name] = value;
  return template_.render(variables, now_.value_or(std::time(nullptr)));
}

}  // namespace laconic::text
