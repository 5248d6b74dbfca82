// Reads a tokenizer.json. The vocabulary and the merges (hundreds of thousands of entries) go straight into flat lists;
// the rest becomes a JSON tree.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "laconic/core/text/token_model.h"

namespace laconic::text {

struct TokenizerJson {
  nlohmann::json rest;  // everything but model.vocab and model.merges
  std::vector<std::pair<std::string, int32_t>> vocab;
  MergeList merges;
  bool has_merges = false;
};

// Errors (kind input) begin with `file` and say where the text is broken, or which entry is not what it should be.
TokenizerJson parse_tokenizer_json(std::string_view text, const std::string& file);

// Any other JSON text; the same errors.
nlohmann::json parse_json(std::string_view text, const std::string& file);

}  // namespace laconic::text
