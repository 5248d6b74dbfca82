// Rewards of the user's own within training and evaluation.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "laconic/core/base/error.h"
#include "laconic/core/metrics/jsonl.h"
#include "laconic/trainers/dry_run.h"
#include "laconic/trainers/eval_run.h"
#include "tests/support/error_of.h"
#include "tests/trainers/chain_runs.h"

namespace laconic::trainers {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::Pair;

class ExternalRuns : public testing::Test {
 protected:
  void SetUp() override { write_chain_model(folder_ / "model"); }

  std::string write(const std::string& body) {
    write_file_atomic(folder_ / "mine.py", body);
    return (folder_ / "mine.py").string();
  }
  RlConfig config(const std::string& body, const std::vector<std::string>& overrides = {},
                  const std::string& function = "mine") {
    std::vector<std::string> all = {"--reward.python=" + write(body) + ":" + function, "--train.steps=2"};
    all.insert(all.end(), overrides.begin(), overrides.end());
    return chain_config(folder_.path(), all);
  }
  std::vector<nlohmann::ordered_json> rows() const { return metrics::read_jsonl(folder_ / "run/metrics.jsonl").rows; }
  std::string failure_of(const RlConfig& config, metrics::ExistingRun existing = metrics::ExistingRun::refuse) {
    RunOptions options;
    options.existing = existing;
    return error_of([&] { RlTrainer(config, options).run(); });
  }

  TemporaryFolder folder_;
};

constexpr const char* kLength = R"(
def mine(prompts, completions, completion_ids, answer, **kwargs):
    assert len(set(prompts)) == 1 and len(prompts) in (1, 4)  # of evaluations and of training
    return [len(ids) / 24 for ids in completion_ids]
)";

TEST_F(ExternalRuns, TheirSumIsTheReward) {
  const auto given = config(kLength, {"--objective.overlong.buffer=0", "--objective.kl.coefficient=0"});
  EXPECT_THAT(given.objective.common.reward_weights, testing::ElementsAre(Pair("mine", 1.0)));
  EXPECT_EQ(failure_of(given), "");
  ASSERT_EQ(rows().size(), 2U);
  for (const auto& row : rows()) {
    const double length = row.at("completion/mean_tokens");
    EXPECT_NEAR(row.at("reward/mean"), length / 24, 1e-6);
    EXPECT_NEAR(row.at("reward/mine"), length / 24, 1e-6);
    EXPECT_FALSE(row.contains("reward/failures"));
  }
  EXPECT_TRUE(metrics::read_jsonl(folder_ / "run/timing.jsonl").rows.front().contains("time/external_reward_s"));
}

TEST_F(ExternalRuns, TwoRunsAreOne) {
  EXPECT_EQ(failure_of(config(kLength, {"--reward.workers=1"})), "");
  const auto first = reproducible_files(folder_ / "run");
  fs::remove_all(folder_ / "run");
  EXPECT_EQ(failure_of(config(kLength, {"--reward.workers=3", "--reward.threads=2", "--rollout.max_rows=3"})), "");
  EXPECT_EQ(first, reproducible_files(folder_ / "run"));
}

TEST_F(ExternalRuns, WeighedWithTheOthers) {
  EXPECT_EQ(failure_of(config(kLength, {"--objective.reward_weights.mine=2", "--objective.reward_weights.format=1",
                                        "--objective.overlong.buffer=0", "--objective.kl.coefficient=0"})),
            "");
  for (const auto& row : rows()) {
    EXPECT_NEAR(row.at("reward/mean"), 2 * row.at("reward/mine").get<double>() + row.at("reward/format").get<double>(),
                1e-6);
  }
}

TEST_F(ExternalRuns, TheyDecideWhatIsRight) {
  const std::vector<std::string> decides = {"--reward.verifier=external", "--reward.correct_from=0.5",
                                            "--objective.filter.keep=mixed_correct"};
  EXPECT_EQ(failure_of(config("def mine(completions, **kw):\n    return [float(i) for i in range(len(completions))]\n",
                              decides)),
            "");
  for (const auto& row : rows()) EXPECT_NEAR(row.at("reward/accuracy"), 0.75, 1e-9);
  EXPECT_EQ(metrics::read_jsonl(folder_ / "run/evaluations.jsonl").rows.front().at("rewards").at("mine"), 0.0);
}

TEST_F(ExternalRuns, DataWithoutAnswers) {
  write_file_atomic(folder_ / "data.jsonl", "{\"question\": \"5 z +2 ?\", \"kind\": \"sum\"}\n");
  const auto file = write("def mine(completions, kind, **kw):\n    return [1.0 if kind[0] == 'sum' else 0.0] * 4\n");
  EXPECT_EQ(failure_of(rl_config(folder_.path(), "data: {source: file, prompt_column: question}\n",
                                 {"--data.path=" + (folder_ / "data.jsonl").string(), "--train.steps=1",
                                  "--reward.verifier=external", "--reward.python=" + file + ":mine"})),
            "");
  EXPECT_EQ(rows().front().at("reward/mine"), 1.0);
}

TEST_F(ExternalRuns, TheGoldAnswerInPlaceOfAColumn) {
  write_file_atomic(folder_ / "data.jsonl", "{\"question\": \"5 z +2 ?\", \"answer\": \"5 + 2 is 7\\n#### 7\"}\n");
  const auto file =
      write("def mine(completions, answer, question, **kw):\n    return [float(len(a)) for a in answer]\n");
  const auto reward_with = [&](const std::string& column) {
    fs::remove_all(folder_ / "run");
    EXPECT_EQ(failure_of(rl_config(folder_.path(), "data: {source: file, preset: gsm8k}\n",
                                   {"--data.path=" + (folder_ / "data.jsonl").string(), "--train.steps=1",
                                    "--reward.python=" + file + ":mine", "--reward.gold_column=" + column})),
              "");
    return rows().front().at("reward/mine").get<double>();
  };
  EXPECT_EQ(reward_with(""), 17.0);
  EXPECT_EQ(reward_with("answer"), 1.0);
}

TEST_F(ExternalRuns, NoneIsLeftOutOfTheSum) {
  const std::string body = R"(
def mine(completions, **kw):
    return [None, None, None, 5.0][-len(completions):]
def other(completions, **kw):
    return [None, 1.0, 2.0, 3.0][-len(completions):]
)";
  auto given = config(body, {"--objective.overlong.buffer=0", "--objective.kl.coefficient=0"});
  given.reward.external.python += "," + (folder_ / "mine.py").string() + ":other";
  given.objective.common.reward_weights["other"] = 1.0;
  EXPECT_EQ(failure_of(given), "");
  for (const auto& row : rows()) {
    EXPECT_NEAR(row.at("reward/mean"), (1.0 + 2.0 + 8.0) / 3, 1e-6);
    EXPECT_NEAR(row.at("reward/mine"), 5.0, 1e-6);
    EXPECT_NEAR(row.at("reward/unscored"), 0.25, 1e-9);
  }
}

TEST_F(ExternalRuns, AFailureSavesWhatWasDoneAndMendingGoesOn) {
  const std::string raises = R"(
def mine(completions, trainer_state, **kw):
    if trainer_state.global_step == 1:
        raise ValueError("on purpose")
    return [float(len(c)) for c in completions]
)";
  EXPECT_THAT(failure_of(config(raises)), AllOf(HasSubstr("Traceback"), HasSubstr("ValueError: on purpose"),
                                                HasSubstr("mine.py:mine raised"), HasSubstr("chain:")));
  EXPECT_EQ(rows().size(), 1U);
  const std::string mended = "def mine(completions, **kw):\n    return [float(len(c)) for c in completions]\n";
  EXPECT_EQ(failure_of(config(mended), metrics::ExistingRun::resume), "");
  const auto resumed = reproducible_files(folder_ / "run");
  fs::remove_all(folder_ / "run");
  EXPECT_EQ(failure_of(config(mended)), "");
  EXPECT_EQ(resumed, reproducible_files(folder_ / "run"));
}

TEST_F(ExternalRuns, GroupsThatFailAreDroppedOrZero) {
  const std::string raises = R"(
calls = 0
def mine(completions, **kw):
    global calls
    calls += 1
    if calls % 2 == 1:
        raise ValueError("on purpose")
    return [float(i) for i in range(len(completions))]
)";
  EXPECT_EQ(failure_of(config(raises, {"--reward.on_error=drop_group", "--reward.retries=0"})), "");
  EXPECT_EQ(rows().front().at("groups/kept"), 2.0);
  EXPECT_EQ(rows().front().at("reward/failures"), 2.0);
  EXPECT_EQ(rows().front().at("reward_failures/raised"), 2.0);
  EXPECT_EQ(rows().front().at("reward_failures/dropped_groups"), 2.0);
  fs::remove_all(folder_ / "run");
  EXPECT_EQ(failure_of(config(raises, {"--reward.on_error=zero", "--reward.retries=0"})), "");
  EXPECT_EQ(rows().front().at("groups/kept"), 4.0);
  EXPECT_NEAR(rows().front().at("reward/mine"), 0.75, 1e-9);
}

TEST_F(ExternalRuns, BeforeAnythingIsWritten) {
  EXPECT_THAT(failure_of(config("def mine(:\n")), HasSubstr("SyntaxError"));
  EXPECT_THAT(error_of([&] { describe_plan(config("import nonesuch\n")); }), HasSubstr("nonesuch"));
  EXPECT_THAT(error_of([&] { config(kLength, {}, "mine,absent.py:other"); }), HasSubstr("absent.py does not exist"));
  EXPECT_THAT(error_of([&] { config("def steps(**kw): pass\n", {}, "steps"); }), HasSubstr("my_steps=FILE.py"));
  EXPECT_THAT(error_of([&] { chain_config(folder_.path(), {"--reward.verifier=external"}); }),
              HasSubstr("needs a reward of your own"));
  EXPECT_THAT(error_of([&] { config(kLength, {"--objective.name=laser"}); }), HasSubstr("verifier: external"));
  EXPECT_FALSE(fs::exists(folder_ / "run"));
}

TEST_F(ExternalRuns, Evaluations) {
  EvalConfig eval;
  config::read_from_yaml("{data: {source: chain, chain_per_grade: 2}, model: {tokenizer: chain, init: random}}", "test",
                         {"--model.path=" + (folder_ / "model").string(),
                          "--output.folder=" + (folder_ / "eval").string(), "--rollout.max_tokens=8",
                          "--reward.python=" + write("def mine(completions, **kw):\n    return [0.25]\n") + ":mine"},
                         eval);
  const auto report = run_evaluation(eval, "test");
  EXPECT_THAT(report.rewards, testing::ElementsAre(Pair("mine", 0.25)));
  const auto row = metrics::read_jsonl(folder_ / "eval/eval.jsonl").rows.at(1);
  EXPECT_EQ(row.at("completions").at(0).at("rewards").at("mine"), 0.25);
  EXPECT_FALSE(report.to_json().contains("reward_failures"));
}

TEST_F(ExternalRuns, FailuresOfEvaluationsAreTold) {
  EvalConfig eval;
  config::read_from_yaml(
      "{data: {source: chain, chain_per_grade: 1}, model: {tokenizer: chain, init: random}}", "test",
      {"--model.path=" + (folder_ / "model").string(), "--output.folder=" + (folder_ / "eval").string(),
       "--rollout.max_tokens=8",
       "--reward.python=" + write("def mine(completions, **kw):\n    return [float('nan')]\n") + ":mine",
       "--reward.on_error=zero", "--reward.retries=0"},
      eval);
  const auto report = run_evaluation(eval, "test");
  EXPECT_THAT(report.rewards, testing::ElementsAre(Pair("mine", 0.0)));
  EXPECT_THAT(report.reward_failures, testing::ElementsAre(Pair("value", 3), Pair("zeroed_groups", 3)));
  EXPECT_THAT(describe(report), testing::EndsWith(", reward failures: value 3, zeroed_groups 3"));
  EXPECT_EQ(report.to_json().at("reward_failures").at("value"), 3);
}

}  // namespace
}  // namespace laconic::trainers
