// How config.json names the architectures; indexed by Architecture.
#pragma once

#include <array>
#include <utility>

#include "laconic/core/model/model_config.h"

namespace laconic::model {

inline constexpr std::array<std::pair<const char*, Architecture>, 4> kArchitectures = {
    {{"llama", Architecture::llama},
     {"mistral", Architecture::mistral},
     {"qwen2", Architecture::qwen2},
     {"qwen3", Architecture::qwen3}}};
inline constexpr std::array<const char*, 4> kClasses = {"LlamaForCausalLM", "MistralForCausalLM", "Qwen2ForCausalLM",
                                                        "Qwen3ForCausalLM"};

// attention_bias is read for these; Qwen2 always has its biases, Mistral never.
inline bool has_bias_option(Architecture architecture) {
  return architecture == Architecture::llama || architecture == Architecture::qwen3;
}

}  // namespace laconic::model
