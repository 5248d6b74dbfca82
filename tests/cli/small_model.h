// A model folder with a tokenizer and a chat template, small enough to be made for a test.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "laconic/core/base/files.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/tiny_model.h"

namespace laconic::cli {

// Words "a" to "z" and a few more, split at spaces and joined by them; <eos> is id 1, <think> id 2 is not special.
inline nlohmann::ordered_json small_tokenizer() {
  using Json = nlohmann::ordered_json;
  Json vocabulary = {{"<pad>", 0}, {"<eos>", 1}, {"<think>", 2}, {"user:", 3}, {"assistant:", 4}};
  for (char letter = 'a'; letter <= 'z'; ++letter) vocabulary[std::string(1, letter)] = vocabulary.size();
  Json added = Json::array();
  for (const char* token : {"<pad>", "<eos>", "<think>"}) {
    added.push_back({{"id", vocabulary[token]},
                     {"content", token},
                     {"single_word", false},
                     {"lstrip", false},
                     {"rstrip", false},
                     {"normalized", false},
                     {"special", std::string(token) != "<think>"}});
  }
  return {{"added_tokens", added},
          {"normalizer", nullptr},
          {"pre_tokenizer", {{"type", "WhitespaceSplit"}}},
          {"post_processor", nullptr},
          {"decoder", nullptr},
          {"model", {{"type", "WordLevel"}, {"vocab", vocabulary}, {"unk_token", "<unk>"}}}};
}

// The folder of a random model of 61 ids with 31 words in its tokenizer.
class SmallModel {
 public:
  explicit SmallModel(bool with_tokenizer = true) {
    auto config = tiny_config(model::Architecture::qwen3);
    config.eos_ids = {1};
    model::Model::random(config, /*seed=*/5, at::kFloat, at::kCPU).save_folder(folder_.path(), at::kFloat);
    if (!with_tokenizer) return;
    write_file_atomic(folder_ / "tokenizer.json", small_tokenizer().dump());
    const nlohmann::ordered_json settings = {
        {"eos_token", "<eos>"},
        {"chat_template",
         "{% for m in messages %}{{ m.role }}: {{ m.content }} {{ eos_token }} {% endfor %}"
         "{% if add_generation_prompt %}assistant:{% endif %}"}};
    write_file_atomic(folder_ / "tokenizer_config.json", settings.dump());
  }

  std::string path() const { return folder_.path().string(); }
  std::filesystem::path operator/(const std::string& name) const { return folder_ / name; }

 private:
  TemporaryFolder folder_;
};

}  // namespace laconic::cli
