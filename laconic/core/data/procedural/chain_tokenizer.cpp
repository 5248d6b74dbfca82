#include "laconic/core/data/procedural/chain_tokenizer.h"

#include <nlohmann/json.hpp>

#include "laconic/core/data/procedural/chain_task.h"

namespace laconic::data {
namespace {

using Json = nlohmann::ordered_json;

Json added_token(int32_t id, bool special) {
  return {{"id", id},
          {"content", chain_words()[static_cast<size_t>(id)]},
          {"single_word", false},
          {"lstrip", false},
          {"rstrip", false},
          {"normalized", false},
          {"special", special}};
}

}  // namespace

std::string chain_tokenizer_json() {
  Json vocabulary = Json::object();
  for (const auto word : chain_words()) vocabulary[std::string(word)] = vocabulary.size();
  Json added = Json::array();
  for (int32_t id = chain_id::pad; id <= chain_id::end_think; ++id)
    added.push_back(added_token(id, id <= chain_id::eos));
  const Json file = {{"version", "1.0"},
                     {"truncation", nullptr},
                     {"padding", nullptr},
                     {"added_tokens", added},
                     {"normalizer", nullptr},
                     {"pre_tokenizer", {{"type", "WhitespaceSplit"}}},
                     {"post_processor", nullptr},
                     {"decoder", nullptr},
                     {"model", {{"type", "WordLevel"}, {"vocab", vocabulary}, {"unk_token", "<unk>"}}}};
  return file.dump(2) + "\n";
}

std::string chain_tokenizer_config_json() {
  Json added = Json::object();
  for (int32_t id = chain_id::pad; id <= chain_id::end_think; ++id) {
    Json token = added_token(id, id <= chain_id::eos);
    token.erase("id");
    added[std::to_string(id)] = token;
  }
  const Json file = {{"add_bos_token", false}, {"added_tokens_decoder", added},
                     {"bos_token", "<bos>"},   {"clean_up_tokenization_spaces", false},
                     {"eos_token", "<eos>"},   {"model_max_length", 256},
                     {"pad_token", "<pad>"},   {"tokenizer_class", "PreTrainedTokenizerFast"}};
  return file.dump(2) + "\n";
}

}  // namespace laconic::data
