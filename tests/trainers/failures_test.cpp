// What must end a run, or a step, with a clear word and without damage.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "laconic/core/base/error.h"
#include "laconic/core/metrics/jsonl.h"
#include "laconic/trainers/dry_run.h"
#include "laconic/trainers/eval_run.h"
#include "laconic/trainers/stop_signal.h"
#include "tests/support/error_of.h"
#include "tests/trainers/chain_runs.h"

namespace laconic::trainers {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

std::string failure_of(const RlConfig& config) {
  try {
    RlTrainer(config, {}).run();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

class Failures : public testing::Test {
 protected:
  void SetUp() override { write_chain_model(folder_ / "model"); }
  RlConfig config(const std::vector<std::string>& overrides) { return chain_config(folder_.path(), overrides); }
  TemporaryFolder folder_;
};

TEST_F(Failures, DivergenceEndsTheRunAndKeepsFiniteWeights) {
  const auto message = failure_of(config(
      {"--optimizer.lr=1e30", "--optimizer.warmup_steps=0", "--optimizer.max_skipped_steps=2", "--train.steps=30"}));
  EXPECT_THAT(message, testing::AnyOf(HasSubstr("not finite"), HasSubstr("non-finite")));
  EXPECT_FALSE(fs::exists(folder_ / "run/model"));
}

TEST_F(Failures, BeforeAnythingIsWritten) {
  const auto data = (folder_ / "data.jsonl").string();
  const auto with = [&](const std::string& content) {
    std::ofstream(data) << content;
    return failure_of(rl_config(folder_.path(),
                                "data: {source: file, prompt_column: question, answer_column: answer}\n",
                                {"--data.path=" + data}));
  };
  EXPECT_THAT(with(""), HasSubstr("data.jsonl"));
  EXPECT_THAT(with("{\"q\": \"1\", \"answer\": \"2\"}\n"), testing::AllOf(HasSubstr("question"), HasSubstr("q")));
  EXPECT_THAT(with("{\"question\": \"5 z +2 ?\", \"answer\": \"2\"}\nnot json\n"), HasSubstr(":2"));
  EXPECT_THAT(with("{\"question\": \"5 z +2 ?\"}\n"), HasSubstr("answer"));
  std::string many;
  for (int i = 0; i < 300; ++i) many += "5 ";
  EXPECT_THAT(with("{\"question\": \"" + many + "\", \"answer\": \"2\"}\n"), HasSubstr("tokens"));
  EXPECT_THAT(with("{\"question\": \"5 unknownword\", \"answer\": \"2\"}\n"), HasSubstr("unknownword"));
  EXPECT_THAT(failure_of(config({"--rollout.max_tokens=256"})), HasSubstr("window"));
  EXPECT_THAT(failure_of(config({"--model.path=/nonexistent"})), HasSubstr("/nonexistent"));
  EXPECT_FALSE(fs::exists(folder_ / "run"));
}

TEST_F(Failures, NamedRewardsThatNobodyComputes) {
  EXPECT_THAT(failure_of(config({"--objective.reward_weights.formt=1"})), HasSubstr("did you mean `format`"));
}

TEST_F(Failures, ARewardThatIsNotFinite) {
  EXPECT_THAT(failure_of(config({"--objective.reward_weights.format=1e308", "--objective.reward_weights.correct=1e308",
                                 "--train.steps=20"})),
              testing::AllOf(HasSubstr("the reward of completion"), HasSubstr("e+308")));
  EXPECT_FALSE(fs::exists(folder_ / "run/model"));
}

TEST_F(Failures, FilterExhausted) {
  EXPECT_THAT(failure_of(config({"--objective.filter.keep=all_correct", "--objective.filter.max_rounds=1",
                                 "--objective.filter.when_exhausted=error"})),
              HasSubstr("objective.filter.keep"));
}

TEST_F(Failures, AStepWithoutGroupsMakesNoUpdate) {
  EXPECT_EQ(failure_of(config({"--objective.filter.keep=all_correct", "--train.steps=2"})), "");
  EXPECT_TRUE(fs::exists(folder_ / "run/model/model.safetensors"));
}

TEST_F(Failures, AStopRequestAbandonsTheStepAndSaves) {
  request_stop();
  EXPECT_FALSE(RlTrainer(config({}), {}).run());
  clear_stop_request();
  EXPECT_TRUE(RlTrainer(config({}), {metrics::ExistingRun::resume, "", {}}).run());
  const TemporaryFolder whole;
  write_chain_model(whole / "model");
  RlTrainer(chain_config(whole.path()), {}).run();
  EXPECT_EQ(reproducible_files(folder_ / "run"), reproducible_files(whole / "run"));
}

TEST_F(Failures, EvaluationContinuesAfterAnInterruption) {
  EvalConfig eval;
  config::read_from_yaml(
      "model: {tokenizer: chain, init: random}\ndata: {source: chain, chain_per_grade: 6}\nrollout: {max_tokens: 24}\n"
      "reward: {verifier: boxed_exact}\neval: {samples_per_prompt: 3}\n",
      "test", {"--model.path=" + (folder_ / "model").string(), "--output.folder=" + (folder_ / "eval").string()}, eval);
  run_evaluation(eval, "test");
  const auto path = folder_ / "eval/eval.jsonl";
  const auto whole = read_file(path);
  // A killed call: some problems, and half a line.
  const auto cut = whole.find('\n', whole.size() / 2) + 20;
  std::ofstream(path) << whole.substr(0, cut);
  const auto report = run_evaluation(eval, "test");
  EXPECT_GT(report.reused, 5);
  EXPECT_LT(report.reused, 18);
  EXPECT_EQ(read_file(path), whole);
  {
    const metrics::JsonlWriter other(path, metrics::JsonlWriter::Mode::append);
    EXPECT_THAT(error_of([&] { run_evaluation(eval, "test"); }), HasSubstr("another process is writing it"));
    EXPECT_EQ(read_file(path), whole);
  }
  eval.eval.temperature = 0.5;
  EXPECT_THROW(run_evaluation(eval, "test"), Error);
}

TEST_F(Failures, DryRunWritesNothing) {
  const auto text = describe_plan(config({}));
  EXPECT_THAT(text, testing::AllOf(HasSubstr("parameters"), HasSubstr("KV cache"), HasSubstr("4 prompts x 4"),
                                   testing::Not(HasSubstr("copy for checkpoints"))));
  EXPECT_THAT(describe_plan(config({"--checkpoint.asynchronous=true"})), HasSubstr("copy for checkpoints"));
  EXPECT_FALSE(fs::exists(folder_ / "run"));
}

}  // namespace
}  // namespace laconic::trainers
