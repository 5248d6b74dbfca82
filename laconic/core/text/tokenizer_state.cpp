#include "laconic/core/text/tokenizer_state.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "laconic/core/base/error.h"

namespace laconic::text {

namespace {

using nlohmann::json;

constexpr std::array<const char*, 7> kSpecialNames = {"bos_token", "eos_token", "unk_token", "sep_token",
                                                      "pad_token", "cls_token", "mask_token"};
const json kNull;

Node member(const json& root, const std::string& key, const std::string& file) {
  const auto found = root.find(key);
  return {found == root.end() ? kNull : *found, file + ": " + key};
}

std::unique_ptr<TokenModel> make_bpe(const Node& node, TokenizerJson& parsed) {
  node.only({"dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix", "fuse_unk", "byte_fallback",
             "ignore_merges"});
  if (!parsed.has_merges) fail(ErrorKind::input, "{}: key `merges` is missing", node.where());
  if (node.has("dropout") && node.child("dropout").value() != 0.0) node.child("dropout").unsupported("BPE dropout");
  for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"}) {
    if (!node.optional_text(key).value_or("").empty()) node.child(key).unsupported("a prefix or suffix of subwords");
  }
  BpeOptions options;
  options.unknown = node.optional_text("unk_token");
  options.fuse_unknown = node.flag("fuse_unk", false);
  options.byte_fallback = node.flag("byte_fallback", false);
  options.ignore_merges = node.flag("ignore_merges", false);
  Vocabulary vocabulary(std::move(parsed.vocab), node.where() + ".vocab");
  return std::make_unique<BpeModel>(std::move(vocabulary), parsed.merges, options, node.where());
}

std::unique_ptr<TokenModel> make_model(const Node& node, TokenizerJson& parsed) {
  if (node.is_null()) node.invalid("a model");
  // Old files leave the type out; only BPE has merges.
  const std::string type = parsed.has_merges ? node.optional_text("type").value_or("BPE") : node.text("type");
  if (type != "BPE" && type != "WordLevel") node.unsupported("the model type `" + type + "`");
  if (node.has("vocab")) node.child("vocab").invalid("an object of tokens and ids");
  if (parsed.vocab.empty()) fail(ErrorKind::input, "{}: `vocab` is missing or empty", node.where());
  if (type == "BPE") return make_bpe(node, parsed);
  node.only({"unk_token"});
  Vocabulary vocabulary(std::move(parsed.vocab), node.where() + ".vocab");
  return std::make_unique<WordLevelModel>(std::move(vocabulary), node.optional_text("unk_token"), node.where());
}

AddedToken read_added_token(const Node& node, int64_t id) {
  AddedToken token;
  if (id < 0 || id >= (1 << 24)) node.invalid("an id between 0 and 2^24");
  token.id = static_cast<int32_t>(id);
  token.content = node.text("content");
  token.single_word = node.flag("single_word", false);
  token.lstrip = node.flag("lstrip", false);
  token.rstrip = node.flag("rstrip", false);
  token.special = node.flag("special", false);
  token.normalized = node.flag("normalized", !token.special);
  return token;
}

void add_token(TokenizerState& state, const AddedToken& token, const std::string& where) {
  const auto known = state.token_id(token.content);
  if (known && *known != token.id) {
    fail(ErrorKind::input, "{}: token `{}` has id {}, but the vocabulary has it with id {}", where, token.content,
         token.id, *known);
  }
  const std::string* holder = state.token(token.id);
  if (holder != nullptr && *holder != token.content) {
    fail(ErrorKind::input, "{}: token `{}` has id {}, which is that of `{}`", where, token.content, token.id, *holder);
  }
  AddedToken& added = state.added[token.id] = token;
  added.decoded = token.normalized ? state.normalizer->apply(token.content) : token.content;
  state.added_ids[token.content] = token.id;
  state.limit = std::max(state.limit, token.id + 1);
  if (token.normalized) {
    state.normalized_matcher.add(token, added.decoded);
  } else {
    state.raw_matcher.add(token, token.content);
  }
}

// {"151643": {"content": ...}, ...}: tokens that a fast tokenizer adds to those of tokenizer.json.
void add_from_config(TokenizerState& state, const Node& decoder) {
  if (!decoder.value().is_object()) decoder.invalid("an object of ids and tokens");
  for (const auto& [key, value] : decoder.value().items()) {
    const Node node(value, decoder.where() + "." + key);
    int64_t id = -1;
    const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), id);
    if (error != std::errc() || end != key.data() + key.size()) node.invalid("a token id as key");
    const AddedToken token = read_added_token(node, id);
    if (!state.added_ids.contains(token.content)) add_token(state, token, node.where());
  }
}

std::optional<std::string> read_chat_template(const Node& node) {
  if (node.is_string()) return node.as_text();
  if (!node.value().is_array()) node.invalid("a template or a list of named templates");
  for (const json& entry : node.value()) {
    const Node named(entry, node.where());
    if (named.text("name") == "default") return named.text("template");
  }
  return std::nullopt;
}

}  // namespace

const std::string* TokenizerState::token(int32_t id) const {
  const auto found = added.find(id);
  return found != added.end() ? &found->second.content : model->vocabulary().token(id);
}

std::optional<int32_t> TokenizerState::token_id(std::string_view token) const {
  const auto found = added_ids.find(std::string(token));
  if (found != added_ids.end()) return found->second;
  return model->vocabulary().find(token);
}

const std::string* TokenizerState::token_to_decode(int32_t id, bool skip_special) const {
  if (id < 0) fail(ErrorKind::input, "{}: {} is not a token id", name, id);
  const auto found = added.find(id);
  if (found == added.end()) return model->vocabulary().token(id);
  return skip_special && found->second.special ? nullptr : &found->second.decoded;
}

std::unique_ptr<TokenizerState> build_tokenizer(TokenizerJson parsed, const std::string& name) {
  const json& root = parsed.rest;
  auto state = std::make_unique<TokenizerState>();
  state->name = name;
  const Node top(root, name + ": ");
  // truncation and padding are applied per call by the reference's users, never by the file's own values.
  for (const auto& [key, ignored] : root.items()) {
    static constexpr std::array<std::string_view, 9> kKnown = {"version",        "truncation", "padding",
                                                               "added_tokens",   "normalizer", "pre_tokenizer",
                                                               "post_processor", "decoder",    "model"};
    if (std::find(kKnown.begin(), kKnown.end(), key) == kKnown.end()) top.unsupported("key `" + key + "`");
  }
  state->normalizer = make_normalizer(member(root, "normalizer", name));
  state->pre_tokenizer = make_pre_tokenizer(member(root, "pre_tokenizer", name));
  state->post_processor = make_post_processor(member(root, "post_processor", name));
  state->decoder = std::make_unique<Decoder>(member(root, "decoder", name));
  state->model = make_model(member(root, "model", name), parsed);
  state->limit = state->model->vocabulary().limit();
  if (top.has("added_tokens")) {
    for (const Node& node : top.list("added_tokens")) {
      add_token(*state, read_added_token(node, node.integer("id")), node.where());
    }
  }
  return state;
}

void apply_tokenizer_config(TokenizerState& state, const json& config, const std::string& file) {
  if (!config.is_object()) fail(ErrorKind::input, "{}: expected a JSON object", file);
  const Node top(config, file + ": ");
  if (top.has("added_tokens_decoder")) add_from_config(state, top.child("added_tokens_decoder"));
  for (const std::string special : kSpecialNames) {
    if (!top.has(special)) continue;
    const Node node = top.child(special);
    const std::string token = node.is_string() ? node.as_text() : node.text("content");
    const auto id = state.token_id(token);
    if (!id) fail(ErrorKind::input, "{}: `{}` is not a token of {}", node.where(), token, state.name);
    state.special_tokens[special] = token;
    state.special_ids[special] = *id;
  }
  if (top.has("chat_template")) state.chat_template = read_chat_template(top.child("chat_template"));
}

}  // namespace laconic::text
