// All problems of a file together, files that are none, and JSON.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "laconic/core/base/strings.h"
#include "sample_config.h"

namespace laconic::config {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

TEST(Problems, AreReportedTogetherInTheOrderOfTheFileThenOfTheOverrides) {
  const std::string message = sample_error(
      "train:\n"
      "  steps: 0\n"
      "  stepz: 1\n"
      "seed: x\n"
      "seed: 2\n"
      "data: 5\n"
      "objective: {loss: {kind: clip}}\n",
      {"--rollout.top_p=2", "--nonsense", "--reward.format=yes"});
  const auto lines = split(message, '\n');
  ASSERT_EQ(lines.size(), 9u) << message;
  EXPECT_THAT(lines[0], StartsWith("run.yaml:2:10: train.steps: expected a whole number >= 1"));
  EXPECT_THAT(lines[1], StartsWith("run.yaml:3:3: train.stepz: unknown key"));
  EXPECT_THAT(lines[2], StartsWith("run.yaml:4:7: seed: expected a whole number"));
  EXPECT_THAT(lines[3], StartsWith("run.yaml:5:1: the key `seed` stands twice"));
  EXPECT_THAT(lines[4], StartsWith("run.yaml:6:7: data: expected a section"));
  EXPECT_THAT(lines[5], StartsWith("run.yaml:7:26: objective.loss.kind: expected one of"));
  EXPECT_THAT(lines[6], StartsWith("--rollout.top_p=2: rollout.top_p: expected a number in (0, 1]"));
  EXPECT_THAT(lines[7], StartsWith("--nonsense: expected --section.key=value"));
  EXPECT_THAT(lines[8], StartsWith("--reward.format=yes: reward.format: expected true or false"));
}

TEST(Problems, BeyondTwentyAreCounted) {
  std::string yaml = "train:\n";
  for (int i = 0; i < 25; ++i) yaml += "  key_" + std::to_string(i) + ": 1\n";
  const auto lines = split(sample_error(yaml), '\n');
  ASSERT_EQ(lines.size(), 21u);
  EXPECT_EQ(lines.back(), "... and 5 more problems");
}

class Files : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "laconic_config_XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
    std::ofstream(folder_ / "grpo.yaml") << "train: {steps: 7}\n";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string error_of(const std::filesystem::path& path) {
    try {
      SampleConfig config;
      read_from_file(path, {}, config);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::usage);
      return error.what();
    }
    return "";
  }

  std::filesystem::path folder_;
};

TEST_F(Files, AreRead) {
  SampleConfig config;
  read_from_file(folder_ / "grpo.yaml", {"--train.lr=0.5"}, config);
  EXPECT_EQ(config.train.steps, 7);
  EXPECT_EQ(config.train.lr, 0.5);
}

TEST_F(Files, ThatAreMissingOrFoldersAreErrors) {
  EXPECT_THAT(error_of(folder_ / "grpoo.yaml"), HasSubstr("did you mean"));
  EXPECT_THAT(error_of(folder_ / "grpoo.yaml"), HasSubstr((folder_ / "grpo.yaml").string()));
  EXPECT_THAT(error_of(folder_ / "no_such_folder" / "x.yaml"), HasSubstr("No such file"));
  EXPECT_THAT(error_of(folder_), HasSubstr("expected a YAML file, found a folder"));
}

std::string json_error(const std::string& text) {
  try {
    SampleObjective objective;
    read_from_json(Json::parse(text), objective, "objective");
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    return error.what();
  }
  return "";
}

TEST(FromJson, ReadsTheSameFields) {
  SampleObjective objective;
  read_from_json(Json::parse(R"({"name": "laser", "preset": "dapo", "loss": {"clip_low": 1e-3, "dual_clip": null},
                                 "reward_weights": {"a": 1, "b": 0.5}, "laser": {"target_length": 12.0}})"),
                 objective, "objective");
  EXPECT_EQ(objective.group_size, 16);
  EXPECT_EQ(objective.loss.clip_low, 1e-3);
  EXPECT_EQ(objective.reward_weights.at("b"), 0.5);
  EXPECT_EQ(dynamic_cast<LaserMethod&>(*objective.own).target_length, 12);
}

TEST(FromJson, ErrorsNameTheKey) {
  EXPECT_EQ(json_error(R"({"loss": {"clip_lo": 1}})"),
            "objective.loss.clip_lo: unknown key (did you mean `objective.loss.clip_low`?)");
  EXPECT_EQ(json_error(R"({"group_size": "8"})"),
            "objective.group_size: expected a whole number in [1, 65536], found the string \"8\" (a number stands "
            "without quotes)");
  EXPECT_EQ(json_error(R"({"group_size": 1.5})"),
            "objective.group_size: expected a whole number in [1, 65536], found `1.5`");
  EXPECT_EQ(json_error("[1]"), "objective: expected an object, found a list");
  EXPECT_EQ(json_error("null"), "objective: expected an object, found null");
  EXPECT_EQ(json_error(R"({"loss": 3})"),
            "objective.loss: expected a section, which is a mapping of keys to values, found `3`");
  EXPECT_THAT(json_error(std::string(200000, '[') + std::string(200000, ']')), HasSubstr("levels deep"));
}

TEST(FromJson, StringsAndNumbersStayApart) {
  SampleData data;
  EXPECT_THROW(read_from_json(Json{{"path", 5}}, data, "data"), Error);
  EXPECT_THROW(read_from_json(Json{{"chat", "true"}}, data, "data"), Error);
  EXPECT_THROW(read_from_json(Json{{"limit", -1}}, data, "data"), Error);
  read_from_json(Json{{"limit", 18446744073709551615ull}}, data, "data");
  EXPECT_EQ(data.limit, 18446744073709551615ull);
}

}  // namespace
}  // namespace laconic::config
