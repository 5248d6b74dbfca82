#include "laconic/core/model/model_config.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>

#include "laconic/core/base/error.h"
#include "laconic/core/base/files.h"
#include "laconic/core/base/strings.h"

namespace laconic::model {
namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

// One config.json with its name for messages.
struct Source {
  std::string name;
  Json json;

  bool has(const char* key) const { return json.contains(key) && !json[key].is_null(); }

  [[noreturn]] void wrong(const char* key, const char* expected) const {
    fail(ErrorKind::input, "{}: {}: expected {}, found {}", name, key, expected, json[key].dump());
  }

  int64_t integer(const char* key, std::optional<int64_t> fallback = std::nullopt) const {
    if (!has(key)) {
      if (fallback) return *fallback;
      fail(ErrorKind::input, "{}: the key {} is missing", name, key);
    }
    if (!json[key].is_number_integer() || json[key].get<int64_t>() <= 0) wrong(key, "a whole number above 0");
    return json[key].get<int64_t>();
  }

  double number(const char* key, double fallback) const {
    if (!has(key)) return fallback;
    if (!json[key].is_number()) wrong(key, "a number");
    return json[key].get<double>();
  }

  bool boolean(const char* key, bool fallback) const {
    if (!has(key)) return fallback;
    if (!json[key].is_boolean()) wrong(key, "true or false");
    return json[key].get<bool>();
  }

  std::string text(const char* key, const std::string& fallback) const {
    if (!has(key)) return fallback;
    if (!json[key].is_string()) wrong(key, "a text");
    return json[key].get<std::string>();
  }
};

constexpr std::array<std::pair<const char*, Architecture>, 4> kArchitectures = {{{"llama", Architecture::llama},
                                                                                 {"mistral", Architecture::mistral},
                                                                                 {"qwen2", Architecture::qwen2},
                                                                                 {"qwen3", Architecture::qwen3}}};
constexpr std::array<const char*, 4> kClasses = {"LlamaForCausalLM", "MistralForCausalLM", "Qwen2ForCausalLM",
                                                 "Qwen3ForCausalLM"};

Architecture read_architecture(const Source& source) {
  const std::string type = source.text("model_type", "");
  for (const auto& [name, architecture] : kArchitectures) {
    if (type != name) continue;
    if (source.has("architectures") && !source.json["architectures"].empty()) {
      const auto& first = source.json["architectures"][0];
      const char* expected = kClasses[static_cast<size_t>(architecture)];
      if (first != expected) {
        fail(ErrorKind::unsupported, "{}: architectures: {} is not supported, expected {}", source.name, first.dump(),
             expected);
      }
    }
    return architecture;
  }
  fail(ErrorKind::unsupported, "{}: model_type: `{}` is not supported; laconic runs llama, mistral, qwen2 and qwen3",
       source.name, type);
}

// Both styles: rope_theta and rope_scaling beside each other, or both inside rope_parameters.
void read_rope(const Source& source, ModelConfig& config) {
  const bool nested = source.has("rope_parameters");
  const char* key = nested ? "rope_parameters" : "rope_scaling";
  config.rope_theta = source.number("rope_theta", 10000.0);
  if (source.number("partial_rotary_factor", 1.0) != 1.0) {
    fail(ErrorKind::unsupported, "{}: partial_rotary_factor: only 1 is supported, found {}", source.name,
         source.json["partial_rotary_factor"].dump());
  }
  if (!source.has(key)) return;
  Source rope{fmt::format("{}: {}", source.name, key), source.json[key]};
  if (!rope.json.is_object()) source.wrong(key, "an object");
  config.rope_theta = rope.number("rope_theta", config.rope_theta);
  const std::string kind = rope.text("rope_type", rope.text("type", "default"));
  auto& scaling = config.rope_scaling;
  if (kind == "default") return;
  if (kind == "linear") {
    scaling.kind = RopeScaling::Kind::linear;
    scaling.factor = rope.number("factor", 1.0);
  } else if (kind == "llama3") {
    scaling.kind = RopeScaling::Kind::llama3;
    for (const char* needed : {"factor", "low_freq_factor", "high_freq_factor", "original_max_position_embeddings"}) {
      if (!rope.has(needed)) fail(ErrorKind::input, "{}: the key {} is missing", rope.name, needed);
    }
    scaling.factor = rope.number("factor", 1.0);
    scaling.low_frequency_factor = rope.number("low_freq_factor", 1.0);
    scaling.high_frequency_factor = rope.number("high_freq_factor", 4.0);
    scaling.original_max_positions = rope.integer("original_max_position_embeddings");
  } else {
    fail(ErrorKind::unsupported, "{}: rope_type: `{}` is not supported; expected default, linear or llama3", rope.name,
         kind);
  }
  if (!(scaling.factor > 0))
    fail(ErrorKind::input, "{}: factor: expected a number above 0, found {}", rope.name, scaling.factor);
}

// What would change the numbers and is not done here must not be ignored.
void reject_unsupported(const Source& source, const ModelConfig& config) {
  const auto reject = [&](const char* key, const char* expected) {
    fail(ErrorKind::unsupported, "{}: {}: {} is not supported, expected {}", source.name, key, source.json[key].dump(),
         expected);
  };
  if (source.text("hidden_act", "silu") != "silu") reject("hidden_act", "silu");
  const bool windowed = config.architecture == Architecture::mistral ? source.has("sliding_window")
                                                                     : source.boolean("use_sliding_window", false);
  if (windowed && source.integer("sliding_window", 1) < config.max_positions)
    reject("sliding_window", "null (no sliding window)");
  if (source.has("layer_types")) {
    for (const auto& type : source.json["layer_types"]) {
      if (type != "full_attention" && windowed) reject("layer_types", "full_attention for every layer");
    }
  }
  if (source.has("quantization_config"))
    fail(ErrorKind::unsupported, "{}: quantization_config: quantised weights are not supported", source.name);
}

std::vector<int32_t> read_eos(const Source& source) {
  std::vector<int32_t> ids;
  if (!source.has("eos_token_id")) return ids;
  const auto& value = source.json["eos_token_id"];
  const auto add = [&](const Json& item) {
    if (!item.is_number_integer()) source.wrong("eos_token_id", "a token id or a list of them");
    ids.push_back(item.get<int32_t>());
  };
  if (value.is_array()) {
    for (const auto& item : value) add(item);
  } else {
    add(value);
  }
  return ids;
}

Json parse_json(const fs::path& path) {
  try {
    return Json::parse(read_file(path));
  } catch (const Json::exception& error) {
    fail(ErrorKind::input, "{}: not valid JSON: {}", path.string(), error.what());
  }
}

void check_consistency(const Source& source, const ModelConfig& c) {
  if (c.heads % c.kv_heads != 0) {
    fail(ErrorKind::input, "{}: num_attention_heads ({}) must be a multiple of num_key_value_heads ({})", source.name,
         c.heads, c.kv_heads);
  }
  if (c.head_dim % 2 != 0)
    fail(ErrorKind::input, "{}: head_dim: expected an even number, found {}", source.name, c.head_dim);
  if (!(c.rms_epsilon > 0))
    fail(ErrorKind::input, "{}: rms_norm_eps: expected a number above 0, found {}", source.name, c.rms_epsilon);
  if (!(c.rope_theta > 0))
    fail(ErrorKind::input, "{}: rope_theta: expected a number above 0, found {}", source.name, c.rope_theta);
}

}  // namespace

ModelConfig read_model_config(const fs::path& folder_or_file) {
  const bool folder = fs::is_directory(folder_or_file);
  const fs::path path = folder ? folder_or_file / "config.json" : folder_or_file;
  if (!fs::exists(path)) {
    fail(ErrorKind::input, "{}: there is no {}; expected the folder of a Hugging Face model", folder_or_file.string(),
         folder ? "config.json in it" : "such file or folder");
  }
  Source source{path.string(), parse_json(path)};
  if (!source.json.is_object()) fail(ErrorKind::input, "{}: expected a JSON object", source.name);
  ModelConfig c;
  c.source_json = source.json.dump();
  c.architecture = read_architecture(source);
  c.vocab_size = source.integer("vocab_size");
  c.hidden = source.integer("hidden_size");
  c.intermediate = source.integer("intermediate_size");
  c.layers = source.integer("num_hidden_layers");
  c.heads = source.integer("num_attention_heads");
  c.kv_heads = c.architecture == Architecture::llama ? source.integer("num_key_value_heads", c.heads)
                                                     : source.integer("num_key_value_heads");
  c.head_dim = source.integer("head_dim",
                              c.architecture == Architecture::qwen3 ? 128 : std::max<int64_t>(1, c.hidden / c.heads));
  c.max_positions = source.integer("max_position_embeddings");
  c.rms_epsilon = source.number("rms_norm_eps", 1e-6);
  c.initializer_range = source.number("initializer_range", 0.02);
  c.tied = source.boolean("tie_word_embeddings", false);
  const bool attention_bias = source.boolean("attention_bias", false);
  const bool has_bias_option = c.architecture == Architecture::llama || c.architecture == Architecture::qwen3;
  c.qkv_bias = c.architecture == Architecture::qwen2 || (has_bias_option && attention_bias);
  c.output_bias = has_bias_option && attention_bias;
  c.mlp_bias = c.architecture == Architecture::llama && source.boolean("mlp_bias", false);
  c.qk_norm = c.architecture == Architecture::qwen3;
  read_rope(source, c);
  reject_unsupported(source, c);
  check_consistency(source, c);
  c.eos_ids = read_eos(source);
  const fs::path generation = path.parent_path() / "generation_config.json";
  if (folder && fs::exists(generation)) {
    const auto ids = read_eos({generation.string(), parse_json(generation)});
    if (!ids.empty()) c.eos_ids = ids;
  }
  return c;
}

int64_t ModelConfig::matmul_parameters() const {
  const int64_t per_layer = hidden * qkv_rows() + heads * head_dim * hidden + 3 * hidden * intermediate;
  return layers * per_layer + vocab_size * hidden;
}

int64_t ModelConfig::total_parameters() const {
  int64_t per_layer = 2 * hidden;
  if (qkv_bias) per_layer += qkv_rows();
  if (output_bias) per_layer += hidden;
  if (qk_norm) per_layer += 2 * head_dim;
  if (mlp_bias) per_layer += 2 * intermediate + hidden;
  return matmul_parameters() + layers * per_layer + hidden + (tied ? 0 : vocab_size * hidden);
}

std::string to_config_json(const ModelConfig& c, const std::string& dtype_name) {
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
  if (!json.contains("initializer_range")) json["initializer_range"] = c.initializer_range;
  if (!json.contains("rope_parameters")) json["rope_theta"] = c.rope_theta;
  if (c.source_json.empty() && !c.eos_ids.empty())
    json["eos_token_id"] = c.eos_ids.size() == 1 ? Json(c.eos_ids.front()) : Json(c.eos_ids);
  // Readers of either generation find the dtype under the key that the file used, new files get the old key.
  if (json.contains("dtype")) json["dtype"] = dtype_name;
  if (json.contains("torch_dtype") || !json.contains("dtype")) json["torch_dtype"] = dtype_name;
  return json.dump(2) + "\n";
}

}  // namespace laconic::model
