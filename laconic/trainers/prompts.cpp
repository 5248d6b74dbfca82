#include "laconic/trainers/prompts.h"

#include <nlohmann/json.hpp>

#include "laconic/core/base/error.h"
#include "laconic/core/base/log.h"
#include "laconic/core/data/chain_examples.h"
#include "laconic/core/data/prompt_order.h"
#include "laconic/trainers/file_prompts.h"
#include "laconic/trainers/puzzle_prompts.h"

namespace laconic::trainers {
namespace {

class ChainPrompts final : public PromptSource {
 public:
  ChainPrompts(const DataSection& section, uint64_t seed, const text::Tokenizer& tokenizer)
      : seed_(seed), answers_{section.chain_answer_threshold}, tokenizer_(tokenizer) {
    for (int i = 0; i < section.chain_problems; ++i)
      pool_.push_back(data::chain_problem(data::ChainSplit::train, kPoolSeed, static_cast<uint64_t>(i)));
    if (!pool_.empty()) order_.emplace(pool_.size(), seed);
    evaluated_ = section.chain_evaluation == ChainEvaluation::training
                     ? pool_
                     : data::chain_held_out(section.chain_per_grade, kHeldOutSeed);
  }

  std::optional<int64_t> size() const override {
    if (pool_.empty()) return std::nullopt;
    return static_cast<int64_t>(pool_.size());
  }
  Prompt training_prompt(uint64_t position) const override {
    return prompt_of(order_ ? pool_[order_->at(position)]
                            : data::chain_problem(data::ChainSplit::train, seed_, position));
  }
  Prompt distinct_prompt(int64_t index) const override { return prompt_of(pool_.at(static_cast<size_t>(index))); }
  int64_t longest_prompt() const override { return kLongestPrompt; }
  int64_t evaluation_size() const override { return static_cast<int64_t>(evaluated_.size()); }
  Prompt evaluation_prompt(int64_t index) const override {
    return prompt_of(evaluated_.at(static_cast<size_t>(index)));
  }

 private:
  // The held-out problems and the pool are part of the task, not of the run: the same for every seed.
  static constexpr uint64_t kHeldOutSeed = 0;
  static constexpr uint64_t kPoolSeed = uint64_t{1} << 32;
  static constexpr int64_t kLongestPrompt = 16;  // <bos>, start, six steps of two words, ?, <think>

  Prompt prompt_of(const data::ChainProblem& problem) const {
    const auto example = data::chain_example(problem, answers_);
    Prompt prompt{example.id, example.prompt, tokenizer_.encode(example.prompt), example.answer,
                  data::to_string(problem.grade())};
    prompt.columns = example.columns;
    prompt.columns["answer"] = example.answer;
    return prompt;
  }

  uint64_t seed_;
  data::ChainAnswers answers_;
  std::vector<data::ChainProblem> pool_, evaluated_;
  std::optional<data::PromptOrder> order_;  // of the pool; absent: problems without end
  const text::Tokenizer& tokenizer_;
};

}  // namespace

data::Dataset load_part(const data::DatasetOptions& options) {
  auto dataset = data::load_dataset(options);
  if (dataset.skipped > 0) {
    log_warning("{}: skipped {} malformed records of {}", options.path.string(), dataset.skipped,
                dataset.skipped + dataset.examples.size());
    for (const auto& record : dataset.first_skipped) log_warning("  {}: {}", record.source, record.reason);
  }
  return dataset;
}

std::string render_chat(const text::ChatTemplate& chat, const text::Tokenizer& tokenizer,
                        const std::vector<data::Message>& messages, bool add_generation_prompt) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const auto& message : messages) list.push_back({{"role", message.role}, {"content", message.content}});
  nlohmann::ordered_json context = nlohmann::ordered_json::object();
  for (const auto& [name, token] : tokenizer.special_tokens()) context[name] = token;
  return chat.render(list, add_generation_prompt, context);
}

std::unique_ptr<PromptSource> make_prompt_source(const DataSection& section, uint64_t seed,
                                                 const text::Tokenizer& tokenizer, const text::ChatTemplate* chat,
                                                 int64_t max_prompt_tokens, const RewardSection& reward) {
  if (section.source == DataSource::chain) return std::make_unique<ChainPrompts>(section, seed, tokenizer);
  if (section.source == DataSource::puzzle)
    return make_puzzle_prompts(section, seed, tokenizer, section.chat ? chat : nullptr, max_prompt_tokens);
  return make_file_prompts(section, seed, tokenizer, section.chat ? chat : nullptr, max_prompt_tokens, reward);
}

}  // namespace laconic::trainers
