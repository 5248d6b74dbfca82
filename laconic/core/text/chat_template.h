// Chat templates: a conversation to the text that a model was trained on, as tokenizer.apply_chat_template of Hugging
// Face gives it.
#pragma once

#include <ctime>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "laconic/core/text/jinja_template.h"

namespace laconic::text {

// A value; copies share the parsed template. render() may run on several threads at once.
class ChatTemplate {
 public:
  // `name` stands for the source in messages ("tokenizer_config.json: chat_template"). A syntax error is an Error of
  // kind input, a construct that the engine lacks one of kind unsupported; both begin with "name:line:".
  static ChatTemplate parse(std::string_view source, std::string name);

  // `messages` is a list of {role, content, ...}; `context` an object of further variables (bos_token, tools,
  // enable_thinking, ...), which win over the standard ones. Without them `tools` and `documents` are None.
  // A failure of the template, its raise_exception included, is an Error that begins with "name:line:".
  std::string render(const nlohmann::ordered_json& messages, bool add_generation_prompt,
                     const nlohmann::ordered_json& context) const;

  // Some templates print today's date. A run that must give the same prompts tomorrow fixes it here; the clock is read
  // otherwise.
  void set_now(std::time_t now) { now_ = now; }
  // Whether this is such a template.
  bool prints_date() const { return prints_date_; }

 private:
  ChatTemplate(jinja::Template parsed, bool prints_date) : template_(std::move(parsed)), prints_date_(prints_date) {}

  jinja::Template template_;
  bool prints_date_;
  std::optional<std::time_t> now_;
};

// Noon of a day that is written as 2025-07-10, local time; nothing for any other text and for days that do not exist.
std::optional<std::time_t> noon_of_day(const std::string& day);
// The present day, so written.
std::string today();

}  // namespace laconic::text
