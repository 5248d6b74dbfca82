#include "laconic/trainers/sft_data.h"

#include <algorithm>
#include <cmath>

#include "laconic/core/base/error.h"
#include "laconic/core/base/rng.h"
#include "laconic/core/data/chain_examples.h"
#include "laconic/core/data/procedural/chain_sft.h"
#include "laconic/core/data/prompt_order.h"
#include "laconic/trainers/prompts.h"

namespace laconic::trainers {
namespace {

policy::ScoredSequence join_ids(const std::vector<int32_t>& prompt, const std::vector<int32_t>& completion) {
  policy::ScoredSequence sequence{prompt, static_cast<int64_t>(prompt.size())};
  sequence.ids.insert(sequence.ids.end(), completion.begin(), completion.end());
  return sequence;
}

int64_t sample_limit(const SftConfig& config, const TextWorkspace& workspace) {
  const int64_t window = workspace.config.max_positions;
  return config.train.max_tokens > 0 ? std::min<int64_t>(config.train.max_tokens, window) : window;
}

class FileSource final : public SftSource {
 public:
  FileSource(const SftConfig& config, const TextWorkspace& workspace)
      : train_(config.train),
        held_out_(config.train.eval_samples),
        samples_(read(config, workspace)),
        order_(samples_.size() - static_cast<size_t>(held_out_),
               mix_key({config.seed, static_cast<uint64_t>(DrawPurpose::sft_order)})) {}

  policy::ScoredSequence sample(int64_t step, int64_t index) const override {
    return samples_[order_.at(static_cast<uint64_t>(step * train_.batch_size + index))];
  }
  int64_t steps() const override {
    if (train_.steps > 0) return train_.steps;
    const double samples = train_.epochs * static_cast<double>(order_.count());
    return std::max<int64_t>(1, std::llround(std::ceil(samples / train_.batch_size)));
  }
  int64_t batch_size(int64_t /*step*/) const override { return train_.batch_size; }
  int64_t evaluation_size() const override { return held_out_; }
  policy::ScoredSequence evaluation_sample(int64_t index) const override {
    return samples_[samples_.size() - static_cast<size_t>(held_out_ - index)];
  }

 private:
  static std::vector<policy::ScoredSequence> read(const SftConfig& config, const TextWorkspace& workspace) {
    auto options = config.data.file_options();
    options.keep_columns = false;
    const auto dataset = load_part(options);
    const int64_t limit = sample_limit(config, workspace);
    std::vector<policy::ScoredSequence> samples;
    for (const auto& example : dataset.examples) {
      check_response(example);
      auto sample = at_source(example, [&] {
        return config.data.chat && workspace.chat ? chat_sample(example, workspace) : plain_sample(example, workspace);
      });
      if (static_cast<int64_t>(sample.ids.size()) > limit) {
        fail(ErrorKind::input,
             "{}: prompt and response have {} tokens, more than the {} that fit; raise train.max_tokens or leave the "
             "example out",
             example.source, sample.ids.size(), limit);
      }
      samples.push_back(std::move(sample));
    }
    if (config.train.eval_samples >= static_cast<int>(samples.size())) {
      fail(ErrorKind::usage,
           "train.eval_samples: {} held-out samples leave nothing to train on, the data has {} examples",
           config.train.eval_samples, samples.size());
    }
    return samples;
  }

  static void check_response(const data::Example& example) {
    if (example.response.empty()) {
      fail(ErrorKind::input, "{}: the example has no response; set data.response_column (or a last assistant message)",
           example.source);
    }
  }

  static policy::ScoredSequence plain_sample(const data::Example& example, const TextWorkspace& workspace) {
    auto completion = workspace.tokenizer->encode(example.response);
    if (completion.empty() || completion.back() != workspace.stop_ids.front())
      completion.push_back(workspace.stop_ids.front());
    const auto prompt = workspace.tokenizer->encode(example.prompt, /*add_special_tokens=*/true);
    if (prompt.empty()) fail(ErrorKind::input, "the prompt is empty");
    return join_ids(prompt, completion);
  }

  static policy::ScoredSequence chat_sample(const data::Example& example, const TextWorkspace& workspace) {
    const std::string prompt = render_chat(*workspace.chat, *workspace.tokenizer, example.messages, true);
    auto messages = example.messages;
    messages.push_back({"assistant", example.response});
    const std::string whole = render_chat(*workspace.chat, *workspace.tokenizer, messages, false);
    if (whole.compare(0, prompt.size(), prompt) != 0) {
      fail(ErrorKind::unsupported,
           "the chat template does not put the response behind the prompt, so its loss cannot be told apart");
    }
    // Prompt and completion are encoded apart, as they are when sampling; what follows the end token teaches nothing.
    auto completion = workspace.tokenizer->encode(std::string_view(whole).substr(prompt.size()));
    const auto end =
        std::find_first_of(completion.begin(), completion.end(), workspace.stop_ids.begin(), workspace.stop_ids.end());
    if (end != completion.end()) completion.erase(end + 1, completion.end());
    return join_ids(workspace.tokenizer->encode(prompt), completion);
  }

  SftTrainSection train_;
  int64_t held_out_;
  std::vector<policy::ScoredSequence> samples_;
  data::PromptOrder order_;
};

// Whether the tokenizer has the words of the chain task, under their ids.
bool speaks_chain(const text::Tokenizer& tokenizer) {
  const auto problem = data::chain_problem(data::ChainSplit::train, 0, 0);
  try {
    return tokenizer.encode(data::chain_example(problem).prompt) == data::chain_prompt_ids(problem);
  } catch (const Error&) {  // a word that it lacks
    return false;
  }
}

// The chain task: a clean phase, then the mixture; endless, so `steps` decides.
class ChainSource final : public SftSource {
 public:
  ChainSource(const SftConfig& config, const TextWorkspace& workspace) : seed_(config.seed), train_(config.train) {
    clean_steps_ = std::llround(train_.clean_share * train_.steps);
    clean_.answers = mixture_.answers = {config.data.chain_answer_threshold};
    mixture_.self_exit = train_.self_exit;
    check(workspace, sample_limit(config, workspace));
  }
  policy::ScoredSequence sample(int64_t step, int64_t index) const override {
    const bool clean = step < clean_steps_;
    const auto position =
        static_cast<uint64_t>(step) * static_cast<uint64_t>(std::max(train_.batch_size, train_.clean_batch_size)) +
        static_cast<uint64_t>(index);
    return sequence(clean ? clean_ : mixture_, mix_key({seed_, clean ? 1u : 2u}), position);
  }
  int64_t steps() const override { return train_.steps; }
  int64_t batch_size(int64_t step) const override {
    return step < clean_steps_ ? train_.clean_batch_size : train_.batch_size;
  }
  int64_t evaluation_size() const override { return train_.eval_samples; }
  policy::ScoredSequence evaluation_sample(int64_t index) const override {
    return sequence(mixture_, mix_key({seed_, 3u}), static_cast<uint64_t>(index));
  }

 private:
  // The samples are a function of the seed: what does not fit is found before the first step.
  void check(const TextWorkspace& workspace, int64_t limit) const {
    if (!speaks_chain(*workspace.tokenizer)) {
      fail(ErrorKind::usage,
           "data.source: chain is written with the words of the chain task; expected model.tokenizer: chain or a model "
           "trained on it");
    }
    for (int64_t step = 0; step < steps(); ++step) {
      for (int64_t index = 0; index < batch_size(step); ++index) {
        const auto length = static_cast<int64_t>(sample(step, index).ids.size());
        if (length <= limit) continue;
        fail(ErrorKind::usage,
             "sample {} of step {} has {} tokens, more than the {} that fit (train.max_tokens, the model's window)",
             index + 1, step + 1, length, limit);
      }
    }
  }

  static policy::ScoredSequence sequence(const data::ChainSftOptions& options, uint64_t seed, uint64_t index) {
    const auto sample = data::chain_sft_sample(options, seed, index);
    return join_ids(sample.prompt, sample.completion);
  }

  uint64_t seed_;
  SftTrainSection train_;
  int64_t clean_steps_ = 0;
  data::ChainSftOptions clean_ = data::chain_clean_phase();
  data::ChainSftOptions mixture_ = data::chain_mixture();
};

}  // namespace

std::unique_ptr<SftSource> make_sft_source(const SftConfig& config, const TextWorkspace& workspace) {
  if (config.data.source == DataSource::chain) return std::make_unique<ChainSource>(config, workspace);
  return std::make_unique<FileSource>(config, workspace);
}

}  // namespace laconic::trainers
