#include "laconic/core/text/tokenizer.h"

#include <utility>

#include "laconic/core/base/error.h"
#include "laconic/core/base/files.h"
#include "laconic/core/base/strings.h"
#include "laconic/core/text/tokenizer_state.h"

namespace laconic::text {

namespace {

// Normalized text without added tokens: words, then ids.
void encode_words(const TokenizerState& state, std::string_view text, bool at_start, std::vector<int32_t>& ids) {
  if (text.empty()) return;
  Words words(std::string(text), at_start);
  state.pre_tokenizer->apply(words);
  for (const Span& word : words.spans) state.model->encode_word(words.view(word), ids);
}

// Calls `text(begin, end)` for the stretches between matches and `token(id)` for the matches, in order.
template <typename OnText, typename OnToken>
void walk(size_t size, const std::vector<AddedTokenMatcher::Match>& matches, const OnText& text, const OnToken& token) {
  size_t done = 0;
  for (const auto& match : matches) {
    if (match.span.begin > done) text(done, match.span.begin);
    token(match.id);
    done = match.span.end;
  }
  if (done < size) text(done, size);
}

}  // namespace

Tokenizer Tokenizer::from_path(const std::filesystem::path& path) {
  if (!std::filesystem::is_directory(path)) {
    return from_json_text(read_file(path), path.string());
  }
  const auto file = path / "tokenizer.json";
  if (!std::filesystem::exists(file)) {
    const bool old = std::filesystem::exists(path / "vocab.json") || std::filesystem::exists(path / "tokenizer.model");
    fail(ErrorKind::input, "{}: no tokenizer.json in this folder{}", path.string(),
         old ? " (vocab.json and tokenizer.model are not read: convert them with the Python stack)" : "");
  }
  auto state = build_tokenizer(parse_tokenizer_json(read_file(file), file.string()), file.string());
  // The later file wins where both name a token.
  for (const char* name : {"special_tokens_map.json", "tokenizer_config.json"}) {
    const auto config = path / name;
    if (!std::filesystem::exists(config)) continue;
    apply_tokenizer_config(*state, parse_json(read_file(config), config.string()), config.string());
  }
  const auto jinja = path / "chat_template.jinja";
  if (std::filesystem::exists(jinja)) state->chat_template = read_file(jinja);
  return Tokenizer(std::move(state));
}

Tokenizer Tokenizer::from_json_text(std::string_view tokenizer_json, const std::string& name,
                                    std::string_view config_json) {
  auto state = build_tokenizer(parse_tokenizer_json(tokenizer_json, name), name);
  if (!config_json.empty()) {
    apply_tokenizer_config(*state, parse_json(config_json, "tokenizer_config.json"), "tokenizer_config.json");
  }
  return Tokenizer(std::move(state));
}

std::vector<int32_t> Tokenizer::encode(std::string_view text, bool add_special_tokens) const {
  const size_t bad = first_invalid_utf8(text);
  if (bad != std::string_view::npos) {
    fail(ErrorKind::input, "text is not valid UTF-8 at byte offset {} (byte 0x{:02X})", bad,
         static_cast<unsigned>(static_cast<unsigned char>(text[bad])));
  }
  const TokenizerState& state = *state_;
  std::vector<int32_t> ids;
  ids.reserve(text.size() / 3 + 4);
  const auto put = [&](int32_t id) { ids.push_back(id); };
  if (add_special_tokens) ids = state.post_processor.prefix;
  const auto on_text = [&](size_t begin, size_t end) {
    const std::string normalized = state.normalizer->apply(std::string(text.substr(begin, end - begin)));
    walk(
        normalized.size(), state.normalized_matcher.find(normalized),
        [&](size_t from, size_t to) {
          encode_words(state, std::string_view(normalized).substr(from, to - from), begin == 0 && from == 0, ids);
        },
        put);
  };
  walk(text.size(), state.raw_matcher.find(text), on_text, put);
  if (add_special_tokens) ids.insert(ids.end(), state.post_processor.suffix.begin(), state.post_processor.suffix.end());
  return ids;
}

std::string Tokenizer::decode(std::span<const int32_t> ids, bool skip_special_tokens) const {
  DecodeRun run(*state_->decoder);
  std::string out;
  for (const int32_t id : ids) {
    if (const std::string* token = state_->token_to_decode(id, skip_special_tokens)) run.push(*token, out);
  }
  run.finish(out);
  return out;
}

std::optional<int32_t> Tokenizer::token_id(std::string_view token) const {
  return state_->token_id(token);
}

std::optional<std::string> Tokenizer::token(int32_t id) const {
  const std::string* token = state_->token(id);
  if (token == nullptr) return std::nullopt;
  return *token;
}

bool Tokenizer::is_special(int32_t id) const {
  const auto found = state_->added.find(id);
  return found != state_->added.end() && found->second.special;
}

int32_t Tokenizer::vocab_size() const {
  return state_->limit;
}

std::optional<int32_t> Tokenizer::special_id(const std::string& name) const {
  const auto found = state_->special_ids.find(name);
  if (found == state_->special_ids.end()) return std::nullopt;
  return found->second;
}

std::optional<int32_t> Tokenizer::bos_id() const {
  return special_id("bos_token");
}
std::optional<int32_t> Tokenizer::eos_id() const {
  return special_id("eos_token");
}
std::optional<int32_t> Tokenizer::pad_id() const {
  return special_id("pad_token");
}

const std::map<std::string, std::string>& Tokenizer::special_tokens() const {
  return state_->special_tokens;
}

const std::optional<std::string>& Tokenizer::chat_template() const {
  return state_->chat_template;
}

StreamDecoder::StreamDecoder(const Tokenizer& tokenizer, bool skip_special_tokens)
    : state_(tokenizer.state_),
      run_(std::make_unique<DecodeRun>(*state_->decoder)),
      skip_special_(skip_special_tokens) {}

StreamDecoder::~StreamDecoder() = default;
StreamDecoder::StreamDecoder(StreamDecoder&&) noexcept = default;
StreamDecoder& StreamDecoder::operator=(StreamDecoder&&) noexcept = default;

std::string StreamDecoder::push(int32_t id) {
  std::string out;
  if (const std::string* token = state_->token_to_decode(id, skip_special_)) run_->push(*token, out);
  return out;
}

std::string StreamDecoder::flush() {
  std::string out;
  run_->finish(out);
  run_ = std::make_unique<DecodeRun>(*state_->decoder);
  return out;
}

}  // namespace laconic::text
