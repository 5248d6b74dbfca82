// Instructions and puzzles within a run: gold fields, prompts that are left out, puzzles without a file.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "laconic/core/base/error.h"
#include "laconic/core/metrics/jsonl.h"
#include "laconic/rewards/verifier.h"
#include "laconic/trainers/eval_run.h"
#include "laconic/trainers/prompts.h"
#include "tests/support/error_of.h"
#include "tests/trainers/chain_runs.h"

namespace laconic::trainers {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class PuzzleRuns : public testing::Test {
 protected:
  void SetUp() override { write_chain_model(folder_ / "model"); }

  // A tokenizer that takes every word for the same one.
  std::string blind_tokenizer() {
    const auto path = folder_ / "tokenizer.json";
    write_file_atomic(path, R"({"added_tokens": [], "normalizer": null, "pre_tokenizer": {"type": "WhitespaceSplit"},
      "post_processor": null, "decoder": null,
      "model": {"type": "WordLevel", "vocab": {"<pad>": 0, "<eos>": 1, "a": 2, "<unk>": 3}, "unk_token": "<unk>"}})");
    return path.string();
  }

  std::string failure_of(const std::string& lines, const std::vector<std::string>& overrides = {}) {
    write_file_atomic(folder_ / "data.jsonl", lines);
    std::vector<std::string> all = {"--data.path=" + (folder_ / "data.jsonl").string(),
                                    "--reward.verifier=instructions", "--train.steps=1",
                                    "--reward.terms=[tests_passed]"};
    all.insert(all.end(), overrides.begin(), overrides.end());
    const auto config = rl_config(folder_.path(), "data: {source: file, preset: ifeval}\n", all);
    return error_of([&] { RlTrainer(config, {}).run(); });
  }

  TemporaryFolder folder_;
};

const char* const kShort =
    R"({"key": 1, "prompt": "5 z +2 ?", "instruction_id_list": ["punctuation:no_comma", "detectable_format:title"], "kwargs": [{}, {}]})"
    "\n";
const char* const kGerman =
    R"({"key": 2, "prompt": "5 z +3 ?", "instruction_id_list": ["language:response_language"], "kwargs": [{"language": "de"}]})"
    "\n";
const char* const kMisspelt =
    R"({"key": 3, "prompt": "5 z +4 ?", "instruction_id_list": ["punctuation:no_coma"], "kwargs": [{}]})"
    "\n";

TEST_F(PuzzleRuns, TheShareOfInstructionsIsAReward) {
  EXPECT_EQ(failure_of(kShort, {"--reward.options.thinking=ignore", "--reward.options.truncated=graded"}), "");
  const auto row = metrics::read_jsonl(folder_ / "run/metrics.jsonl").rows.front();
  // A random model writes no comma and no title; an empty completion follows nothing.
  EXPECT_THAT(row.at("reward/tests_passed").get<double>(), AllOf(testing::Gt(0.25), testing::Le(0.5)));
  EXPECT_TRUE(metrics::read_jsonl(folder_ / "run/timing.jsonl").rows.front().contains("time/reward_s"));
}

TEST_F(PuzzleRuns, AnEvaluationTellsTheShare) {
  write_file_atomic(folder_ / "data.jsonl", std::string(kShort));
  EvalConfig config;
  config::read_from_yaml(
      "model: {tokenizer: chain, init: random}\ndata: {preset: ifeval}\nrollout: {max_tokens: 8}\n"
      "reward: {verifier: instructions, terms: [tests_passed], "
      "options: {thinking: ignore, truncated: graded}}\neval: {samples_per_prompt: 4}\n",
      "test",
      {"--model.path=" + (folder_ / "model").string(), "--data.path=" + (folder_ / "data.jsonl").string(),
       "--output.folder=" + (folder_ / "eval").string()},
      config);
  run_evaluation(config, "");
  const auto summary = nlohmann::json::parse(read_file(folder_ / "eval/summary.json"));
  EXPECT_THAT(summary.at("rewards").at("tests_passed").get<double>(), AllOf(testing::Gt(0.1), testing::Le(0.5)));
}

TEST_F(PuzzleRuns, PromptsThatCannotBeChecked) {
  EXPECT_THAT(failure_of(std::string(kShort) + kGerman),
              AllOf(HasSubstr("data.jsonl:2"), HasSubstr("language:response_language"), HasSubstr("skip_prompt")));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "run"));
  const std::vector<std::string> skip = {"--reward.options.unsupported=skip_prompt"};
  EXPECT_EQ(failure_of(std::string(kShort) + kGerman, skip), "");
  EXPECT_THAT(failure_of(kGerman, skip), HasSubstr("leaves out all 1 prompts"));
  EXPECT_THAT(failure_of(std::string(kShort) + kMisspelt, skip),
              AllOf(HasSubstr("data.jsonl:2"), HasSubstr("did you mean `punctuation:no_comma`")));
}

TEST_F(PuzzleRuns, PuzzlesNeedNoFile) {
  const std::vector<std::string> overrides = {"--model.tokenizer=" + blind_tokenizer(), "--reward.verifier=countdown",
                                              "--train.steps=1", "--eval.every=1"};
  const auto config = rl_config(
      folder_.path(), "data: {source: puzzle, puzzle: {kind: countdown, evaluation: 3, most_numbers: 5}}\n", overrides);
  EXPECT_EQ(error_of([&] { RlTrainer(config, {}).run(); }), "");
  EXPECT_EQ(metrics::read_jsonl(folder_ / "run/metrics.jsonl").rows.front().at("reward/accuracy"), 0.0);
}

TEST_F(PuzzleRuns, MistakesAreTold) {
  const auto problem = [&](const std::string& data, const std::vector<std::string>& overrides) {
    return error_of([&] { rl_config(folder_.path(), data, overrides); });
  };
  EXPECT_THAT(problem("data: {source: puzzle, puzzle: {kind: sudoku}}\n", {}),
              HasSubstr("the answers of sudoku are judged by verifier: sudoku (or external), found boxed_exact"));
  EXPECT_THAT(problem("data: {source: puzzle, puzzle: {kind: sudoku, size: 5}}\n", {"--reward.verifier=sudoku"}),
              HasSubstr("expected 4, 6 or 9"));
  EXPECT_THAT(
      problem("data: {source: puzzle, puzzle: {kind: sudoku, most_numbers: 5}}\n", {"--reward.verifier=sudoku"}),
      HasSubstr("most_numbers"));
  EXPECT_THAT(error_of([&] { sft_config(folder_.path(), {"--data.source=puzzle"}); }),
              HasSubstr("puzzles have no responses"));
}

TEST_F(PuzzleRuns, ThePromptsAreThoseOfSeedAndPosition) {
  blind_tokenizer();
  const auto tokenizer = text::Tokenizer::from_path(folder_ / "tokenizer.json");
  DataSection section;
  section.source = DataSource::puzzle;
  section.puzzle.options.kind = data::PuzzleKind::alphametic;
  const auto source = [&](uint64_t seed) { return make_prompt_source(section, seed, tokenizer, nullptr, 1000, {}); };
  EXPECT_EQ(source(1)->training_prompt(5).text, source(1)->training_prompt(5).text);
  EXPECT_NE(source(1)->training_prompt(5).text, source(2)->training_prompt(5).text);
  EXPECT_EQ(source(1)->evaluation_prompt(5).text, source(2)->evaluation_prompt(5).text);
  EXPECT_FALSE(source(1)->size());
  section.puzzle.problems = 3;
  EXPECT_EQ(source(1)->size(), 3);
  EXPECT_NE(source(1)->distinct_prompt(0).text, source(1)->distinct_prompt(1).text);
  const auto prompt = source(1)->distinct_prompt(0);
  const std::string response = "<answer>" + prompt.columns.at("solution").get<std::string>() + "</answer>";
  EXPECT_TRUE(rewards::make_verifier("alphametic")->verify({response, false, prompt.text}, prompt.answer).correct);
  EXPECT_THAT(error_of([&] { make_prompt_source(section, 1, tokenizer, nullptr, 10, {}); }),
              HasSubstr("data.puzzle: prompts have up to"));
}

}  // namespace
}  // namespace laconic::trainers
