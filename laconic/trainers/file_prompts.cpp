#include "laconic/trainers/file_prompts.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>
#include <variant>

#include "laconic/core/base/error.h"
#include "laconic/core/base/log.h"
#include "laconic/core/base/rng.h"
#include "laconic/core/data/curriculum_order.h"
#include "laconic/core/data/mixture_order.h"
#include "laconic/core/data/prompt_order.h"
#include "laconic/rewards/gold_check.h"
#include "laconic/trainers/pass_rates.h"

namespace laconic::trainers {
namespace {

// One set with the order in which training goes through it.
struct Part {
  std::string name;
  double weight = 1.0;
  std::vector<data::Example> examples;
  std::variant<data::PromptOrder, data::CurriculumOrder> order;

  const data::Example& at(uint64_t position) const {
    return examples[std::visit([&](const auto& o) { return o.at(position); }, order)];
  }
};

class FilePrompts final : public PromptSource {
 public:
  FilePrompts(const DataSection& section, uint64_t seed, const text::Tokenizer& tokenizer,
              const text::ChatTemplate* chat, const RewardSection& reward)
      : tokenizer_(tokenizer), chat_(chat), mixture_({1.0}, seed) {
    std::optional<PassRates> rates;
    if (!reward.external_decides()) gold_.emplace(reward.verifier, reward.options);
    if (section.curriculum) rates.emplace(section.curriculum->pass_rates, std::nullopt, "data.curriculum.pass_rates");
    std::vector<double> weights;
    double total = 0;
    for (const auto& part : section.parts()) total += part.weight;
    for (auto& part : section.parts()) {
      part.options.keep_columns = reward.external.any();
      part.options.json_answers = rewards::has_structured_gold(reward.verifier);
      // A set that is alone keeps the order that its seed has always had.
      const uint64_t own_seed = part.name.empty() ? seed : mix_key({seed, parts_.size() + 1});
      parts_.push_back(read_part(part, section.curriculum, rates, own_seed, part.weight / total));
      weights.push_back(part.weight);
      size_ += static_cast<int64_t>(parts_.back().examples.size());
    }
    mixture_ = data::MixtureOrder(weights, seed);
  }

  std::optional<int64_t> size() const override { return size_; }
  Prompt training_prompt(uint64_t position) const override {
    const auto place = mixture_.at(position);
    const Part& part = parts_[place.set];
    return prompt_of(part.at(place.position), part.name);
  }
  int64_t evaluation_size() const override { return size_; }
  Prompt evaluation_prompt(int64_t index) const override {
    for (const auto& part : parts_) {
      const auto count = static_cast<int64_t>(part.examples.size());
      if (index < count) return prompt_of(part.examples.at(static_cast<size_t>(index)), part.name);
      index -= count;
    }
    fail(ErrorKind::internal, "no prompt behind the last one");
  }
  Prompt distinct_prompt(int64_t index) const override { return evaluation_prompt(index); }

  int64_t longest_prompt() const override { return longest_; }

  // `window_rest`: what the model's window leaves beside the longest completion.
  void check(int64_t max_prompt_tokens, int64_t window_rest, const RewardSection& reward) {
    for (const auto& part : parts_) {
      for (const auto& example : part.examples) check(example, max_prompt_tokens, window_rest, reward);
    }
  }

 private:
  // `share`: of the positions, that the part is given.
  Part read_part(const DataPart& given, const std::optional<CurriculumSection>& curriculum,
                 const std::optional<PassRates>& rates, uint64_t seed, double share) const {
    auto examples = judged(load_part(given.options).examples, given.options.path.string());
    if (!curriculum) {
      const size_t count = examples.size();
      return {given.name, given.weight, std::move(examples), data::PromptOrder(count, seed)};
    }
    auto kept = rate(std::move(examples), *curriculum, *rates, given.options.path.string());
    auto plan = curriculum->plan;
    plan.positions = static_cast<uint64_t>(static_cast<double>(plan.positions) * share);
    data::CurriculumOrder order(data::easy_to_hard(kept.rates, seed), plan, seed);
    return {given.name, given.weight, std::move(kept.examples), std::move(order)};
  }

  // Those that the verifier can judge. A gold field that it cannot read is an error that names the line.
  std::vector<data::Example> judged(std::vector<data::Example> examples, const std::string& path) const {
    if (!gold_) return examples;
    std::map<std::string, size_t> left_out;  // by reason
    const size_t all = examples.size();
    std::erase_if(examples, [&](const data::Example& example) {
      if (example.answer.empty()) return false;  // told later
      const auto use = at_source(example, [&] { return gold_->of(example.answer); });
      if (use.skip) ++left_out[use.reason];
      return use.skip;
    });
    for (const auto& [reason, count] : left_out)
      log_warning("{}: {} of {} prompts are left out: {}", path, count, all, reason);
    if (examples.empty()) fail(ErrorKind::input, "{}: the verifier leaves out all {} prompts", path, all);
    return examples;
  }

  struct Rated {
    std::vector<data::Example> examples;
    std::vector<double> rates;
  };
  // Those whose pass rates lie between the bounds.
  Rated rate(std::vector<data::Example> examples, const CurriculumSection& curriculum, const PassRates& rates,
             const std::string& path) const {
    Rated kept;
    for (auto& example : examples) {
      const double rate = at_source(example, [&] { return rates.of(prompt_of(example, "")); });
      if (rate < curriculum.min_pass_rate || rate > curriculum.max_pass_rate) continue;
      kept.rates.push_back(rate);
      kept.examples.push_back(std::move(example));
    }
    if (kept.examples.empty()) {
      fail(ErrorKind::input, "{}: none of the {} prompts has a pass rate from {} to {} (data.curriculum)", path,
           examples.size(), curriculum.min_pass_rate, curriculum.max_pass_rate);
    }
    if (kept.examples.size() < examples.size()) {
      log_info("{}: {} of {} prompts have a pass rate from {} to {}", path, kept.examples.size(), examples.size(),
               curriculum.min_pass_rate, curriculum.max_pass_rate);
    }
    return kept;
  }

  void check(const data::Example& example, int64_t max_prompt_tokens, int64_t window_rest,
             const RewardSection& reward) {
    if (!reward.external_decides() && example.answer.empty())
      fail(ErrorKind::input, "{}: the example has no answer; set data.answer_column (or data.preset)", example.source);
    const auto prompt = at_source(example, [&] { return prompt_of(example, ""); });
    if (prompt.ids.empty()) fail(ErrorKind::input, "{}: the prompt is empty", example.source);
    const auto tokens = static_cast<int64_t>(prompt.ids.size());
    longest_ = std::max(longest_, tokens);
    if (tokens > window_rest) {
      fail(ErrorKind::input,
           "{}: the prompt has {} tokens, more than the {} that the model's window leaves beside the longest "
           "completion; lower rollout.max_tokens or leave the example out",
           example.source, tokens, window_rest);
    }
    if (max_prompt_tokens > 0 && tokens > max_prompt_tokens) {
      fail(ErrorKind::input,
           "{}: the prompt has {} tokens, more than data.max_prompt_tokens: {}; raise it or leave the example out",
           example.source, tokens, max_prompt_tokens);
    }
  }

  Prompt prompt_of(const data::Example& example, const std::string& label) const {
    Prompt prompt;
    prompt.id = example.id;
    prompt.answer = example.answer;
    prompt.label = label;
    prompt.columns = example.columns;
    if (chat_ != nullptr) prompt.messages = example.messages;
    prompt.text = chat_ != nullptr ? render_chat(*chat_, tokenizer_, example.messages, true) : example.prompt;
    // A template writes its own special tokens; bare text gets the tokenizer's.
    prompt.ids = tokenizer_.encode(prompt.text, /*add_special_tokens=*/chat_ == nullptr);
    return prompt;
  }

  const text::Tokenizer& tokenizer_;
  const text::ChatTemplate* chat_;
  std::optional<rewards::GoldChecker> gold_;  // absent where no gold answer is needed
  std::vector<Part> parts_;
  data::MixtureOrder mixture_;
  int64_t size_ = 0, longest_ = 0;
};

}  // namespace

std::unique_ptr<PromptSource> make_file_prompts(const DataSection& section, uint64_t seed,
                                                const text::Tokenizer& tokenizer, const text::ChatTemplate* chat,
                                                int64_t max_prompt_tokens, const RewardSection& reward) {
  auto source = std::make_unique<FilePrompts>(section, seed, tokenizer, chat, reward);
  source->check(section.max_prompt_tokens, max_prompt_tokens, reward);
  return source;
}

}  // namespace laconic::trainers
