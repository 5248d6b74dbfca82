// Tokenizers as Hugging Face folders describe them (tokenizer.json, tokenizer_config.json): text to ids and back, with
// the ids of the reference implementation.
//
// Errors: broken files and unknown words are of kind input, valid constructs that laconic lacks of kind unsupported;
// the message names file and key.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace laconic::text {

struct TokenizerState;
class DecodeRun;

// A value; copies share the immutable tables. All const methods may run on several threads at once.
class Tokenizer {
 public:
  // A folder with tokenizer.json (and tokenizer_config.json, special_tokens_map.json, chat_template.jinja where
  // present), or a tokenizer.json file, which is then read alone.
  static Tokenizer from_path(const std::filesystem::path& path);
  // `name` stands for the file in messages. `config_json` is the text of a tokenizer_config.json, or empty.
  static Tokenizer from_json_text(std::string_view tokenizer_json, const std::string& name = "tokenizer.json",
                                  std::string_view config_json = {});

  // Added tokens in the text become their ids. add_special_tokens also puts what the post-processor asks for (such as a
  // beginning-of-text token). Invalid UTF-8 is an Error that names the byte offset.
  std::vector<int32_t> encode(std::string_view text, bool add_special_tokens = false) const;

  // Valid UTF-8: bytes that form no character come out as U+FFFD. An id without a token, as the padding rows of a
  // model's head have, decodes to nothing; a negative id is an Error.
  std::string decode(std::span<const int32_t> ids, bool skip_special_tokens = false) const;

  std::optional<int32_t> token_id(std::string_view token) const;  // the exact token string as the file has it
  std::optional<std::string> token(int32_t id) const;
  bool is_special(int32_t id) const;
  // One more than the greatest id; a model's head may have more rows.
  int32_t vocab_size() const;

  // From tokenizer_config.json (else special_tokens_map.json).
  std::optional<int32_t> bos_id() const;
  std::optional<int32_t> eos_id() const;
  std::optional<int32_t> pad_id() const;
  // "bos_token", "eos_token", "pad_token", "unk_token", ... and their strings, for chat templates; unset ones are
  // absent.
  const std::map<std::string, std::string>& special_tokens() const;
  // Jinja source; of several named templates the one called default.
  const std::optional<std::string>& chat_template() const;

 private:
  friend class StreamDecoder;
  explicit Tokenizer(std::shared_ptr<const TokenizerState> state) : state_(std::move(state)) {}
  std::optional<int32_t> special_id(const std::string& name) const;

  std::shared_ptr<const TokenizerState> state_;  // shared: copies and running stream decoders use one set of tables
};

// Decodes ids as they are sampled. The concatenation of everything returned equals Tokenizer::decode of all ids.
class StreamDecoder {
 public:
  explicit StreamDecoder(const Tokenizer& tokenizer, bool skip_special_tokens = false);
  ~StreamDecoder();
  StreamDecoder(StreamDecoder&&) noexcept;
  StreamDecoder& operator=(StreamDecoder&&) noexcept;

  // The text that this id completes: whole characters, often empty.
  std::string push(int32_t id);
  // The rest, with U+FFFD for an unfinished character. Afterwards the decoder starts anew.
  std::string flush();

 private:
  std::shared_ptr<const TokenizerState> state_;
  std::unique_ptr<DecodeRun> run_;
  bool skip_special_;
};

}  // namespace laconic::text
