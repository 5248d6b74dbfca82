// A model folder as the filters use it: weights, and where they are there, tokenizer and chat template.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "laconic/cli/command_line.h"
#include "laconic/cli/fields.h"
#include "laconic/core/model/model.h"
#include "laconic/core/text/chat_template.h"
#include "laconic/core/text/tokenizer.h"

namespace laconic::cli {

// Logits are divided by the temperature in f32; below this nothing but rounding is left.
inline constexpr double kLeastTemperature = 1e-6;

// Declares --model, --dtype, --device and --threads.
void declare_model_options(CommandLine& line);

class ModelFolder {
 public:
  // Sets the threads of tensor operations and loads --model; an unusable one is an Error of kind usage.
  static ModelFolder load(const CommandLine& line);

  const model::Model& model() const { return model_; }
  bool has_tokenizer() const { return tokenizer_.has_value(); }
  // Where the folder has none: an Error of kind input that says what needs it ("the field `prompt`").
  const text::Tokenizer& tokenizer(std::string_view needed_by) const;
  // Messages through the chat template, ready for an answer, as token ids.
  std::vector<int32_t> chat_ids(const Json& messages) const;

  // Errors of kind input where an id is not in the model's vocabulary.
  void check_ids(const std::vector<int32_t>& ids, std::string_view field) const;

 private:
  ModelFolder(std::string path, model::Model model) : path_(std::move(path)), model_(std::move(model)) {}

  std::string path_;
  model::Model model_;
  std::optional<text::Tokenizer> tokenizer_;
  std::optional<text::ChatTemplate> chat_;
  std::string chat_problem_;  // why chat_ is absent
};

}  // namespace laconic::cli
