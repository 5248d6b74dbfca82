#include "laconic/trainers/puzzle_prompts.h"

#include <algorithm>

#include "laconic/core/data/prompt_order.h"

namespace laconic::trainers {
namespace {

class PuzzlePrompts final : public PromptSource {
 public:
  PuzzlePrompts(const DataSection& section, uint64_t seed, const text::Tokenizer& tokenizer,
                const text::ChatTemplate* chat)
      : section_(section), seed_(seed), tokenizer_(tokenizer), chat_(chat) {
    if (section.puzzle.problems > 0) order_.emplace(static_cast<size_t>(section.puzzle.problems), seed);
  }

  std::optional<int64_t> size() const override {
    if (!order_) return std::nullopt;
    return section_.puzzle.problems;
  }
  Prompt training_prompt(uint64_t position) const override {
    return order_ ? prompt_of(kPoolSeed, order_->at(position)) : prompt_of(seed_, position);
  }
  Prompt distinct_prompt(int64_t index) const override { return prompt_of(kPoolSeed, static_cast<uint64_t>(index)); }
  int64_t evaluation_size() const override { return section_.puzzle.evaluation; }
  Prompt evaluation_prompt(int64_t index) const override {
    return prompt_of(kHeldOutSeed, static_cast<uint64_t>(index));
  }
  int64_t longest_prompt() const override { return longest_; }

  // Problems without end cannot all be measured. Those that are differ by a few characters from all others, and a
  // character is at most a few tokens.
  void measure(int64_t max_prompt_tokens) {
    constexpr int64_t kMeasured = 64, kSlack = 32;
    int64_t longest = 0;
    for (int64_t i = 0; i < kMeasured; ++i) {
      longest = std::max(longest, static_cast<int64_t>(training_prompt(static_cast<uint64_t>(i)).ids.size()));
      if (i < evaluation_size()) longest = std::max(longest, static_cast<int64_t>(evaluation_prompt(i).ids.size()));
    }
    longest_ = longest + kSlack;
    if (longest_ > max_prompt_tokens)
      fail(ErrorKind::input,
           "data.puzzle: prompts have up to {} tokens, more than the {} that are left for them; lower "
           "rollout.max_tokens "
           "or data.max_prompt_tokens",
           longest_, max_prompt_tokens);
  }

 private:
  // The held-out problems and the pool are the same for every run; their seeds are out of the way of a run's.
  static constexpr uint64_t kPoolSeed = uint64_t{1} << 32;
  static constexpr uint64_t kHeldOutSeed = uint64_t{1} << 33;

  Prompt prompt_of(uint64_t seed, uint64_t index) const {
    auto example = data::puzzle_example(section_.puzzle.options, seed, index);
    Prompt prompt;
    prompt.id = example.id;
    prompt.answer = example.answer;
    prompt.columns = example.columns;
    prompt.columns["answer"] = example.answer;
    prompt.text = example.prompt;
    if (chat_ != nullptr) {
      if (!section_.system.empty()) example.messages.insert(example.messages.begin(), {"system", section_.system});
      prompt.messages = example.messages;
      prompt.text = render_chat(*chat_, tokenizer_, example.messages, true);
    }
    prompt.ids = tokenizer_.encode(prompt.text, /*add_special_tokens=*/chat_ == nullptr);
    return prompt;
  }

  const DataSection section_;
  uint64_t seed_;
  const text::Tokenizer& tokenizer_;
  const text::ChatTemplate* chat_;
  std::optional<data::PromptOrder> order_;  // of the pool; absent: problems without end
  int64_t longest_ = 0;
};

}  // namespace

std::unique_ptr<PromptSource> make_puzzle_prompts(const DataSection& section, uint64_t seed,
                                                  const text::Tokenizer& tokenizer, const text::ChatTemplate* chat,
                                                  int64_t max_prompt_tokens) {
  auto source = std::make_unique<PuzzlePrompts>(section, seed, tokenizer, chat);
  const int64_t own = section.max_prompt_tokens;
  source->measure(own > 0 ? std::min(own, max_prompt_tokens) : max_prompt_tokens);
  return source;
}

}  // namespace laconic::trainers
