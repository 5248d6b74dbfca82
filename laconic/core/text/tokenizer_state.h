// The immutable tables behind a Tokenizer.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "laconic/core/text/added_tokens.h"
#include "laconic/core/text/decoder.h"
#include "laconic/core/text/normalizer.h"
#include "laconic/core/text/post_processor.h"
#include "laconic/core/text/pre_tokenizer.h"
#include "laconic/core/text/token_model.h"
#include "laconic/core/text/tokenizer_json.h"

namespace laconic::text {

struct TokenizerState {
  std::string name;  // the file, for messages
  std::unique_ptr<Normalizer> normalizer;
  std::unique_ptr<PreTokenizer> pre_tokenizer;
  std::unique_ptr<TokenModel> model;
  PostProcessor post_processor;
  std::unique_ptr<Decoder> decoder;

  std::unordered_map<int32_t, AddedToken> added;
  std::unordered_map<std::string, int32_t> added_ids;
  AddedTokenMatcher raw_matcher;         // tokens sought in the text as given
  AddedTokenMatcher normalized_matcher;  // tokens sought in normalized text
  int32_t limit = 0;                     // one more than the greatest id

  std::map<std::string, std::string> special_tokens;  // name -> token
  std::map<std::string, int32_t> special_ids;         // name -> id
  std::optional<std::string> chat_template;

  // nullptr where the id has no token.
  const std::string* token(int32_t id) const;
  std::optional<int32_t> token_id(std::string_view token) const;
  // The token to decode, or nullptr for nothing; negative ids are an Error.
  const std::string* token_to_decode(int32_t id, bool skip_special) const;
};

// Reads the parts of a tokenizer.json into a state.
std::unique_ptr<TokenizerState> build_tokenizer(TokenizerJson json, const std::string& name);

// Adds what a tokenizer_config.json (or special_tokens_map.json) says: names of special tokens, further added tokens,
// the chat template.
void apply_tokenizer_config(TokenizerState& state, const nlohmann::json& config, const std::string& file);

}  // namespace laconic::text
