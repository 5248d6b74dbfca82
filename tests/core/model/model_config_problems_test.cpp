// Every config.json that laconic cannot run is an error that names the file and the key.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/core/model/config_file.h"

namespace laconic::model {
namespace {

using testing::HasSubstr;

struct Problem {
  std::string name;
  Json config;
  std::string expected;  // beside the file's name
};

class ConfigProblem : public testing::TestWithParam<Problem> {};

TEST_P(ConfigProblem, IsNamed) {
  const std::string problem = ConfigFolder(GetParam().config).problem();
  EXPECT_THAT(problem, HasSubstr("config.json"));
  EXPECT_THAT(problem, HasSubstr(GetParam().expected));
}

Json with_scaling(Json scaling) {
  return changed(good_config(), "rope_scaling", std::move(scaling));
}

Json llama3(const char* key, Json value) {
  return with_scaling(changed({{"rope_type", "llama3"},
                               {"factor", 8.0},
                               {"low_freq_factor", 1.0},
                               {"high_freq_factor", 4.0},
                               {"original_max_position_embeddings", 64}},
                              key, std::move(value)));
}

std::vector<Problem> rope_problems() {
  const Json nested = {{"rope_type", "default"}, {"rope_theta", 5.0}};
  return {
      {"rope_kind", with_scaling({{"rope_type", "yarn"}, {"factor", 2.0}}), "rope_scaling: rope_type: `yarn`"},
      {"rope_kind_nested", changed(good_config(), "rope_parameters", {{"rope_type", "dynamic"}}),
       "rope_parameters: rope_type: `dynamic`"},
      {"rope_no_object", with_scaling("linear"), "rope_scaling: expected an object"},
      {"rope_kind_no_text", with_scaling({{"rope_type", 3}}), "rope_type: expected a text"},
      {"rope_two_kinds", with_scaling({{"rope_type", "llama3"}, {"type", "linear"}, {"factor", 2.0}}), "contradict"},
      {"linear_without_factor", with_scaling({{"rope_type", "linear"}}), "the key factor is missing"},
      {"linear_factor", with_scaling({{"rope_type", "linear"}, {"factor", 0}}), "factor: expected a number above 0"},
      {"llama3_without_original", llama3("original_max_position_embeddings", nullptr),
       "original_max_position_embeddings is missing"},
      {"llama3_without_low", llama3("low_freq_factor", nullptr), "low_freq_factor is missing"},
      {"llama3_equal_factors", llama3("low_freq_factor", 4.0), "low_freq_factor < high_freq_factor"},
      {"llama3_original", llama3("original_max_position_embeddings", -4), "original_max_position_embeddings: expected"},
      {"rope_unknown_key", llama3("mrope_section", {1, 2}), "mrope_section is not supported"},
      {"rope_per_layer_type", changed(good_config(), "rope_parameters", {{"full_attention", nested}}),
       "rope_parameters: the key full_attention is not supported"},
      {"both_rope_styles", changed(with_scaling({{"rope_type", "default"}}), "rope_parameters", nested), "both there"},
      {"two_thetas", changed(changed(good_config(), "rope_theta", 1e4), "rope_parameters", nested), "rope_theta is"},
      {"theta", changed(good_config(), "rope_theta", -1.0), "rope_theta: expected a number above 0"},
      {"partial", changed(good_config(), "partial_rotary_factor", 0.5), "partial_rotary_factor: only 1"},
      {"partial_nested", changed(good_config(), "rope_parameters", {{"partial_rotary_factor", 0.5}}),
       "rope_parameters: partial_rotary_factor: only 1"},
  };
}

std::vector<Problem> shape_problems() {
  std::vector<Problem> all;
  for (const char* key : {"vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads",
                          "max_position_embeddings"}) {
    all.push_back({std::string("without_") + key, without(good_config(), key), fmt::format("key {} is missing", key)});
    int index = 0;
    for (const Json& value :
         {Json(0), Json(-3), Json(2.5), Json("7"), Json(true), Json::array(), Json(1ull << 63), Json(1ull << 40)}) {
      all.push_back({fmt::format("{}_{}", key, index++), changed(good_config(), key, value),
                     fmt::format("{}: expected a whole number", key)});
    }
  }
  all.push_back({"kv_heads_of_qwen2", without(good_config("qwen2"), "num_key_value_heads"), "num_key_value_heads"});
  all.push_back({"heads_and_kv_heads", changed(good_config(), "num_key_value_heads", 3), "must be a multiple of"});
  all.push_back({"odd_head_dim", changed(good_config(), "head_dim", 9), "head_dim: expected an even number"});
  all.push_back({"uneven_heads", without(changed(good_config(), "hidden_size", 42), "head_dim"), "hidden_size (42)"});
  all.push_back({"epsilon", changed(good_config(), "rms_norm_eps", 0.0), "rms_norm_eps: expected a number above 0"});
  all.push_back({"epsilon_text", changed(good_config(), "rms_norm_eps", "1e-5"), "rms_norm_eps: expected a number"});
  all.push_back({"tied_text", changed(good_config(), "tie_word_embeddings", "yes"), "tie_word_embeddings: expected"});
  all.push_back({"bias_number", changed(good_config(), "attention_bias", 1), "attention_bias: expected true or false"});
  return all;
}

std::vector<Problem> other_problems() {
  Json windowed = changed(good_config("qwen2"), "use_sliding_window", true);
  Json sliding = {"full_attention", "sliding_attention"};
  return {
      {"unknown_type", good_config("gpt_neox"), "model_type: `gpt_neox`"},
      {"no_type", without(good_config(), "model_type"), "model_type"},
      {"type_number", changed(good_config(), "model_type", 7), "model_type: expected a text"},
      {"other_class", changed(good_config(), "architectures", {"LlamaForSequenceClassification"}), "architectures"},
      {"class_is_a_text", changed(good_config(), "architectures", "LlamaForCausalLM"),
       "architectures: expected a list"},
      {"class_of_another", changed(good_config("qwen3"), "architectures", {"Qwen2ForCausalLM"}), "Qwen3ForCausalLM"},
      {"activation", changed(good_config(), "hidden_act", "gelu"), "hidden_act: `gelu`"},
      {"quantised", changed(good_config(), "quantization_config", {{"bits", 4}}), "quantization_config"},
      {"window", changed(good_config("mistral"), "sliding_window", 256), "sliding_window: 256"},
      {"window_by_default",
       changed(without(good_config("mistral"), "sliding_window"), "max_position_embeddings", 32768),
       "sliding_window: no value"},
      {"window_of_qwen", changed(windowed, "sliding_window", 100), "sliding_window: 100"},
      {"window_of_qwen_by_default", changed(windowed, "max_position_embeddings", 32768), "sliding_window: no value"},
      {"window_text", changed(good_config("mistral"), "sliding_window", "long"), "sliding_window: expected a whole"},
      {"layer_types", changed(good_config("qwen3"), "layer_types", sliding), "layer_types: \"sliding_attention\""},
      {"linear_layers", changed(good_config("qwen3"), "layer_types", {"full_attention", "linear_attention"}),
       "layer_types: \"linear_attention\""},
      {"layer_types_count", changed(good_config("qwen3"), "layer_types", {"full_attention"}), "list of 2 types"},
      {"layer_types_text", changed(good_config("qwen3"), "layer_types", "full_attention"), "list of 2 types"},
      {"eos_beyond", changed(good_config(), "eos_token_id", 61), "eos_token_id: expected a token id below"},
      {"eos_negative", changed(good_config(), "eos_token_id", -1), "eos_token_id"},
      {"eos_text", changed(good_config(), "eos_token_id", "</s>"), "eos_token_id"},
      {"eos_mixed", changed(good_config(), "eos_token_id", {1, "2"}), "eos_token_id"},
  };
}

std::string problem_name(const testing::TestParamInfo<Problem>& test) {
  return test.param.name;
}

INSTANTIATE_TEST_SUITE_P(Rope, ConfigProblem, testing::ValuesIn(rope_problems()), problem_name);
INSTANTIATE_TEST_SUITE_P(Shape, ConfigProblem, testing::ValuesIn(shape_problems()), problem_name);
INSTANTIATE_TEST_SUITE_P(Other, ConfigProblem, testing::ValuesIn(other_problems()), problem_name);

TEST(ConfigProblems, FilesThatAreNone) {
  for (const char* text : {"", "{", "nonsense", "[]", "3", "null"})
    EXPECT_THAT(ConfigFolder(std::string(text)).problem(), HasSubstr("config.json")) << text;
  const TemporaryFolder empty;
  EXPECT_THAT(error_of([&] { read_model_config(empty.path()); }), HasSubstr("no config.json in it"));
  EXPECT_THAT(error_of([&] { read_model_config(empty / "absent"); }), HasSubstr("no such file or folder"));
}

TEST(ConfigProblems, NeedlessWindowsAreNoProblem) {
  const Json full = {"full_attention", "full_attention"};
  EXPECT_EQ(ConfigFolder(changed(good_config("qwen3"), "layer_types", full)).problem(), "");
  EXPECT_EQ(ConfigFolder(changed(good_config("qwen2"), "sliding_window", 16)).problem(), "") << "it is not used";
  EXPECT_EQ(ConfigFolder(without(good_config("mistral"), "sliding_window")).problem(), "") << "4096 is beyond 512";
}

TEST(ConfigProblems, NestedWithoutEnd) {
  for (const char* file : {"config.json", "generation_config.json"}) {
    const ConfigFolder folder(good_config());
    folder.write(file, "{\"x\": " + std::string(200000, '[') + std::string(200000, ']') + "}");
    EXPECT_THAT(folder.problem(), HasSubstr(std::string(file) + ": nested 200001 levels deep"));
  }
}

// An absent key means its default, so that a misspelled one would change the model without a word.
TEST(ConfigProblems, MisspelledOptionalKeys) {
  auto config = good_config();
  config["rope_thetta"] = 500000.0;
  EXPECT_THAT(ConfigFolder(config).problem(), HasSubstr("rope_thetta: unknown key (did you mean `rope_theta`?)"));
  config["rope_theta"] = 500000.0;
  EXPECT_EQ(ConfigFolder(config).problem(), "") << "with the right one there, it is a key of somebody else";
  config = without(good_config(), "tie_word_embeddings");
  config["tie_word_embedding"] = true;
  EXPECT_THAT(ConfigFolder(config).problem(), HasSubstr("did you mean `tie_word_embeddings`?"));
  config = without(good_config(), "eos_token_id");
  config["bos_token_id"] = 1;
  EXPECT_EQ(ConfigFolder(config).problem(), "");
}

// Before anything is allocated, and whatever the product of the sizes is.
TEST(ConfigProblems, ModelsLargerThanTheMachine) {
  constexpr int64_t kMost = 2147483647;
  for (const char* key :
       {"num_hidden_layers", "hidden_size", "intermediate_size", "vocab_size", "max_position_embeddings"}) {
    const auto config = ConfigFolder(changed(good_config(), key, kMost)).read();
    const auto problem = error_of([&] { check_fits_memory(config, sizeof(float), "m/config.json"); });
    EXPECT_THAT(problem, HasSubstr("m/config.json: the model has ")) << key;
    EXPECT_THAT(problem, HasSubstr("of memory")) << key;
  }
  const auto config = ConfigFolder(good_config()).read();
  EXPECT_EQ(error_of([&] { check_fits_memory(config, sizeof(float), "m"); }), "");
}

}  // namespace
}  // namespace laconic::model
