// Dumps that read back to the same values, explanations, the Markdown reference, the JSON schema.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>

#include "laconic/core/config/yaml_text.h"
#include "sample_config.h"

namespace laconic::config {
namespace {

using testing::HasSubstr;
using testing::Not;

void expect_round_trip(const SampleConfig& config) {
  const std::string yaml = dump_yaml(config);
  SampleConfig read;
  ASSERT_NO_THROW(read_from_yaml(yaml, "dump.yaml", {}, read)) << yaml;
  EXPECT_EQ(dump_json(read), dump_json(config)) << yaml;
  EXPECT_EQ(dump_yaml(read), yaml);
}

TEST(Dump, IsTheEffectiveConfiguration) {
  const auto config = read_sample("objective: {preset: dapo, name: laser}\ntrain: {lr: 1e-6}", {"--seed=9"});
  const std::string yaml = dump_yaml(config);
  EXPECT_THAT(yaml, HasSubstr("seed: 9\ndata:\n  source: file\n  path: train.jsonl\n"));
  EXPECT_THAT(yaml, HasSubstr("eval_data: null\n"));
  EXPECT_THAT(yaml, HasSubstr("  preset: dapo\n  group_size: 16\n  temperature: 1.0\n  reward_weights: {}\n"));
  EXPECT_THAT(yaml, HasSubstr("    dual_clip: null\n"));
  EXPECT_THAT(yaml, HasSubstr("  laser:\n    target_length: 4096\n"));
  EXPECT_THAT(yaml, HasSubstr("  stop: []\n"));
  EXPECT_THAT(yaml, HasSubstr("  lr: 1.0e-06\n"));
  EXPECT_THAT(yaml, Not(HasSubstr("per_grade")));
  expect_round_trip(config);
}

TEST(Dump, RoundTripsEverything) {
  SampleConfig config;
  expect_round_trip(config);
  config.seed = 18446744073709551615ull;
  config.data.source = SampleSource::chain;
  config.data.per_grade = 3;
  config.eval_data.emplace().system = "line\nline\t\"quoted\" \\ : # é \x01 '";
  config.objective.name = "laser";
  config.objective.own = std::make_unique<LaserMethod>();
  config.objective.preset = "dapo";
  config.objective.group_size = 3;  // not the preset's
  config.objective.reward_weights = {{"correct", 1.0 / 3.0}, {"", -0.0}, {"a: b", 1e300}, {"yes", 5e-324}};
  config.objective.loss.dual_clip = 3.1;
  config.rollout.kv_tokens = INT64_MAX;
  config.rollout.stop = {"", "null", "yes", "1", "0x1", "- a", "{", "...", "---", "~", "a, b", "\n", "<<"};
  config.rollout.temperatures = {0.1, 1e22, 123456789.125};
  config.rollout.buckets = {1, INT64_MAX};
  config.reward.options = {{"a", "1e3"}, {"b", ""}};
  config.reward.command = "";
  config.reward.timeout = 1;
  config.train.lr = 0.1 + 0.2;
  expect_round_trip(config);
}

TEST(Dump, DoublesAndTextsRoundTripExactly) {
  std::mt19937_64 random(1);
  SampleConfig config;
  for (int i = 0; i < 2000; ++i) {
    const uint64_t bits = random();
    double value;
    static_assert(sizeof value == sizeof bits);
    std::memcpy(&value, &bits, sizeof value);
    if (std::isfinite(value)) config.rollout.temperatures.push_back(std::abs(value));
    std::string text;
    for (size_t length = random() % 12; text.size() < length;) {
      const char* pieces[] = {
          " ", ":", "#",   "a",  "-",    "'", "\"", "\\",       "\n",           "\t",           "{", "]", ",",
          "é", "😀", "1",   "\r", "\x7f", "%", "@",  "\xC2\x85", "\xE2\x80\xA8", "\xEF\xBB\xBF", "!", "&", "*",
          "|", ">", "\x1f"};
      text += pieces[random() % std::size(pieces)];
    }
    config.rollout.stop.push_back(text);
  }
  expect_round_trip(config);
}

TEST(Dump, IsMadeForOtherReadersOfYamlToo) {
  EXPECT_EQ(flow_yaml(1e-6), "1.0e-06");
  EXPECT_EQ(flow_yaml(20.0), "20.0");
  EXPECT_EQ(flow_yaml(0.1), "0.1");
  EXPECT_EQ(flow_yaml(-1e300), "-1.0e+300");
  EXPECT_EQ(flow_yaml("a\xC2\x85 \xE2\x80\xA8\x01\"é"), "\"a\\x85 \\u2028\\x01\\\"é\"");
  EXPECT_EQ(flow_yaml(Json{{"a", {1, 2.5}}, {"b c", nullptr}}), "{a: [1, 2.5], \"b c\": null}");
}

TEST(Explain, AFieldASectionOrEverything) {
  const SampleConfig config;
  EXPECT_EQ(explain(config, "rollout.max_tokens"),
            "rollout.max_tokens: whole number >= 1 (tokens); default 256\n    limit of a completion\n");
  EXPECT_EQ(explain(config, "objective.loss.dual_clip"),
            "objective.loss.dual_clip: number > 1 or null; default null\n    c > 1\n");
  EXPECT_EQ(explain(config, "objective.preset"),
            "objective.preset: one of \"\", dapo, gspo; default \"\"\n    a published recipe\n");
  EXPECT_THAT(explain(config, "data.path"), HasSubstr("only with source: file"));
  EXPECT_THAT(explain(config, "objective"), HasSubstr("objective.laser.target_length"));
  EXPECT_THAT(explain(config, "objective"), Not(HasSubstr("rollout")));
  EXPECT_THAT(explain(config), HasSubstr("eval_data: optional section"));
}

TEST(Explain, UnknownKeys) {
  const auto error = [](const std::string& key) -> std::string {
    try {
      explain(SampleConfig(), key);
    } catch (const Error& problem) {
      return problem.what();
    }
    return "";
  };
  EXPECT_EQ(error("train.stepz"), "no key `train.stepz` in the configuration (did you mean `train.steps`?)");
  EXPECT_EQ(error("clip_low"), "no key `clip_low` in the configuration (did you mean `objective.loss.clip_low`?)");
}

// Every key of the schema, with the names of the sections around it.
void collect(const Json& schema, const std::string& prefix, std::vector<std::string>& keys) {
  for (const auto& [name, node] : schema.at("properties").items()) {
    keys.push_back(prefix + name);
    if (node.contains("properties")) collect(node, prefix + name + ".", keys);
  }
}

TEST(Schema, HasEveryFieldWithTypeAndRange) {
  const Json schema = json_schema(SampleConfig(), "laconic train");
  EXPECT_EQ(schema.at("$schema"), "https://json-schema.org/draft/2020-12/schema");
  EXPECT_EQ(schema.at("title"), "laconic train");
  EXPECT_EQ(schema.at("type"), "object");
  EXPECT_EQ(schema.at("additionalProperties"), false);
  const auto property = [&](const std::string& path) { return schema.at(Json::json_pointer(path)); };
  EXPECT_EQ(
      property("/properties/rollout/properties/max_tokens"),
      (Json{{"description", "limit of a completion (tokens)"}, {"type", "integer"}, {"minimum", 1}, {"default", 256}}));
  const Json quantile = property("/properties/objective/properties/loss/properties/entropy_quantile");
  EXPECT_EQ(quantile.at("exclusiveMinimum"), 0.0);
  EXPECT_EQ(quantile.at("maximum"), 1.0);
  EXPECT_EQ(property("/properties/objective/properties/loss/properties/dual_clip").at("type"),
            Json::parse(R"(["number", "null"])"));
  EXPECT_EQ(property("/properties/objective/properties/preset").at("enum"), Json::parse(R"(["", "dapo", "gspo"])"));
  EXPECT_EQ(property("/properties/rollout/properties/buckets").at("items"),
            Json::parse(R"({"type": "integer", "minimum": 1})"));
  EXPECT_EQ(property("/properties/reward/properties/options").at("additionalProperties"),
            Json::parse(R"({"type": "string"})"));
  EXPECT_EQ(property("/properties/eval_data").at("type"), Json::parse(R"(["object", "null"])"));
}

TEST(Markdown, HasEveryField) {
  std::vector<std::string> keys;
  collect(json_schema(SampleConfig(), ""), "", keys);
  ASSERT_GT(keys.size(), 45u);
  const std::string page = markdown(SampleConfig(), "Configuration");
  for (const auto& key : keys) {
    const std::string name = key.substr(key.rfind('.') + 1);
    const bool heading = page.find("\n## `" + key + "`\n") != std::string::npos;
    const bool row = page.find("\n| `" + name + "` |") != std::string::npos;
    EXPECT_TRUE(heading || row) << key;
  }
  EXPECT_THAT(page, HasSubstr("# Configuration\n"));
  EXPECT_THAT(page, HasSubstr("| `top_p` | number in (0, 1] | `1.0` | nucleus |"));
  EXPECT_THAT(page, HasSubstr("| `path` | string | `train.jsonl` | JSON lines; only with `source: file` |"));
  EXPECT_THAT(page, HasSubstr("shorter \\| better. Only with `name: laser`."));
}

TEST(Visit, MistakesOfTheProgrammerAreFound) {
  struct Twice {
    int a = 0;
    void visit(Visitor& v) {
      v.field("a", a);
      v.field("a", a);
    }
  } twice;
  EXPECT_THROW(read_from_json(Json::object(), twice), Error);
  EXPECT_THROW(dump_json(twice), Error);
}

}  // namespace
}  // namespace laconic::config
