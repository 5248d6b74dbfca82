// How long the prompts of a set are: in tokens of a model, through its chat template where it has one, or in
// characters.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "laconic/cli/command_line.h"
#include "laconic/core/data/dataset.h"
#include "laconic/core/text/chat_template.h"
#include "laconic/core/text/tokenizer.h"

namespace laconic::cli {

class PromptLengths {
 public:
  // Declares --model, --tokenizer, --prompt-template and --no-chat.
  static void declare(CommandLine& line);

  // An unusable model or tokenizer is an Error of kind usage.
  explicit PromptLengths(const CommandLine& line);

  // Errors of the template, at this example, come through.
  int64_t of(const data::Example& example) const;
  bool in_tokens() const { return tokenizer_ != nullptr; }
  const char* unit() const { return in_tokens() ? "tokens" : "characters"; }
  std::optional<int64_t> window() const { return window_; }  // of the model
  // The text around each prompt, for the options of the sets.
  const std::string& prompt_template() const { return template_; }

 private:
  std::unique_ptr<text::Tokenizer> tokenizer_;
  std::unique_ptr<text::ChatTemplate> chat_;
  std::optional<int64_t> window_;
  std::string template_;
};

}  // namespace laconic::cli
