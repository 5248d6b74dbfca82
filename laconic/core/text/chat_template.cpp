#include "laconic/core/text/chat_template.h"

#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "laconic/core/base/error.h"

namespace laconic::text {

namespace {

std::string day_of(std::time_t time) {
  std::tm local{};
  ::localtime_r(&time, &local);
  std::array<char, 16> text{};
  return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%d", &local)};
}

}  // namespace

ChatTemplate ChatTemplate::parse(std::string_view source, std::string name) {
  return {jinja::Template::parse(source, std::move(name)), source.find("strftime_now") != std::string_view::npos};
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

std::optional<std::time_t> noon_of_day(const std::string& day) {
  std::tm parts{};
  const char* end = ::strptime(day.c_str(), "%Y-%m-%d", &parts);
  if (end == nullptr || *end != '\0') return std::nullopt;
  parts.tm_hour = 12;
  parts.tm_isdst = -1;
  const std::time_t noon = std::mktime(&parts);
  if (day_of(noon) != day) return std::nullopt;  // February 30 becomes a day of March
  return noon;
}

std::string today() {
  return day_of(std::time(nullptr));
}

}  // namespace laconic::text
