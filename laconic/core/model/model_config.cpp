#include "laconic/core/model/model_config.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

#include "laconic/core/base/error.h"
#include "laconic/core/base/files.h"
#include "laconic/core/base/strings.h"
#include "laconic/core/model/architecture_names.h"

namespace laconic::model {
namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

// One config.json with its name for messages.
struct Source {
  static constexpr uint64_t kLargest = std::numeric_limits<int32_t>::max();
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
    const bool whole = json[key].is_number_unsigned() && json[key].get<uint64_t>() > 0;
    if (!whole || json[key].get<uint64_t>() > kLargest) wrong(key, "a whole number from 1 to 2147483647");
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

Architecture read_architecture(const Source& source) {
  const std::string type = source.text("model_type", "");
  for (const auto& [name, architecture] : kArchitectures) {
    if (type != name) continue;
    if (source.has("architectures") && !source.json["architectures"].is_array())
      source.wrong("architectures", "a list of class names");
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

void reject_partial_rotation(const Source& source) {
  if (source.number("partial_rotary_factor", 1.0) == 1.0) return;
  fail(ErrorKind::unsupported, "{}: partial_rotary_factor: only 1 is supported, found {}", source.name,
       source.json["partial_rotary_factor"].dump());
}

// The object with the kind of scaling; a key that is not understood could change every number.
void read_rope_scaling(const Source& rope, RopeScaling& scaling) {
  constexpr std::array<std::string_view, 8> kKnown = {"rope_theta",
                                                      "rope_type",
                                                      "type",
                                                      "factor",
                                                      "low_freq_factor",
                                                      "high_freq_factor",
                                                      "original_max_position_embeddings",
                                                      "partial_rotary_factor"};
  for (const auto& [key, value] : rope.json.items()) {
    if (!value.is_null() && std::find(kKnown.begin(), kKnown.end(), key) == kKnown.end())
      fail(ErrorKind::unsupported, "{}: the key {} is not supported", rope.name, key);
  }
  const auto need = [&](std::initializer_list<const char*> keys) {
    for (const char* key : keys) {
      if (!rope.has(key)) fail(ErrorKind::input, "{}: the key {} is missing", rope.name, key);
    }
  };
  const std::string kind = rope.text("rope_type", rope.text("type", "default"));
  if (rope.text("type", kind) != kind) {
    fail(ErrorKind::input, "{}: rope_type ({}) and type ({}) contradict each other", rope.name, kind,
         rope.text("type", kind));
  }
  if (kind == "default") return;
  if (kind == "linear") {
    need({"factor"});
    scaling.kind = RopeScaling::Kind::linear;
  } else if (kind == "llama3") {
    need({"factor", "low_freq_factor", "high_freq_factor", "original_max_position_embeddings"});
    scaling.kind = RopeScaling::Kind::llama3;
    scaling.low_frequency_factor = rope.number("low_freq_factor", 1.0);
    scaling.high_frequency_factor = rope.number("high_freq_factor", 4.0);
    scaling.original_max_positions = rope.integer("original_max_position_embeddings");
    if (!(scaling.low_frequency_factor > 0 && scaling.low_frequency_factor < scaling.high_frequency_factor)) {
      fail(ErrorKind::input, "{}: expected 0 < low_freq_factor < high_freq_factor, found {} and {}", rope.name,
           scaling.low_frequency_factor, scaling.high_frequency_factor);
    }
  } else {
    fail(ErrorKind::unsupported, "{}: rope_type: `{}` is not supported; expected default, linear or llama3", rope.name,
         kind);
  }
  scaling.factor = rope.number("factor", 1.0);
  if (!(scaling.factor > 0))
    fail(ErrorKind::input, "{}: factor: expected a number above 0, found {}", rope.name, scaling.factor);
}

// Both styles: rope_theta and rope_scaling beside each other, or both inside rope_parameters.
void read_rope(const Source& source, ModelConfig& config) {
  const bool nested = source.has("rope_parameters");
  if (nested && source.has("rope_scaling"))
    fail(ErrorKind::input, "{}: rope_parameters and rope_scaling are both there; expected one of them", source.name);
  const char* key = nested ? "rope_parameters" : "rope_scaling";
  config.rope_theta = source.number("rope_theta", 10000.0);
  reject_partial_rotation(source);
  if (source.has(key)) {
    const Source rope{fmt::format("{}: {}", source.name, key), source.json[key]};
    if (!rope.json.is_object()) source.wrong(key, "an object");
    reject_partial_rotation(rope);
    const double theta = rope.number("rope_theta", config.rope_theta);
    if (source.has("rope_theta") && theta != config.rope_theta) {
      fail(ErrorKind::input, "{}: rope_theta is {} at the top and {} in {}", source.name, config.rope_theta, theta,
           key);
    }
    config.rope_theta = theta;
    read_rope_scaling(rope, config.rope_scaling);
  }
  if (!(config.rope_theta > 0))
    fail(ErrorKind::input, "{}: rope_theta: expected a number above 0, found {}", source.name, config.rope_theta);
}

// A window that is as long as the model's is none. Absent keys mean what the reference's classes mean by them: Mistral
// a window of 4096, the others none.
void reject_windows(const Source& source, const ModelConfig& config) {
  const bool mistral = config.architecture == Architecture::mistral;
  const bool windowed = mistral ? !source.json.contains("sliding_window") || source.has("sliding_window")
                                : source.boolean("use_sliding_window", false);
  const int64_t window = windowed ? source.integer("sliding_window", 4096) : config.max_positions;
  if (window < config.max_positions) {
    fail(ErrorKind::unsupported, "{}: sliding_window: {} ({}) is not supported, expected null (no sliding window)",
         source.name, source.has("sliding_window") ? source.json["sliding_window"].dump() : "no value",
         source.has("sliding_window") ? fmt::format("a window below max_position_embeddings {}", config.max_positions)
                                      : "which means 4096");
  }
  if (!source.has("layer_types")) return;
  const auto& types = source.json["layer_types"];
  if (!types.is_array() || static_cast<int64_t>(types.size()) != config.layers)
    source.wrong("layer_types", fmt::format("a list of {} types (num_hidden_layers)", config.layers).c_str());
  for (const auto& type : types) {
    if (type == "full_attention" || (windowed && type == "sliding_attention")) continue;
    fail(ErrorKind::unsupported, "{}: layer_types: {} is not supported, expected full_attention for every layer",
         source.name, type.dump());
  }
}

// What would change the numbers and is not done here must not be ignored.
void reject_unsupported(const Source& source, const ModelConfig& config) {
  const std::string activation = source.text("hidden_act", "silu");
  if (activation != "silu" && activation != "swish")
    fail(ErrorKind::unsupported, "{}: hidden_act: `{}` is not supported, expected silu", source.name, activation);
  if (source.has("quantization_config"))
    fail(ErrorKind::unsupported, "{}: quantization_config: quantised weights are not supported", source.name);
  reject_windows(source, config);
}

std::vector<int32_t> read_eos(const Source& source, int64_t vocab_size) {
  std::vector<int32_t> ids;
  if (!source.has("eos_token_id")) return ids;
  const auto& value = source.json["eos_token_id"];
  const auto add = [&](const Json& item) {
    const bool inside = item.is_number_unsigned() && item.get<uint64_t>() < static_cast<uint64_t>(vocab_size);
    if (!inside) source.wrong("eos_token_id", "a token id below vocab_size or a list of them");
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
  const std::string text = read_file(path);
  if (const size_t levels = json_levels(text); levels > kMaxJsonLevels)
    fail(ErrorKind::input, "{}: nested {} levels deep, expected at most {}", path.string(), levels, kMaxJsonLevels);
  try {
    return Json::parse(text);
  } catch (const Json::exception& error) {
    fail(ErrorKind::input, "{}: not valid JSON: {}", path.string(), parser_reason(error.what()));
  }
}

// Keys that may be absent mean their defaults then, so that a misspelled one would go unnoticed. Others are not ours to
// judge: every model has keys of its own.
void reject_misspelled(const Source& source) {
  constexpr std::array<const char*, 17> kOptional = {"architectures",
                                                     "num_key_value_heads",
                                                     "head_dim",
                                                     "rms_norm_eps",
                                                     "tie_word_embeddings",
                                                     "attention_bias",
                                                     "mlp_bias",
                                                     "rope_theta",
                                                     "rope_scaling",
                                                     "rope_parameters",
                                                     "partial_rotary_factor",
                                                     "hidden_act",
                                                     "quantization_config",
                                                     "sliding_window",
                                                     "use_sliding_window",
                                                     "layer_types",
                                                     "initializer_range"};
  for (const auto& [key, value] : source.json.items()) {
    for (const char* known : kOptional) {
      if (key.size() > 64 || edit_distance(key, known) != 1 || source.json.contains(known)) continue;
      fail(ErrorKind::input, "{}: {}: unknown key (did you mean `{}`?)", source.name, key, known);
    }
  }
}

void check_consistency(const Source& source, const ModelConfig& c) {
  if (!source.has("head_dim") && c.architecture != Architecture::qwen3 && c.hidden % c.heads != 0) {
    fail(ErrorKind::input,
         "{}: hidden_size ({}) must be a multiple of num_attention_heads ({}) where head_dim is absent", source.name,
         c.hidden, c.heads);
  }
  if (c.heads % c.kv_heads != 0) {
    fail(ErrorKind::input, "{}: num_attention_heads ({}) must be a multiple of num_key_value_heads ({})", source.name,
         c.heads, c.kv_heads);
  }
  if (c.head_dim % 2 != 0)
    fail(ErrorKind::input, "{}: head_dim: expected an even number, found {}", source.name, c.head_dim);
  if (!(c.rms_epsilon > 0))
    fail(ErrorKind::input, "{}: rms_norm_eps: expected a number above 0, found {}", source.name, c.rms_epsilon);
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
  reject_misspelled(source);
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
  c.output_bias = has_bias_option(c.architecture) && attention_bias;
  c.qkv_bias = c.architecture == Architecture::qwen2 || c.output_bias;
  c.mlp_bias = c.architecture == Architecture::llama && source.boolean("mlp_bias", false);
  c.qk_norm = c.architecture == Architecture::qwen3;
  read_rope(source, c);
  reject_unsupported(source, c);
  check_consistency(source, c);
  c.eos_ids = read_eos(source, c.vocab_size);
  const fs::path generation = path.parent_path() / "generation_config.json";
  if (folder && fs::exists(generation)) {
    const Source settings{generation.string(), parse_json(generation)};
    if (!settings.json.is_object()) fail(ErrorKind::input, "{}: expected a JSON object", settings.name);
    c.generation_json = settings.json.dump();
    const auto ids = read_eos(settings, c.vocab_size);
    if (!ids.empty()) c.eos_ids = ids;
  }
  return c;
}

void check_fits_memory(const ModelConfig& c, int64_t element_bytes, const std::string& where) {
  // In floating point: a damaged file may ask for more than an integer counts.
  const auto real = [](int64_t value) { return static_cast<double>(value); };
  const double attention = real(c.hidden) * real(c.head_dim) * (2 * real(c.heads) + 2 * real(c.kv_heads));
  const double layer = attention + 3 * real(c.hidden) * real(c.intermediate);
  const double parameters = real(c.layers) * layer + (c.tied ? 1 : 2) * real(c.vocab_size) * real(c.hidden);
  const double bytes = parameters * real(element_bytes) + real(c.max_positions) * real(c.head_dim) * sizeof(float);
  const double memory = real(::sysconf(_SC_PHYS_PAGES)) * real(::sysconf(_SC_PAGE_SIZE));
  if (bytes <= memory) return;
  fail(ErrorKind::input,
       "{}: the model has {} parameters and a window of {} tokens, which need {}; this machine has {} of memory", where,
       human_count(parameters), c.max_positions, human_bytes(bytes), human_bytes(memory));
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

}  // namespace laconic::model
