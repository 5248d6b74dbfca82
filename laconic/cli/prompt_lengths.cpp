#include "laconic/cli/prompt_lengths.h"

#include <algorithm>
#include <filesystem>

#include "laconic/cli/problem.h"
#include "laconic/core/base/error.h"
#include "laconic/core/model/model_config.h"
#include "laconic/trainers/prompts.h"

namespace laconic::cli {
namespace {

int64_t characters(std::string_view text) {
  return std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
}

}  // namespace

void PromptLengths::declare(CommandLine& line) {
  line.section("Prompts");
  line.option("model", "DIR",
              "lengths in tokens as the model sees the prompt: through its chat template, where it has one");
  line.option("tokenizer", "DIR_OR_FILE", "lengths in tokens of the bare prompt; without either, in characters");
  line.option("prompt-template", "TEXT", "text around the prompt; {prompt} stands for it");
  line.flag("no-chat", "leave the model's chat template out");
}

PromptLengths::PromptLengths(const CommandLine& line) : template_(line.text("prompt-template", "{prompt}")) {
  if (line.has("model") && line.has("tokenizer"))
    fail(ErrorKind::usage, "--model and --tokenizer both name a tokenizer; give one of them");
  if (line.has("no-chat") && !line.has("model")) fail(ErrorKind::usage, "--no-chat has no effect without --model");
  for (const std::string name : {"model", "tokenizer"}) {
    if (!line.has(name)) continue;
    const auto& path = line.text(name);
    from_argument("--" + name, path,
                  [&] { tokenizer_ = std::make_unique<text::Tokenizer>(text::Tokenizer::from_path(path)); });
  }
  if (!line.has("model")) return;
  const std::string& path = line.text("model");
  from_argument("--model", path, [&] {
    window_ = model::read_model_config(path).max_positions;
    const auto& source = tokenizer_->chat_template();
    if (source && !line.has("no-chat"))
      chat_ = std::make_unique<text::ChatTemplate>(text::ChatTemplate::parse(*source, "chat_template"));
  });
}

int64_t PromptLengths::of(const data::Example& example) const {
  if (tokenizer_ == nullptr) return characters(example.prompt);
  const auto text = chat_ == nullptr ? example.prompt
                                     : trainers::render_chat(*chat_, *tokenizer_, example.messages,
                                                             /*add_generation_prompt=*/true);
  return static_cast<int64_t>(tokenizer_->encode(text, /*add_special_tokens=*/chat_ == nullptr).size());
}

}  // namespace laconic::cli
