// `laconic suite` as a user runs it: processes, results, resuming, failures.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/cli/run_program.h"

namespace laconic::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

class SuiteTest : public testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directories(folder_ / "model");
    write_file_atomic(folder_ / "model/config.json", R"({"architectures": ["Qwen3ForCausalLM"], "model_type": "qwen3",
      "vocab_size": 60, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 1, "num_attention_heads": 2,
      "num_key_value_heads": 2, "head_dim": 16, "max_position_embeddings": 256, "rms_norm_eps": 1e-6,
      "rope_theta": 1000.0, "hidden_act": "silu", "tie_word_embeddings": true, "eos_token_id": 2,
      "torch_dtype": "float32"})");
    write_file_atomic(folder_ / "base.yaml",
                      "model: {path: " + (folder_ / "model").string() +
                          ", tokenizer: chain, init: random}\ndata: {source: chain}\n"
                          "train: {steps: 4, batch_size: 4, clean_batch_size: 4}\noutput: {folder: x}\n");
    write_method("grpo", "");
    write_method("laser", "objective: {name: laser, group_size: 4}\n");
  }
  void write_method(const std::string& name, const std::string& more) const {
    write_file_atomic(folder_ / (name + ".yaml"),
                      "model: {path: " + (folder_ / "model").string() +
                          "}\ndata: {source: chain, chain_per_grade: 2}\nrollout: {max_tokens: 12}\n"
                          "reward: {verifier: boxed_exact}\ntrain: {steps: 2, prompts_per_step: 2}\n" +
                          more + "output: {folder: x, tensorboard: false}\n");
  }
  Outcome run(const std::vector<std::string>& more = {}) const {
    Arguments arguments = {"suite"};
    for (const char* name : {"base", "grpo", "laser"})
      arguments.push_back((folder_ / (std::string(name) + ".yaml")).string());
    for (const std::string& argument :
         {std::string("--seeds=2"), "--out=" + (folder_ / "out").string(), std::string("--suite.problems=2")})
      arguments.push_back(argument);
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_program(arguments);
  }

  TemporaryFolder folder_;
};

TEST_F(SuiteTest, RunsEverythingOnceAndWritesItsResults) {
  const auto first = run();
  ASSERT_EQ(first.status, 0) << first.err;
  EXPECT_THAT(first.out, HasSubstr("| grpo |"));
  EXPECT_THAT(first.out, HasSubstr("| laser |"));
  EXPECT_THAT(first.err, HasSubstr("laser on base, seed 1: accuracy"));
  const auto json = nlohmann::json::parse(read_file(folder_ / "out/suite.json"));
  EXPECT_EQ(json["bases"][0]["methods"].size(), 2u);
  EXPECT_EQ(json["bases"][0]["methods"][0]["seeds"], 2);
  const auto page = read_file(folder_ / "out/suite.html");

  const auto again = run();
  EXPECT_EQ(again.status, 0);
  EXPECT_THAT(again.err, Not(HasSubstr("laser on base"))) << "finished runs stay";
  EXPECT_EQ(again.out, first.out);
  EXPECT_EQ(read_file(folder_ / "out/suite.html"), page);
}

TEST_F(SuiteTest, AFailureIsToldCountedAndLeavesTheRest) {
  write_method("laser", "objective: {name: s_grpo, s_grpo: {inducer: stop}}\n");  // an inducer without </think>
  const auto outcome = run();
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.out, HasSubstr("| grpo |"));
  EXPECT_THAT(outcome.out, HasSubstr("2 failed"));
  EXPECT_THAT(outcome.err, HasSubstr("laser on base, seed 0 failed: status 2"));
}

TEST_F(SuiteTest, AFinishedRunUnderAnotherConfigurationIsNotReused) {
  ASSERT_EQ(run().status, 0);
  const auto outcome = run({"--steps=3"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.err, HasSubstr("was finished under another configuration"));
}

TEST_F(SuiteTest, TakesItsOwnOverridesOnly) {
  const auto outcome = run({"--train.steps=3"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_THAT(outcome.err, HasSubstr("expected --suite.key=value"));
}

}  // namespace
}  // namespace laconic::cli
