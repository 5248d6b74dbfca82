// A config.json that a test changes in one place.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "laconic/core/base/files.h"
#include "laconic/core/model/model_config.h"
#include "tests/support/error_of.h"
#include "tests/support/temporary_folder.h"

namespace laconic::model {

using Json = nlohmann::ordered_json;

// A small model of the given type that is fine as it stands.
inline Json good_config(const std::string& type = "llama") {
  Json c = {{"model_type", type},
            {"vocab_size", 61},
            {"hidden_size", 40},
            {"intermediate_size", 72},
            {"num_hidden_layers", 2},
            {"num_attention_heads", 4},
            {"num_key_value_heads", 2},
            {"head_dim", 10},
            {"max_position_embeddings", 512},
            {"rms_norm_eps", 1e-5},
            {"tie_word_embeddings", true},
            {"hidden_act", "silu"},
            {"initializer_range", 0.02},
            {"eos_token_id", 2}};
  if (type == "mistral") c["sliding_window"] = nullptr;
  return c;
}

inline Json changed(Json config, const char* key, Json value) {
  config[key] = std::move(value);
  return config;
}

inline Json without(Json config, const char* key) {
  config.erase(key);
  return config;
}

class ConfigFolder {
 public:
  explicit ConfigFolder(const std::string& config) { write_file_atomic(folder_ / "config.json", config); }
  explicit ConfigFolder(const Json& config) : ConfigFolder(config.dump()) {}

  ModelConfig read() const { return read_model_config(folder_.path()); }
  std::string problem() const {
    return error_of([&] { read(); });
  }
  void write(const std::string& name, const std::string& content) const { write_file_atomic(folder_ / name, content); }
  const std::filesystem::path& path() const { return folder_.path(); }

 private:
  TemporaryFolder folder_;
};

}  // namespace laconic::model
