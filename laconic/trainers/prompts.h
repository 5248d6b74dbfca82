// Where a run's prompts come from: a data set behind a chat template, or the procedural task.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "laconic/core/base/error.h"
#include "laconic/core/data/dataset.h"
#include "laconic/core/text/chat_template.h"
#include "laconic/core/text/tokenizer.h"
#include "laconic/trainers/run_config.h"

namespace laconic::trainers {

struct Prompt {
  std::string id;    // stable name of the problem
  std::string text;  // as the model sees it
  std::vector<int32_t> ids;
  std::string answer;  // gold
  std::string label;   // sub-set for reports (difficulty); "" = none
  // For rewards of the user's own: the record, and the messages where the text was made of them by a chat template.
  nlohmann::ordered_json columns = {};
  std::vector<data::Message> messages = {};
};

class PromptSource {
 public:
  virtual ~PromptSource() = default;
  // Number of distinct prompts; nothing for an endless generator.
  virtual std::optional<int64_t> size() const = 0;
  // Prompt `index` of 0 .. size() - 1, each of which is another one.
  virtual Prompt distinct_prompt(int64_t index) const = 0;
  // The prompt at a position of the run's endless order: a function of (seed, position) alone.
  virtual Prompt training_prompt(uint64_t position) const = 0;
  // Prompt `index` of 0 .. evaluation_size() - 1, in the data's own order.
  virtual int64_t evaluation_size() const = 0;
  virtual Prompt evaluation_prompt(int64_t index) const = 0;
  // Tokens of the longest prompt.
  virtual int64_t longest_prompt() const = 0;
};

// Reads the data, one set or a mixture, and checks it: an empty set, a prompt longer than `max_prompt_tokens` and a
// missing answer (where the reward needs one) are errors that name the line. `columns` of the prompts are filled where
// the reward hands them to the user's own functions; else they are not even kept.
std::unique_ptr<PromptSource> make_prompt_source(const DataSection& section, uint64_t seed,
                                                 const text::Tokenizer& tokenizer, const text::ChatTemplate* chat,
                                                 int64_t max_prompt_tokens, const RewardSection& reward);

// Reads a file; skipped records are counted in a warning.
data::Dataset load_part(const data::DatasetOptions& options);

// Runs `work` on an example; its errors begin with the example's file and line.
template <typename Work>
auto at_source(const data::Example& example, const Work& work) {
  try {
    return work();
  } catch (const Error& error) {
    fail(error.kind(), "{}: {}", example.source, error.what());
  }
}

// Messages through a template, with the tokenizer's special tokens as variables.
std::string render_chat(const text::ChatTemplate& chat, const text::Tokenizer& tokenizer,
                        const std::vector<data::Message>& messages, bool add_generation_prompt);

}  // namespace laconic::trainers
