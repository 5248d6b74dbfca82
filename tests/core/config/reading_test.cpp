// What is accepted, and what it means: numbers, texts, presets, methods, optional sections, overrides.
#include <gtest/gtest.h>

#include "sample_config.h"

namespace laconic::config {
namespace {

TEST(Reading, LeavesOutKeepsDefaults) {
  const auto config = read_sample("train: {steps: 5}");
  EXPECT_EQ(config.train.steps, 5);
  EXPECT_EQ(config.train.micro_batch_tokens, 4096);
  EXPECT_FALSE(config.eval_data.has_value());
}

TEST(Reading, WholeNumbersInAnyNotationAreIntegers) {
  for (const auto& [text, value] : std::vector<std::pair<std::string, int>>{{"1000", 1000},
                                                                            {"+7", 7},
                                                                            {"1e3", 1000},
                                                                            {"10.0", 10},
                                                                            {"5.", 5},
                                                                            {"1.5e1", 15},
                                                                            {"2147483647", 2147483647}}) {
    EXPECT_EQ(read_sample("train: {steps: " + text + "}").train.steps, value) << text;
  }
  EXPECT_EQ(read_sample("seed: 18446744073709551615").seed, 18446744073709551615ull);
  EXPECT_EQ(read_sample("seed: -0").seed, 0u);
  EXPECT_EQ(read_sample("rollout: {kv_tokens: 9007199254740993}").rollout.kv_tokens, 9007199254740993);
  EXPECT_EQ(read_sample("rollout: {kv_tokens: 9223372036854775807}").rollout.kv_tokens, INT64_MAX);
}

TEST(Reading, Numbers) {
  for (const auto& [text, value] : std::vector<std::pair<std::string, double>>{{"1e-6", 1e-6},
                                                                               {".5", 0.5},
                                                                               {"+3", 3.0},
                                                                               {"1.0E+2", 100.0},
                                                                               {"0", 0.0},
                                                                               {"00.5", 0.0},
                                                                               {"5e-324", 5e-324}}) {
    if (text == "00.5") {
      EXPECT_NE(sample_error("train: {lr: " + text + "}"), "");
    } else {
      EXPECT_EQ(read_sample("train: {lr: " + text + "}").train.lr, value) << text;
    }
  }
}

TEST(Reading, BooleansOfTheCoreSchema) {
  EXPECT_TRUE(read_sample("reward: {format: True}").reward.format);
  EXPECT_FALSE(read_sample("data: {chat: FALSE}").data.chat);
}

TEST(Reading, TextsStandAsTheyAre) {
  EXPECT_EQ(read_sample("data: {path: 007}").data.path, "007");
  EXPECT_EQ(read_sample("data: {path: no}").data.path, "no");
  EXPECT_EQ(read_sample("data: {path: \"null\"}").data.path, "null");
  EXPECT_EQ(read_sample("data: {path: 1.50}").data.path, "1.50");
  EXPECT_EQ(read_sample("\xEF\xBB\xBF"
                        "data:\r\n  system: |\r\n    a\r\n    b\r\n")
                .data.system,
            "a\nb\n");
  EXPECT_EQ(read_sample("reward: {options: {tolerance: 0.010, mode: yes}}").reward.options.at("tolerance"), "0.010");
}

TEST(Reading, NullMakesOptionalsAbsentAndSectionsEmpty) {
  SampleConfig config;
  config.objective.loss.dual_clip = 3.0;
  config.reward.command = "x";
  read_from_yaml("train:\nobjective: {loss: {dual_clip: null}}\nreward: {command: ~}\n", "run.yaml", {}, config);
  EXPECT_FALSE(config.objective.loss.dual_clip.has_value());
  EXPECT_FALSE(config.reward.command.has_value());
  EXPECT_EQ(config.train.steps, 100);
}

TEST(Reading, ListsAndMapsReplace) {
  SampleConfig config;
  config.rollout.stop = {"a", "b"};
  config.objective.reward_weights = {{"x", 1.0}};
  read_from_yaml("rollout: {stop: [c], buckets: [1, 2e2]}\nobjective: {reward_weights: {y: 2}}\n", "run.yaml", {},
                 config);
  EXPECT_EQ(config.rollout.stop, std::vector<std::string>{"c"});
  EXPECT_EQ(config.rollout.buckets, (std::vector<int64_t>{1, 200}));
  EXPECT_EQ(config.objective.reward_weights, (std::map<std::string, double>{{"y", 2.0}}));
}

TEST(Reading, PresetsAreOverriddenByFieldsInAnyOrderOfTheFile) {
  EXPECT_EQ(read_sample("objective: {preset: dapo}").objective.group_size, 16);
  const auto config = read_sample("objective: {group_size: 4, loss: {clip_low: 0.1}, preset: dapo}");
  EXPECT_EQ(config.objective.group_size, 4);
  EXPECT_EQ(config.objective.loss.clip_low, 0.1);
  EXPECT_EQ(config.objective.loss.clip_high, 0.28);
  EXPECT_EQ(read_sample("objective: {group_size: 4}", {"--objective.preset=dapo"}).objective.group_size, 4);
  EXPECT_EQ(read_sample("objective: {preset: dapo}", {"--objective.group_size=2"}).objective.group_size, 2);
  EXPECT_EQ(read_sample("objective: {preset: dapo}", {"--objective.preset="}).objective.group_size, 8);
}

TEST(Reading, MethodsBringTheirFields) {
  const auto config = read_sample("objective: {laser: {target_length: 99}, name: laser}");
  EXPECT_EQ(dynamic_cast<const LaserMethod&>(*config.objective.own).target_length, 99);
  const auto other = read_sample("{}", {"--objective.name=laser", "--objective.laser.target_length=98"});
  EXPECT_EQ(dynamic_cast<const LaserMethod&>(*other.objective.own).target_length, 98);
}

TEST(Reading, OptionalSections) {
  EXPECT_EQ(read_sample("eval_data: {path: test.jsonl}").eval_data->path, "test.jsonl");
  EXPECT_TRUE(read_sample("eval_data: {}").eval_data.has_value());
  EXPECT_FALSE(read_sample("eval_data:\n").eval_data.has_value());
  EXPECT_EQ(read_sample("{}", {"--eval_data.limit=5"}).eval_data->limit, 5u);
  EXPECT_FALSE(read_sample("eval_data: {path: x}", {"--eval_data=null"}).eval_data.has_value());
  SampleConfig config;
  config.eval_data.emplace().limit = 3;
  read_from_yaml("seed: 1", "run.yaml", {}, config);
  EXPECT_EQ(config.eval_data->limit, 3u);  // what a file leaves out keeps its value
}

TEST(Reading, ConditionalFields) {
  EXPECT_EQ(read_sample("data: {per_grade: 5, source: chain}").data.per_grade, 5);
  EXPECT_EQ(read_sample("data: {limit: 5, source: file}").data.limit, 5u);
}

TEST(Overrides, WinOverTheFileAndTheLastOverTheFirst) {
  EXPECT_EQ(read_sample("train: {steps: 5}", {"--train.steps=6"}).train.steps, 6);
  EXPECT_EQ(read_sample("train: {steps: many}", {"--train.steps=6"}).train.steps, 6);
  EXPECT_EQ(read_sample("train:\n", {"--train.steps=6", "train.steps=7"}).train.steps, 7);
}

TEST(Overrides, ValuesAreYaml) {
  const auto config =
      read_sample("objective: {reward_weights: {a: 1}}",
                  {"--rollout.stop=[\"</a>\", b]", "--objective.reward_weights.b=0.5",
                   "--reward.options={mode: strict}", "--objective.loss.dual_clip=3", "--train.lr=1e-3"});
  EXPECT_EQ(config.rollout.stop, (std::vector<std::string>{"</a>", "b"}));
  EXPECT_EQ(config.objective.reward_weights, (std::map<std::string, double>{{"a", 1.0}, {"b", 0.5}}));
  EXPECT_EQ(config.reward.options.at("mode"), "strict");
  EXPECT_EQ(config.objective.loss.dual_clip, 3.0);
  EXPECT_FALSE(
      read_sample("objective: {loss: {dual_clip: 3}}", {"--objective.loss.dual_clip=null"}).objective.loss.dual_clip);
}

TEST(Overrides, TextFieldsTakeThemVerbatim) {
  const auto read = [](const std::string& value) {
    return read_sample("{}", {"--data.prompt_template=" + value}).data.prompt_template;
  };
  EXPECT_EQ(read("Question: {prompt} # 1"), "Question: {prompt} # 1");
  EXPECT_EQ(read("{prompt} please"), "{prompt} please");
  EXPECT_EQ(read("{prompt}"), "{prompt}");
  EXPECT_EQ(read("a=b"), "a=b");
  EXPECT_EQ(read("*"), "*");
  EXPECT_EQ(read("007"), "007");
  EXPECT_EQ(read(""), "");
  EXPECT_EQ(read("\"null\""), "null");
  EXPECT_EQ(read("\"a\\nb\""), "a\nb");
  EXPECT_EQ(read("'it''s'"), "it's");
  EXPECT_EQ(read("\"a\" b"), "\"a\" b");
}

}  // namespace
}  // namespace laconic::config
