// Writing of config.json and generation_config.json.
#include <nlohmann/json.hpp>

#include "laconic/core/base/error.h"
#include "laconic/core/model/architecture_names.h"
#include "laconic/core/model/model_config.h"

namespace laconic::model {
namespace {

using Json = nlohmann::ordered_json;

// The keys of config.json say less than ModelConfig can.
void check_expressible(const ModelConfig& c) {
  const bool option = has_bias_option(c.architecture);
  const bool expressible = c.qk_norm == (c.architecture == Architecture::qwen3) &&
                           c.qkv_bias == (c.architecture == Architecture::qwen2 || (option && c.output_bias)) &&
                           (option || !c.output_bias) && (c.architecture == Architecture::llama || !c.mlp_bias);
  if (!expressible) {
    fail(ErrorKind::unsupported, "the config.json of {} cannot express this combination of biases and q/k norms",
         kArchitectures[static_cast<size_t>(c.architecture)].first);
  }
}

const char* rope_type(RopeScaling::Kind kind) {
  switch (kind) {
    case RopeScaling::Kind::none:
      return "default";
    case RopeScaling::Kind::linear:
      return "linear";
    case RopeScaling::Kind::llama3:
      return "llama3";
  }
  return "default";
}

// In the style of the file that was read; a new file gets the older one, which every reader knows.
void write_rope(const ModelConfig& c, Json& json) {
  const bool nested = json.contains("rope_parameters") && json["rope_parameters"].is_object();
  const auto& scaling = c.rope_scaling;
  if (!nested || json.contains("rope_theta")) json["rope_theta"] = c.rope_theta;
  const char* key = nested ? "rope_parameters" : "rope_scaling";
  const bool has_object = json.contains(key) && json[key].is_object();
  if (!has_object && scaling.kind == RopeScaling::Kind::none) return;
  if (!has_object) json[key] = Json::object();
  Json& rope = json[key];
  if (nested || rope.contains("rope_theta")) rope["rope_theta"] = c.rope_theta;
  if (rope.contains("type")) rope["type"] = rope_type(scaling.kind);
  if (rope.contains("rope_type") || !rope.contains("type")) rope["rope_type"] = rope_type(scaling.kind);
  if (scaling.kind != RopeScaling::Kind::none) rope["factor"] = scaling.factor;
  if (scaling.kind == RopeScaling::Kind::llama3) {
    rope["low_freq_factor"] = scaling.low_frequency_factor;
    rope["high_freq_factor"] = scaling.high_frequency_factor;
    rope["original_max_position_embeddings"] = scaling.original_max_positions;
  }
}

Json eos_json(const ModelConfig& c) {
  return c.eos_ids.size() == 1 ? Json(c.eos_ids.front()) : Json(c.eos_ids);
}

}  // namespace

std::string to_config_json(const ModelConfig& c, const std::string& dtype_name) {
  check_expressible(c);
  Json json = c.source_json.empty() ? Json::object() : Json::parse(c.source_json);
  const auto index = static_cast<size_t>(c.architecture);
  json["architectures"] = {kClasses[index]};
  json["model_type"] = kArchitectures[index].first;
  json["vocab_size"] = c.vocab_size;
  json["hidden_size"] = c.hidden;
  json["intermediate_size"] = c.intermediate;
  json["num_hidden_layers"] = c.layers;
  json["num_attention_heads"] = c.heads;
  json["num_key_value_heads"] = c.kv_heads;
  json["head_dim"] = c.head_dim;
  json["max_position_embeddings"] = c.max_positions;
  json["rms_norm_eps"] = c.rms_epsilon;
  json["tie_word_embeddings"] = c.tied;
  json["hidden_act"] = "silu";
  if (has_bias_option(c.architecture)) json["attention_bias"] = c.output_bias;
  if (c.architecture == Architecture::llama) json["mlp_bias"] = c.mlp_bias;
  // Left out it would mean a window of 4096.
  if (c.architecture == Architecture::mistral && !json.contains("sliding_window")) json["sliding_window"] = nullptr;
  if (!json.contains("initializer_range")) json["initializer_range"] = c.initializer_range;
  write_rope(c, json);
  if (c.source_json.empty() && !c.eos_ids.empty()) json["eos_token_id"] = eos_json(c);
  // Readers of either generation find the dtype under the key that the file used, new files get the old key.
  if (json.contains("dtype")) json["dtype"] = dtype_name;
  if (json.contains("torch_dtype") || !json.contains("dtype")) json["torch_dtype"] = dtype_name;
  return json.dump(2) + "\n";
}

std::string to_generation_json(const ModelConfig& c) {
  if (c.eos_ids.empty() && c.generation_json.empty()) return "";
  Json generation = Json::object();
  if (!c.generation_json.empty()) {
    generation = Json::parse(c.generation_json);
  } else if (!c.source_json.empty()) {
    const Json source = Json::parse(c.source_json);
    for (const char* key : {"bos_token_id", "pad_token_id"}) {
      if (source.contains(key) && !source[key].is_null()) generation[key] = source[key];
    }
  }
  if (!c.eos_ids.empty()) generation["eos_token_id"] = eos_json(c);
  return generation.dump(2) + "\n";
}

}  // namespace laconic::model
