// What is read from config.json and generation_config.json, and that it is written back the same.
#include "laconic/core/model/model_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/core/model/config_file.h"
#include "tests/support/tiny_model.h"

namespace laconic::model {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const Json kLlama3 = {{"rope_type", "llama3"},
                      {"factor", 8.0},
                      {"low_freq_factor", 1.0},
                      {"high_freq_factor", 4.0},
                      {"original_max_position_embeddings", 64}};

Json with_theta(Json rope, double theta) {
  rope["rope_theta"] = theta;
  return rope;
}

// What remains when the texts of the files are left out of a comparison.
ModelConfig numbers_of(ModelConfig config) {
  config.source_json.clear();
  config.generation_json.clear();
  return config;
}

TEST(ModelConfig, DefaultsOfEachArchitecture) {
  const auto llama = ConfigFolder(without(without(good_config(), "num_key_value_heads"), "head_dim")).read();
  EXPECT_EQ(llama.kv_heads, 4);
  EXPECT_EQ(llama.head_dim, 10);
  EXPECT_EQ(llama.rope_theta, 10000.0);
  EXPECT_FALSE(llama.qkv_bias || llama.output_bias || llama.mlp_bias || llama.qk_norm);
  EXPECT_FALSE(ConfigFolder(without(good_config(), "tie_word_embeddings")).read().tied);
  const auto qwen2 = ConfigFolder(good_config("qwen2")).read();
  EXPECT_TRUE(qwen2.qkv_bias && !qwen2.output_bias && !qwen2.qk_norm);
  const auto qwen3 = ConfigFolder(without(good_config("qwen3"), "head_dim")).read();
  EXPECT_TRUE(qwen3.qk_norm && !qwen3.qkv_bias);
  EXPECT_EQ(qwen3.head_dim, 128);
  const auto biased = ConfigFolder(changed(changed(good_config(), "attention_bias", true), "mlp_bias", true)).read();
  EXPECT_TRUE(biased.qkv_bias && biased.output_bias && biased.mlp_bias);
  const auto mistral = ConfigFolder(changed(good_config("mistral"), "attention_bias", true)).read();
  EXPECT_FALSE(mistral.qkv_bias || mistral.output_bias);  // as its reference class
  EXPECT_EQ(ConfigFolder(changed(good_config("mistral"), "sliding_window", 512)).read().max_positions, 512);
  EXPECT_EQ(ConfigFolder(changed(good_config(), "hidden_act", "swish")).problem(), "");
}

TEST(ModelConfig, BothStylesOfRope) {
  auto old_style = changed(changed(good_config(), "rope_theta", 5e5), "rope_scaling", kLlama3);
  auto new_style = changed(good_config(), "rope_parameters", with_theta(kLlama3, 5e5));
  const auto a = ConfigFolder(old_style).read(), b = ConfigFolder(new_style).read();
  EXPECT_EQ(numbers_of(a), numbers_of(b));
  EXPECT_EQ(a.rope_theta, 5e5);
  EXPECT_EQ(a.rope_scaling, (RopeScaling{RopeScaling::Kind::llama3, 8.0, 1.0, 4.0, 64}));
  for (const char* key : {"type", "rope_type"}) {
    const auto linear = ConfigFolder(changed(good_config(), "rope_scaling", {{key, "linear"}, {"factor", 2.5}})).read();
    EXPECT_EQ(linear.rope_scaling.kind, RopeScaling::Kind::linear);
    EXPECT_EQ(linear.rope_scaling.factor, 2.5);
  }
  for (const Json& none : {Json(nullptr), Json::object(), Json{{"rope_type", "default"}}}) {
    EXPECT_EQ(ConfigFolder(changed(good_config(), "rope_scaling", none)).read().rope_scaling, RopeScaling{});
    EXPECT_EQ(ConfigFolder(changed(good_config(), "rope_parameters", none)).read().rope_scaling, RopeScaling{});
  }
  // Equal values in both places do not contradict each other.
  const auto both = changed(changed(good_config(), "rope_theta", 5e5), "rope_parameters", with_theta(kLlama3, 5e5));
  EXPECT_EQ(ConfigFolder(both).read().rope_theta, 5e5);
}

TEST(ModelConfig, EosIdsOfTheGenerationConfigWin) {
  const ConfigFolder folder(good_config());
  EXPECT_THAT(folder.read().eos_ids, ElementsAre(2));
  folder.write("generation_config.json", R"({"eos_token_id": [5, 7], "top_p": 0.8})");
  EXPECT_THAT(folder.read().eos_ids, ElementsAre(5, 7));
  folder.write("generation_config.json", R"({"top_p": 0.8})");
  EXPECT_THAT(folder.read().eos_ids, ElementsAre(2));
  folder.write("generation_config.json", R"({"eos_token_id": 61})");
  EXPECT_THAT(folder.problem(), HasSubstr("generation_config.json: eos_token_id"));
  for (const char* damaged : {"{", "[]", "3"}) {
    folder.write("generation_config.json", damaged);
    EXPECT_THAT(folder.problem(), HasSubstr("generation_config.json"));
  }
  EXPECT_THAT(ConfigFolder(changed(good_config(), "eos_token_id", {3, 4})).read().eos_ids, ElementsAre(3, 4));
  EXPECT_TRUE(ConfigFolder(without(good_config(), "eos_token_id")).read().eos_ids.empty());
}

TEST(ModelConfig, ReadingWhatWasWrittenGivesTheSame) {
  for (const char* type : {"llama", "mistral", "qwen2", "qwen3"}) {
    for (const Json& source : {good_config(type), changed(good_config(type), "rope_scaling", kLlama3),
                               changed(good_config(type), "rope_scaling", {{"type", "linear"}, {"factor", 2.0}}),
                               changed(good_config(type), "rope_parameters", with_theta(kLlama3, 1e6)),
                               changed(good_config(type), "dtype", "bfloat16")}) {
      const auto config = ConfigFolder(source).read();
      const ConfigFolder again(to_config_json(config, "float32"));
      EXPECT_EQ(numbers_of(again.read()), numbers_of(config)) << type << source.dump();
      const auto written = Json::parse(to_config_json(config, "float32"));
      EXPECT_EQ(written.contains("dtype") ? written["dtype"] : written["torch_dtype"], "float32");
      EXPECT_EQ(written.contains("dtype"), source.contains("dtype"));
    }
  }
}

TEST(ModelConfig, ConfigsMadeByHandAreWritten) {
  for (const auto architecture :
       {Architecture::llama, Architecture::mistral, Architecture::qwen2, Architecture::qwen3}) {
    for (const auto kind : {RopeScaling::Kind::none, RopeScaling::Kind::linear, RopeScaling::Kind::llama3}) {
      auto config = tiny_config(architecture);
      config.rope_theta = 12345.0;
      config.max_positions = 9000;
      config.eos_ids = {3, 9};
      config.rope_scaling.kind = kind;
      if (kind != RopeScaling::Kind::none) config.rope_scaling.factor = 4.0;
      if (kind == RopeScaling::Kind::llama3) config.rope_scaling.original_max_positions = 128;
      if (architecture == Architecture::llama) config.qkv_bias = config.output_bias = config.mlp_bias = true;
      if (architecture == Architecture::qwen3) config.qkv_bias = config.output_bias = true;
      EXPECT_EQ(numbers_of(ConfigFolder(to_config_json(config, "float32")).read()), config);
    }
  }
  auto config = tiny_config(Architecture::llama);
  config.qkv_bias = true;  // without the output's bias
  EXPECT_THAT(error_of([&] { to_config_json(config, "float32"); }), HasSubstr("cannot express"));
}

TEST(ModelConfig, ChangesAfterReadingAreWrittenInTheStyleOfTheFile) {
  for (const Json& source : {changed(good_config(), "rope_parameters", with_theta(kLlama3, 1e6)),
                             changed(changed(good_config(), "rope_scaling", kLlama3), "rope_theta", 1e6)}) {
    auto config = ConfigFolder(source).read();
    config.rope_theta = 77.0;
    config.rope_scaling.factor = 3.0;
    const auto text = to_config_json(config, "float32");
    EXPECT_EQ(numbers_of(ConfigFolder(text).read()), numbers_of(config));
    EXPECT_EQ(Json::parse(text).contains("rope_parameters"), source.contains("rope_parameters"));
    config.rope_scaling = {};
    EXPECT_EQ(numbers_of(ConfigFolder(to_config_json(config, "float32")).read()), numbers_of(config));
  }
}

TEST(ModelConfig, UnknownFieldsSurvive) {
  const ConfigFolder folder(changed(good_config(), "attention_dropout", 0.25));
  folder.write("generation_config.json", R"({"top_p": 0.8, "eos_token_id": 5, "bos_token_id": 1})");
  auto config = folder.read();
  EXPECT_EQ(Json::parse(to_config_json(config, "float32"))["attention_dropout"], 0.25);
  config.eos_ids = {6, 7};
  const auto generation = Json::parse(to_generation_json(config));
  EXPECT_EQ(generation, Json::parse(R"({"top_p": 0.8, "eos_token_id": [6, 7], "bos_token_id": 1})"));
  config.eos_ids.clear();
  EXPECT_EQ(Json::parse(to_generation_json(config))["top_p"], 0.8);
  EXPECT_EQ(to_generation_json(tiny_config(Architecture::llama)), "");
  const auto fresh = ConfigFolder(changed(good_config(), "pad_token_id", 4)).read();
  EXPECT_EQ(Json::parse(to_generation_json(fresh)), Json::parse(R"({"pad_token_id": 4, "eos_token_id": 2})"));
}

TEST(ModelConfig, CountsItsParameters) {
  for (const auto architecture : {Architecture::llama, Architecture::qwen2, Architecture::qwen3}) {
    for (const bool tied : {true, false}) {
      auto config = tiny_config(architecture);
      config.tied = tied;
      if (architecture == Architecture::llama) config.qkv_bias = config.output_bias = config.mlp_bias = true;
      int64_t total = 0;
      for (const auto& parameter : Model(config, at::kFloat, at::kCPU).parameters()) total += parameter.tensor.numel();
      EXPECT_EQ(config.total_parameters(), total);
    }
  }
}

}  // namespace
}  // namespace laconic::model
