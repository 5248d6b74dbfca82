// The statistics that define the task's difficulty, and the grammar of every sample.
#include "laconic/core/data/procedural/chain_sft.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <set>
#include <vector>

namespace laconic::data {
namespace {

constexpr int kSamples = 60000;

struct Figures {
  double right = 0, count = 0, tokens = 0;
  std::vector<size_t> lengths;

  void add(bool is_right, size_t length) {
    right += is_right ? 1 : 0;
    count += 1;
    tokens += static_cast<double>(length);
    lengths.push_back(length);
  }
  double accuracy() const { return right / count; }
  double mean_tokens() const { return tokens / count; }
  double quantile(double p) {
    std::sort(lengths.begin(), lengths.end());
    return static_cast<double>(lengths[static_cast<size_t>(p * static_cast<double>(lengths.size() - 1))]);
  }
};

// Published: right 97 / 92 / 87 % by grade and 73 / 94 / 99 % by passes; 28 / 60 / 85 thinking tokens, 10-90 % 9-50,
// 27-101, 44-131.
TEST(ChainThinking, HasThePublishedStatistics) {
  std::array<Figures, 3> grades, passes;
  Rng rng(DrawPurpose::procedural_data, {7, 99});
  for (int i = 0; i < kSamples; ++i) {
    const auto problem = draw_chain_problem(rng, ChainSplit::train, {1, 1, 1});
    const auto thinking = draw_chain_thinking(rng, problem, {});
    ASSERT_LE(thinking.ids.size(), 150u);
    const bool right = thinking.result == chain_gold(problem);
    grades[static_cast<size_t>(problem.grade())].add(right, thinking.ids.size());
    passes[static_cast<size_t>(std::min(thinking.passes, 3) - 1)].add(right, thinking.ids.size());
  }
  const std::array<double, 3> right = {0.97, 0.92, 0.87}, by_passes = {0.73, 0.94, 0.99}, tokens = {28, 60, 85};
  const std::array<double, 3> low = {9, 27, 44}, high = {50, 101, 131};
  for (size_t g = 0; g < 3; ++g) {
    EXPECT_NEAR(grades[g].accuracy(), right[g], 0.02) << g;
    EXPECT_NEAR(passes[g].accuracy(), by_passes[g], 0.03) << g;
    EXPECT_NEAR(grades[g].mean_tokens(), tokens[g], 2) << g;
    EXPECT_NEAR(grades[g].quantile(0.1), low[g], 2) << g;
    EXPECT_NEAR(grades[g].quantile(0.9), high[g], 4) << g;
  }
  EXPECT_NEAR(passes[0].count / kSamples, 0.15, 0.02);
  EXPECT_NEAR(passes[1].count / kSamples, 0.60, 0.04);
}

// Reads a text by the grammar and returns an empty string, or what is wrong with it.
class GrammarReader {
 public:
  GrammarReader(const ChainProblem& problem, std::vector<int32_t> ids) : problem_(problem), ids_(std::move(ids)) {}

  std::string read_response() {
    while (at_ < ids_.size() && ids_[at_] != chain_id::end_think) {
      const auto id = ids_[at_];
      if (id == chain_id::hmm || id == chain_id::again || id == chain_id::wait || id == chain_id::stop) {
        ++at_;
      } else if (id == chain_id::box_open || !read_line()) {
        return "bad thinking at " + std::to_string(at_);
      }
    }
    if (at_ == ids_.size()) return "no </think>";
    ++at_;
    int lines = 0;
    while (at_ < ids_.size() && ids_[at_] != chain_id::box_open) {
      if (!read_line()) return "bad answer line at " + std::to_string(at_);
      ++lines;
    }
    if (lines > 2) return "more than two answer lines";
    const bool boxed = at_ + 4 == ids_.size() && ids_[at_ + 1] >= chain_id::digit && ids_[at_ + 1] < chain_id::label &&
                       ids_[at_ + 2] == chain_id::box_close && ids_[at_ + 3] == chain_id::eos;
    return boxed ? "" : "bad box";
  }

 private:
  // `label x op result`; a line that a cut ended early is accepted where `stop` follows.
  bool read_line() {
    const auto at = [this](size_t i) { return at_ + i < ids_.size() ? ids_[at_ + i] : -1; };
    int step = -1;
    for (int i = 0; i < problem_.steps(); ++i) {
      if (chain_label(i, problem_.steps()) == at(0)) step = i;
    }
    if (step < 0) return false;
    const auto result = step == problem_.steps() - 1 ? chain_id::final_result : chain_id::inner_result;
    const std::array<std::array<int32_t, 2>, 3> ranges = {
        {{chain_id::digit, 10}, {chain_id::op + problem_.ops[static_cast<size_t>(step)], 1}, {result, 10}}};
    for (size_t i = 0; i < 3; ++i) {
      if (at(i + 1) == chain_id::stop) {
        at_ += i + 1;
        return true;
      }
      if (at(i + 1) < ranges[i][0] || at(i + 1) >= ranges[i][0] + ranges[i][1]) return false;
    }
    at_ += 4;
    return true;
  }

  const ChainProblem& problem_;
  std::vector<int32_t> ids_;
  size_t at_ = 0;
};

TEST(ChainSft, EverySampleFollowsTheGrammarAndTheSharesHold) {
  std::array<double, 4> rows{};
  std::array<double, 4> right{};
  for (uint64_t i = 0; i < 40000; ++i) {
    const auto sample = chain_sft_sample(chain_mixture(), 3, i);
    const auto row = static_cast<size_t>(sample.row);
    rows[row] += 1;
    const auto problem_prompt = chain_prompt_ids(sample.problem);
    ASSERT_TRUE(std::equal(problem_prompt.begin(), problem_prompt.end(), sample.prompt.begin()));
    auto text = std::vector<int32_t>(sample.prompt.begin() + static_cast<std::ptrdiff_t>(problem_prompt.size()),
                                     sample.prompt.end());
    text.insert(text.end(), sample.completion.begin(), sample.completion.end());
    ASSERT_EQ(GrammarReader(sample.problem, text).read_response(), "")
        << chain_text(sample.prompt) << " | " << chain_text(sample.completion);
    ASSERT_EQ(chain_split(sample.problem), ChainSplit::train);
    // The inducer is never in the loss.
    ASSERT_EQ(std::count(sample.completion.begin(), sample.completion.end(), chain_id::stop), 0);
    const int boxed = sample.completion[sample.completion.size() - 3] - chain_id::digit;
    right[row] += boxed == chain_gold(sample.problem) ? 1 : 0;
  }
  const std::array<double, 4> shares = {0.74, 0.15, 0.10, 0.01};
  for (size_t row = 0; row < 4; ++row) {
    EXPECT_NEAR(rows[row] / 40000, shares[row], 0.01) << row;
    EXPECT_GT(right[row] / rows[row], 0.8) << row;
  }
}

TEST(ChainSft, TheCleanPhaseHasNoErrors) {
  double empty = 0, shorts = 0;
  for (uint64_t i = 0; i < 5000; ++i) {
    const auto sample = chain_sft_sample(chain_clean_phase(), 3, i);
    const auto& ids = sample.completion;
    ASSERT_EQ(ids[ids.size() - 3] - chain_id::digit, chain_gold(sample.problem));
    ASSERT_EQ(std::count(ids.begin(), ids.end(), chain_id::again), 0);
    ASSERT_EQ(std::count(ids.begin(), ids.end(), chain_id::hmm), 0);
    if (sample.problem.steps() > 2) {
      ASSERT_EQ(sample.row, ChainRow::thinking);
      continue;
    }
    shorts += 1;
    empty += sample.row == ChainRow::forced_empty ? 1 : 0;
  }
  EXPECT_NEAR(shorts / 5000, 0.5, 0.03);
  EXPECT_NEAR(empty / shorts, 0.3, 0.03);
}

TEST(ChainSft, TheShortestCompleteResponses) {
  ChainStyle silent;
  silent.verbosity_low = silent.verbosity_high = silent.filler = silent.slip = silent.misconception = 0;
  silent.passes = {1, 0, 0, 0};
  ChainSftOptions options;
  options.style = silent;
  options.rows = {1, 0, 0, 0};
  ChainSftOptions empty = options;
  empty.rows = {0, 0, 0, 1};
  for (uint64_t i = 0; i < 200; ++i) {
    const auto sample = chain_sft_sample(options, 1, i);
    EXPECT_EQ(sample.completion.size(), static_cast<size_t>(4 * sample.problem.steps() + 5));
    const auto direct = chain_sft_sample(empty, 1, i);
    EXPECT_EQ(direct.completion.size(), static_cast<size_t>(4 * std::min(direct.problem.steps(), 2) + 5));
  }
}

TEST(ChainSft, TheGuessableVariantBoxesTheClassOfTheChainsValue) {
  auto options = chain_mixture();
  options.answers.threshold = 2;
  std::array<double, 2> boxed_count{};
  for (uint64_t i = 0; i < 4000; ++i) {
    const auto plain = chain_sft_sample(chain_mixture(), 3, i), sample = chain_sft_sample(options, 3, i);
    ASSERT_EQ(sample.problem, plain.problem);
    ASSERT_EQ(sample.prompt, plain.prompt);
    const int value = plain.completion[plain.completion.size() - 3] - chain_id::digit;
    const int boxed = sample.completion[sample.completion.size() - 3] - chain_id::digit;
    ASSERT_EQ(boxed, value >= 2 ? 1 : 0);
    boxed_count[static_cast<size_t>(boxed)] += 1;
  }
  EXPECT_NEAR(boxed_count[1] / 4000, 0.8, 0.03);
}

TEST(ChainSft, SelfExitsWriteTheInducerIntoTheCompletion) {
  auto options = chain_mixture();
  options.self_exit = 0.25;
  double exits = 0, own = 0;
  for (uint64_t i = 0; i < 20000; ++i) {
    const auto sample = chain_sft_sample(options, 3, i);
    const bool says_stop = sample.completion.front() == chain_id::stop;
    if (sample.row != ChainRow::exit) {
      ASSERT_FALSE(says_stop);
      continue;
    }
    exits += 1;
    own += says_stop ? 1 : 0;
    ASSERT_EQ(says_stop ? sample.completion[1] : sample.prompt.back(), chain_id::end_think);
    ASSERT_NE(says_stop, sample.prompt.back() == chain_id::end_think);
  }
  EXPECT_NEAR(own / exits, 0.25, 0.03);
}

TEST(ChainSft, ASampleIsAFunctionOfSeedAndIndex) {
  const auto options = chain_mixture();
  const auto sample = chain_sft_sample(options, 11, 123456);
  EXPECT_EQ(sample.completion, chain_sft_sample(options, 11, 123456).completion);
  std::set<std::vector<int32_t>> seen;
  for (uint64_t i = 0; i < 50; ++i) {
    seen.insert(chain_sft_sample(options, 11, i).completion);
    seen.insert(chain_sft_sample(options, 12, i).completion);
  }
  EXPECT_GT(seen.size(), 90u);
}

}  // namespace
}  // namespace laconic::data
