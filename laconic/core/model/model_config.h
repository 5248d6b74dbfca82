// What a Hugging Face `config.json` says about a decoder-only transformer.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace laconic::model {

enum class Architecture { llama, mistral, qwen2, qwen3 };

struct RopeScaling {
  enum class Kind { none, linear, llama3 };
  Kind kind = Kind::none;
  double factor = 1.0;
  double low_frequency_factor = 1.0;      // llama3
  double high_frequency_factor = 4.0;     // llama3
  int64_t original_max_positions = 8192;  // llama3

  bool operator==(const RopeScaling&) const = default;
};

struct ModelConfig {
  Architecture architecture = Architecture::llama;
  int64_t vocab_size = 0;
  int64_t hidden = 0;
  int64_t intermediate = 0;
  int64_t layers = 0;
  int64_t heads = 0;
  int64_t kv_heads = 0;
  int64_t head_dim = 0;  // hidden / heads unless the file says otherwise
  double rms_epsilon = 1e-6;
  double rope_theta = 10000.0;
  RopeScaling rope_scaling;
  bool qkv_bias = false;     // Qwen2: always; Llama: attention_bias
  bool output_bias = false;  // Llama's attention_bias adds one to o_proj, too
  bool mlp_bias = false;
  bool qk_norm = false;  // Qwen3
  bool tied = true;      // lm_head shares the embedding's storage
  int64_t max_positions = 0;
  double initializer_range = 0.02;
  std::vector<int32_t> eos_ids;  // from generation_config.json where present, else config.json
  // The two files as read, so that unknown fields survive a write; empty for a model that was not read.
  std::string source_json;
  std::string generation_json;

  // Parameters that take part in a matmul per token, head included (P of docs/benchmarks.md).
  int64_t matmul_parameters() const;
  int64_t total_parameters() const;
  int64_t qkv_rows() const { return (heads + 2 * kv_heads) * head_dim; }

  bool operator==(const ModelConfig&) const = default;
};

// Reads config.json (both the style with rope_theta / rope_scaling / torch_dtype and the one with rope_parameters /
// dtype) and generation_config.json. Unsupported architectures, activations, sliding windows and rope kinds, and keys
// that contradict each other, are errors that name file and key.
ModelConfig read_model_config(const std::filesystem::path& folder_or_file);

// Weights of so many bytes each, and the table of positions, must fit into this machine's memory; otherwise an Error of
// kind input that begins with `where`. Nothing is allocated before this is known.
void check_fits_memory(const ModelConfig& config, int64_t element_bytes, const std::string& where);

// config.json for a model of this shape; starts from source_json where there is one. A shape that the architecture's
// config.json cannot express is an error.
std::string to_config_json(const ModelConfig& config, const std::string& dtype_name);

// generation_config.json; starts from generation_json where there is one. Empty where there is nothing to say.
std::string to_generation_json(const ModelConfig& config);

}  // namespace laconic::model
