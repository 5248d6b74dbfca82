// `laconic plan` as a person calls it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "laconic/core/base/files.h"
#include "tests/cli/run_cli.h"
#include "tests/support/temporary_folder.h"

namespace laconic::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;

std::string source(const std::string& path) {
  return LACONIC_SOURCE_DIR "/" + path;
}
const std::string kNode = source("configs/hardware/h100.yaml"), kShape = source("configs/shapes/qwen2.5-7b.json");

TEST(Plan, AModelOnSomeNodes) {
  const auto result = run_cli(
      {"plan", kNode, "--nodes", "4", "--model", kShape, "--new", "4096", "--mean-new", "1500", "--prompts", "256"});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(result.out, AllOf(HasSubstr("32 ranks"), HasSubstr("256 prompts x 8 = 2048 completions of 1500 tokens"),
                                HasSubstr("parameters, layers"), HasSubstr("use "), HasSubstr("bound ")));
}

TEST(Plan, AConfigurationSaysWhatTheStepIs) {
  const TemporaryFolder folder;
  write_file_atomic(folder / "run.yaml",
                    "model: {path: " + kShape +
                        ", dtype: bf16}\ndata: {path: nowhere.jsonl, prompt_column: q, answer_column: a}\n"
                        "objective: {name: grpo, group_size: 16, updates_per_rollout: 2, kl: {coefficient: 0.01}}\n"
                        "rollout: {max_tokens: 2048}\ntrain: {prompts_per_step: 64, recompute: true}\n"
                        "output: {folder: runs/x}\n");
  const auto run = (folder / "run.yaml").string();
  const auto result = run_cli({"plan", kNode, run});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(result.out, AllOf(HasSubstr("64 prompts x 16"), HasSubstr("at most 2048"), HasSubstr("2 update(s)"),
                                HasSubstr("logprobs of the sampling policy, a reference, recomputation")));
  const auto json = run_cli({"plan", kNode, run, "--prompts", "8", "--json"}).json();
  EXPECT_EQ(json["completions"], 128);
  EXPECT_GT(json["plans"][0]["memory_bytes"]["reference"], 0);
  EXPECT_GT(json["plans"][0]["seconds"]["score"], 0);
}

TEST(Plan, PromptsFitIntoASmallWindow) {
  const auto result = run_cli({"plan", source("configs/hardware/cpu.yaml"), source("configs/quickstart/rl.yaml"),
                               "--model", source("configs/quickstart/model")});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(result.out, AllOf(HasSubstr("1 rank of"), HasSubstr("16 prompts x 8"), HasSubstr("f32 weights")));
}

TEST(Plan, WhatIsWrongIsNamed) {
  const auto says = [](const Arguments& arguments, const std::string& text) {
    const auto result = run_cli(arguments);
    EXPECT_EQ(result.status, 2) << text;
    EXPECT_THAT(result.err, HasSubstr(text));
  };
  says({"plan", kNode}, "expected a configuration or --model, found neither");
  says({"plan", kNode, "--model", "/nowhere"}, "/nowhere does not exist");
  says({"plan", "/nowhere.yaml", "--model", kShape}, "/nowhere.yaml");
  says({"plan", kNode, "--model", kShape, "--nodes", "0"}, "--nodes: expected a whole number from 1");
  says({"plan", kNode, "--model", kShape, "--mean-new", "5000"}, "--mean-new: expected a number from 1 to 1024");
  says({"plan", kNode, "--model", kShape, "--new", "40000"}, "longer than the model's window of 32768");
  says({"plan", kNode, "--model", kShape, "--threads", "2"}, "--threads belongs to `here`");
  const TemporaryFolder folder;
  write_file_atomic(folder / "hw.yaml", "device: {flops: 1.0e+12, memory: 1.0e+9, bandwith: 1.0e+11}\n");
  says({"plan", (folder / "hw.yaml").string(), "--model", kShape}, "did you mean `device.bandwidth`");
  write_file_atomic(folder / "hw.yaml", "device: {flops: 1.0e+12, memory: 1.0e+9, bandwidth: 1.0e+11}\n");
  says({"plan", (folder / "hw.yaml").string(), "--model", kShape, "--nodes", "2"}, "links.between.bandwidth");
  says({"plan", (folder / "hw.yaml").string(), "--model", kShape, "--devices", "2"}, "links.within.bandwidth");
}

}  // namespace
}  // namespace laconic::cli
