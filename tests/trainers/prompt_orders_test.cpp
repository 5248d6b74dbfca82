// Mixtures and curricula in a run: shares, difficulty, and a resumed run that goes on with the very next prompt.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "laconic/core/base/error.h"
#include "laconic/core/base/strings.h"
#include "laconic/core/data/procedural/chain_tokenizer.h"
#include "laconic/core/metrics/jsonl.h"
#include "laconic/trainers/pass_rates.h"
#include "laconic/trainers/prompts.h"
#include "tests/support/error_of.h"
#include "tests/trainers/chain_runs.h"

namespace laconic::trainers {
namespace {

using testing::HasSubstr;

// Prompts "0 z +d ?" with the answer d: `count` of them, from d = `first` on.
std::string problems(int first, int count) {
  std::string lines;
  for (int d = first; d < first + count; ++d) {
    const nlohmann::json line = {{"question", std::to_string(d) + " z +2 ?"}, {"answer", std::to_string(d)}};
    lines += line.dump() + "\n";
  }
  return lines;
}

class PromptOrders : public testing::Test {
 protected:
  void SetUp() override {
    write_file_atomic(folder_ / "a.jsonl", problems(0, 6));
    write_file_atomic(folder_ / "b.jsonl", problems(6, 4));
  }

  DataSection section(const std::string& yaml) {
    DataSection section;
    config::read_from_yaml(placed(yaml), "test", {}, section);
    return section;
  }
  std::unique_ptr<PromptSource> source(const std::string& yaml, uint64_t seed = 3, const RewardSection& reward = {}) {
    return make_prompt_source(section(yaml), seed, tokenizer_, nullptr, 64, reward);
  }
  std::string placed(std::string text) {
    for (size_t at = text.find('@'); at != std::string::npos; at = text.find('@'))
      text.replace(at, 1, folder_.path().string());
    return text;
  }
  // Rates for the prompts of a source, as `laconic eval` writes them.
  void write_rates(const PromptSource& prompts, const std::function<double(const Prompt&)>& rate) {
    nlohmann::ordered_json header = {{"evaluation", 1}, {"prompts", *prompts.size()}, {"verifier", "exact"}};
    std::string lines = header.dump() + "\n";
    for (int64_t i = 0; i < *prompts.size(); ++i) {
      const auto prompt = prompts.distinct_prompt(i);
      nlohmann::ordered_json row = {{"index", i}, {"prompt_hash", prompt_hash(prompt)}, {"pass_rate", rate(prompt)}};
      lines += row.dump() + "\n";
    }
    write_file_atomic(folder_ / "rates.jsonl", lines);
  }
  static double easy_for_small_answers(const Prompt& prompt) { return 1.0 - 0.1 * std::stoi(prompt.answer); }

  const std::string columns_ = "prompt_column: question\nanswer_column: answer\n";
  const std::string mixture_ = columns_ + "mixture: [{path: @/a.jsonl, weight: 3}, {path: @/b.jsonl, name: second}]\n";
  text::Tokenizer tokenizer_ =
      text::Tokenizer::from_json_text(data::chain_tokenizer_json(), "chain", data::chain_tokenizer_config_json());
  TemporaryFolder folder_;
};

TEST_F(PromptOrders, AMixtureHasItsShares) {
  const auto prompts = source(mixture_), again = source(mixture_), other = source(mixture_, 4);
  EXPECT_EQ(*prompts->size(), 10);
  std::map<std::string, int> count;
  int differences = 0;
  for (uint64_t p = 0; p < 80; ++p) {
    const auto prompt = prompts->training_prompt(p);
    ++count[prompt.label];
    EXPECT_EQ(prompt.id, again->training_prompt(p).id);
    differences += prompt.id != other->training_prompt(p).id ? 1 : 0;
  }
  EXPECT_EQ(count, (std::map<std::string, int>{{"a", 60}, {"second", 20}}));
  EXPECT_GT(differences, 10);
  std::set<std::string> distinct, evaluated;
  for (int64_t i = 0; i < 10; ++i) {
    distinct.insert(prompts->distinct_prompt(i).answer);
    evaluated.insert(prompts->evaluation_prompt(i).label + prompts->evaluation_prompt(i).answer);
  }
  EXPECT_EQ(distinct.size(), 10u);
  EXPECT_TRUE(evaluated.contains("a0") && evaluated.contains("second9"));
}

TEST_F(PromptOrders, OneSetKeepsTheOrderOfItsSeed) {
  const auto alone = source(columns_ + "path: @/a.jsonl\n");
  const data::PromptOrder order(6, 3);
  for (uint64_t p = 0; p < 30; ++p) EXPECT_EQ(alone->training_prompt(p).answer, std::to_string(order.at(p)));
  EXPECT_EQ(alone->training_prompt(0).label, "");
}

TEST_F(PromptOrders, ColumnsAreKeptForRewardsOfOnesOwnAlone) {
  const std::string one = columns_ + "path: @/a.jsonl\n";
  EXPECT_TRUE(source(one)->training_prompt(0).columns.is_null());
  RewardSection reward;
  reward.external.command = "true";
  EXPECT_TRUE(source(one, 3, reward)->training_prompt(0).columns.contains("question"));
}

TEST_F(PromptOrders, ACurriculumGoesFromEasyToHard) {
  const std::string one = columns_ + "path: @/a.jsonl\n";
  write_rates(*source(one), easy_for_small_answers);
  const auto prompts = source(one + "curriculum: {pass_rates: @/rates.jsonl, stages: 6}\n");
  for (uint64_t p = 0; p < 18; ++p) EXPECT_EQ(prompts->training_prompt(p).answer, std::to_string(p % 6));
  const auto band = source(one + "curriculum: {pass_rates: @/rates.jsonl, order: band, band: 0.34, prompts: 6}\n");
  std::vector<int> answers;
  for (uint64_t p = 0; p < 8; ++p) answers.push_back(std::stoi(band->training_prompt(p).answer));
  for (auto pair = answers.begin(); pair != answers.end(); pair += 2) std::sort(pair, pair + 2);
  EXPECT_EQ(answers, (std::vector<int>{0, 1, 2, 3, 4, 5, 4, 5}));
  const auto middle =
      source(one + "curriculum: {pass_rates: @/rates.jsonl, min_pass_rate: 0.65, max_pass_rate: 0.95}\n");
  EXPECT_EQ(*middle->size(), 3) << "answers 1 to 3";
}

TEST_F(PromptOrders, ACurriculumInAMixtureIsThatOfEachPart) {
  write_rates(*source(mixture_), easy_for_small_answers);
  const auto prompts = source(mixture_ + "curriculum: {pass_rates: @/rates.jsonl, stages: 100}\n");
  std::map<std::string, std::string> answers;
  for (uint64_t p = 0; p < 16; ++p) answers[prompts->training_prompt(p).label] += prompts->training_prompt(p).answer;
  EXPECT_EQ(answers["a"], "012345012345");
  EXPECT_EQ(answers["second"], "6789");
}

TEST_F(PromptOrders, WhatIsWrongIsSaidBeforeTheRun) {
  const auto complaint = [&](const std::string& yaml) { return error_of([&] { source(yaml); }); };
  const std::string one = columns_ + "path: @/a.jsonl\n";
  EXPECT_THAT(complaint(one + "mixture: [{path: @/b.jsonl}]\n"), HasSubstr("path and mixture both name data files"));
  EXPECT_THAT(complaint(columns_ + "mixture: [{path: @/a.jsonl}, {path: @/a.jsonl}]\n"),
              HasSubstr("are both called `a`; give one of them a name"));
  EXPECT_THAT(complaint(columns_ + "mixture: [{path: @/a.jsonl, weight: 0}]\n"),
              HasSubstr("mixture[0].weight: expected a number > 0"));
  EXPECT_THAT(complaint(columns_), HasSubstr("needs the path of a data file"));
  EXPECT_THAT(complaint(one + "curriculum: {pass_rates: @/absent}\n"),
              HasSubstr("data.curriculum.pass_rates: " + placed("@/absent does not exist")));
  write_rates(*source(columns_ + "path: @/b.jsonl\n"), easy_for_small_answers);
  EXPECT_THAT(complaint(one + "curriculum: {pass_rates: @/rates.jsonl}\n"), HasSubstr("no pass rate for the prompt"));
  write_rates(*source(one), easy_for_small_answers);
  EXPECT_THAT(complaint(one + "curriculum: {pass_rates: @/rates.jsonl, min_pass_rate: 0.01, max_pass_rate: 0.02}\n"),
              HasSubstr("none of the 6 prompts has a pass rate from 0.01 to 0.02"));
  EXPECT_THAT(complaint(one + "curriculum: {pass_rates: @/rates.jsonl, band: 0.5}\n"),
              HasSubstr("curriculum.band: exists only with order: band"));
}

class ResumedOrders : public PromptOrders {
 protected:
  void SetUp() override {
    PromptOrders::SetUp();
    write_chain_model(folder_ / "model");
    write_rates(*source(mixture_), easy_for_small_answers);
  }
  RlConfig run_config(const std::string& name) {
    RlConfig config;
    std::string data = mixture_ + "curriculum: {pass_rates: @/rates.jsonl, order: band, band: 0.5, prompts: 12}\n";
    std::string indented = "data:\n";
    for (const auto& line : split(data, '\n')) indented += line.empty() ? "" : "  " + line + "\n";
    config::read_from_yaml(
        placed("seed: 5\nmodel: {path: @/model, tokenizer: chain, init: random}\n" + indented +
               "objective: {name: grpo, group_size: 2}\nrollout: {max_tokens: 4}\nreward: {verifier: boxed_exact}\n"
               "train: {steps: 6, prompts_per_step: 3}\ncheckpoint: {every: 1}\n"
               "output: {tensorboard: false, samples_per_step: 3, folder: @/" +
               name + "}\n"),
        "test", {}, config);
    return config;
  }
  std::vector<std::string> prompts_of(const std::string& name) const {
    std::vector<std::string> ids;
    for (const auto& row : metrics::read_jsonl(folder_ / name / "samples.jsonl").rows) ids.push_back(row["prompt_id"]);
    return ids;
  }
};

TEST_F(ResumedOrders, TheNextPromptIsThatOfTheUninterruptedRun) {
  EXPECT_TRUE(RlTrainer(run_config("whole"), {}).run());
  RunOptions options;
  options.stop_after_updates = 2;
  EXPECT_FALSE(RlTrainer(run_config("parts"), options).run());
  options.existing = metrics::ExistingRun::resume;
  EXPECT_FALSE(RlTrainer(run_config("parts"), options).run());
  options.stop_after_updates.reset();
  EXPECT_TRUE(RlTrainer(run_config("parts"), options).run());
  EXPECT_EQ(prompts_of("whole").size(), 18u);
  EXPECT_EQ(prompts_of("parts"), prompts_of("whole"));
}

TEST_F(ResumedOrders, OtherPassRatesAreAnotherRun) {
  RunOptions options;
  options.stop_after_updates = 1;
  EXPECT_FALSE(RlTrainer(run_config("run"), options).run());
  write_rates(*source(mixture_), [](const Prompt&) { return 0.5; });
  options.existing = metrics::ExistingRun::resume;
  EXPECT_THAT(error_of([&] { RlTrainer(run_config("run"), options).run(); }),
              HasSubstr("content of data.curriculum.pass_rates"));
}

TEST(PromptOrdersOf, CommandsThatHaveNone) {
  const auto complaint = [](auto config, const std::string& data) {
    return error_of(
        [&] { config::read_from_yaml("model: {path: m}\noutput: {folder: o}\ndata: " + data, "test", {}, config); });
  };
  const std::string curriculum = "{path: a.jsonl, curriculum: {pass_rates: x}}";
  EXPECT_THAT(complaint(SftConfig(), "{mixture: [{path: a.jsonl}]}"), HasSubstr("`laconic sft` reads one set"));
  EXPECT_THAT(complaint(SftConfig(), curriculum), HasSubstr("`laconic sft` shuffles its samples"));
  EXPECT_THAT(complaint(EvalConfig(), curriculum), HasSubstr("an evaluation takes every prompt once"));
  EXPECT_THAT(complaint(EvalConfig(), "{mixture: [{path: a.jsonl}]}"), testing::Not(HasSubstr("mixture")));
}

}  // namespace
}  // namespace laconic::trainers
