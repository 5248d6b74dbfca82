// A run that is interrupted around an evaluation, or on another day, ends as one that was not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "laconic/core/base/error.h"
#include "laconic/core/data/procedural/chain_tokenizer.h"
#include "laconic/core/metrics/jsonl.h"
#include "laconic/trainers/stop_signal.h"
#include "tests/trainers/chain_runs.h"

namespace laconic::trainers {
namespace {

namespace fs = std::filesystem;

std::vector<int64_t> evaluated_steps(const fs::path& run) {
  std::vector<int64_t> steps;
  for (const auto& row : metrics::read_jsonl(run / "evaluations.jsonl").rows) steps.push_back(row["step"]);
  return steps;
}

RunOptions resuming() {
  RunOptions options;
  options.existing = metrics::ExistingRun::resume;
  return options;
}
// After the first update.
RunOptions stopping() {
  RunOptions options;
  options.stop_after_updates = 1;
  return options;
}

class Interruption : public testing::Test {
 protected:
  void SetUp() override { write_chain_model(folder_ / "model"); }
  void TearDown() override { clear_stop_request(); }
  RlConfig config(const std::vector<std::string>& overrides = {}) { return chain_config(folder_.path(), overrides); }
  TemporaryFolder folder_;
};

// The stop comes when the first evaluation is over and the first step has not ended.
TEST_F(Interruption, AnEvaluationIsMadeOnce) {
  {
    RlTrainer trainer(config(), stopping());
    EXPECT_FALSE(trainer.run());
  }
  for (int i = 0; i < 2; ++i) {  // stopped in the rollout of a step, twice at the same place
    request_stop();
    EXPECT_FALSE(RlTrainer(config(), resuming()).run());
    clear_stop_request();
  }
  EXPECT_TRUE(RlTrainer(config(), resuming()).run());
  EXPECT_EQ(evaluated_steps(folder_ / "run"), (std::vector<int64_t>{0, 2, 4}));
}

// A stop during the last evaluation must not leave a run without it.
TEST_F(Interruption, AnEvaluationThatWasCutOffIsMadeUpFor) {
  request_stop();
  EXPECT_FALSE(RlTrainer(config(), {}).run()) << "during the evaluation before training";
  clear_stop_request();
  EXPECT_EQ(evaluated_steps(folder_ / "run"), std::vector<int64_t>{});
  EXPECT_TRUE(RlTrainer(config(), resuming()).run());
  EXPECT_EQ(evaluated_steps(folder_ / "run"), (std::vector<int64_t>{0, 2, 4}));
}

// The chain tokenizer with a template that prints the date as two of its words.
class RecordedDay : public Interruption {
 protected:
  void SetUp() override {
    Interruption::SetUp();
    write_file_atomic(folder_ / "model/tokenizer.json", data::chain_tokenizer_json());
    write_file_atomic(folder_ / "model/tokenizer_config.json", data::chain_tokenizer_config_json());
    write_file_atomic(
        folder_ / "model/chat_template.jinja",
        "<bos> {{ strftime_now('%d')[0] }} {{ strftime_now('%d')[1] }} {{ messages[0].content }} <think>");
    write_file_atomic(folder_ / "data.jsonl", "{\"question\": \"5 z +2 ?\", \"answer\": \"7\"}\n");
  }
  RlConfig run_config(const std::string& today) {
    RlConfig config;
    config::read_from_yaml(
        "seed: 5\nmodel: {init: random}\nobjective: {name: grpo, group_size: 4}\nrollout: {max_tokens: 8}\n"
        "reward: {verifier: boxed_exact}\ntrain: {steps: 2, prompts_per_step: 2}\ncheckpoint: {every: 1}\n"
        "output: {tensorboard: false}\n",
        "test",
        {"--model.path=" + (folder_ / "model").string(), "--output.folder=" + (folder_ / "run").string(),
         "--data.path=" + (folder_ / "data.jsonl").string(), "--data.prompt_column=question",
         "--data.answer_column=answer", "--today=" + today},
        config);
    return config;
  }
  std::string prompt_of_last_sample() const {
    return metrics::read_jsonl(folder_ / "run/samples.jsonl").rows.back()["prompt"];
  }
};

TEST_F(RecordedDay, AResumedRunKeepsItsDay) {
  EXPECT_FALSE(RlTrainer(run_config("2024-02-29"), stopping()).run());
  EXPECT_THAT(read_file(folder_ / "run/config.yaml"), testing::HasSubstr("today: \"2024-02-29\""));
  EXPECT_TRUE(RlTrainer(run_config(""), resuming()).run());
  EXPECT_THAT(prompt_of_last_sample(), testing::HasSubstr("2 9 5 z"));
}

TEST_F(RecordedDay, AnotherDayIsAnotherRun) {
  EXPECT_FALSE(RlTrainer(run_config("2024-02-29"), stopping()).run());
  EXPECT_THROW(RlTrainer(run_config("2024-03-01"), resuming()).run(), Error);
}

TEST_F(RecordedDay, WithoutADateInTheTemplateNothingIsRecorded) {
  write_file_atomic(folder_ / "model/chat_template.jinja", "<bos> {{ messages[0].content }} <think>");
  EXPECT_TRUE(RlTrainer(run_config(""), {}).run());
  EXPECT_THAT(read_file(folder_ / "run/config.yaml"), testing::HasSubstr("today: \"\""));
}

}  // namespace
}  // namespace laconic::trainers
