// The program over published token ids and chat texts.
#include <gtest/gtest.h>

#include <map>

#include "tests/cli/run_program.h"
#include "tests/core/text/fixtures.h"

namespace laconic::cli {
namespace {

using text::added_token;
using text::byte_level;
using text::gunzip;
using Json = nlohmann::ordered_json;

// A tokenizer.json as the test needs it.
class TokenizerFile {
 public:
  explicit TokenizerFile(const std::string& json) { write_file_atomic(folder_ / "tokenizer.json", json); }
  std::string path() const { return (folder_ / "tokenizer.json").string(); }

 private:
  TemporaryFolder folder_;
};

// Feeds the cases themselves (`text`, `ids` and more) to the filters: each must give back what stands in the other
// field. Returns how many do.
size_t check_cases(const std::vector<Json>& cases, const std::string& tokenizer, const char* decoded_text = "text") {
  const auto encoded = run_program({"tokenize", "--tokenizer", tokenizer}, to_lines(cases));
  const auto decoded = run_program({"detokenize", "--tokenizer", tokenizer}, to_lines(cases));
  EXPECT_EQ(encoded.status, 0) << encoded.err;
  EXPECT_EQ(decoded.status, 0) << decoded.err;
  const auto ids = from_lines(encoded.out), texts = from_lines(decoded.out);
  size_t right = 0;
  for (size_t i = 0; i < cases.size(); ++i) {
    const char* key = cases[i].contains(decoded_text) ? decoded_text : "text";
    EXPECT_EQ(ids.at(i)["ids"], cases[i]["ids"]) << cases[i].dump();
    EXPECT_EQ(texts.at(i)["text"], cases[i][key]) << cases[i].dump();
    right += ids[i]["ids"] == cases[i]["ids"] && texts[i]["text"] == cases[i][key] ? 1 : 0;
  }
  return right;
}

std::string gpt2_json(const std::filesystem::path& folder) {
  std::string merges;
  for (const auto& line : split(gunzip(folder / "merges.txt.gz"), '\n')) {
    if (line.empty() || line.starts_with("#version")) continue;
    merges += (merges.empty() ? "" : ",") + Json(line).dump();
  }
  std::string text =
      byte_level(Json::object(), Json::array(), {{"added_tokens", {added_token(50256, "<|endoftext|>")}}}).dump();
  text.replace(text.find("\"vocab\":{}"), 10, "\"vocab\":" + gunzip(folder / "vocab.json.gz"));
  text.replace(text.find("\"merges\":[]"), 11, "\"merges\":[" + merges + "]");
  return text;
}

TEST(ReferenceTokens, Gpt2) {
  const auto folder = LACONIC_TEST_DATA_OR_SKIP("tokenizers/gpt2");
  const auto vectors = LACONIC_TEST_DATA_OR_SKIP("tokenizer_vectors/gpt2.jsonl");
  const TokenizerFile tokenizer(gpt2_json(folder));
  const auto cases = from_lines(read_file(vectors));
  std::printf("%zu of %zu texts of gpt2.jsonl\n", check_cases(cases, tokenizer.path()), cases.size());
}

TEST(ReferenceTokens, TinyQwen) {
  const auto file = LACONIC_TEST_DATA_OR_SKIP("tokenizers/torchtune_tiny/tiny_bpe_tokenizer.json");
  const auto vectors = LACONIC_TEST_DATA_OR_SKIP("tokenizer_vectors/torchtune_tiny_qwen.jsonl");
  // The small vocabulary with the special tokens, and their ids, of the full one.
  std::vector<std::string> names = {
      "<|endoftext|>",  "<|im_start|>",   "<|im_end|>",      "<|object_ref_start|>", "<|object_ref_end|>",
      "<|box_start|>",  "<|box_end|>",    "<|quad_start|>",  "<|quad_end|>",         "<|vision_start|>",
      "<|vision_end|>", "<|vision_pad|>", "<|image_pad|>",   "<|video_pad|>",        "<tool_call>",
      "</tool_call>",   "<|fim_prefix|>", "<|fim_middle|>",  "<|fim_suffix|>",       "<|fim_pad|>",
      "<|repo_name|>",  "<|file_sep|>",   "<tool_response>", "</tool_response>",     "<think>",
      "</think>"};
  std::map<bool, std::vector<Json>> cases;  // by "of the third version", which has the last four
  for (const auto& line : from_lines(read_file(vectors)))
    cases[line["file"].get<std::string>().find("qwen3") != std::string::npos].push_back(line);
  size_t right = 0, all = 0;
  for (const auto& [third, lines] : cases) {
    Json json = Json::parse(read_file(file));
    json["added_tokens"] = Json::array();
    for (size_t i = 0; i < names.size() - (third ? 0 : 4); ++i)
      json["added_tokens"].push_back(added_token(151643 + static_cast<int>(i), names[i]));
    const TokenizerFile tokenizer(json.dump());
    right += check_cases(lines, tokenizer.path());
    all += lines.size();
  }
  std::printf("%zu of %zu texts of torchtune_tiny_qwen.jsonl\n", right, all);
}

TEST(ReferenceTokens, MiniQwen) {
  const auto path = LACONIC_TEST_DATA_OR_SKIP("tokenizer_vectors/qwen2_mini_vocab.json");
  const Json data = Json::parse(read_file(path));
  Json vocab = Json::object(), added = Json::array();
  for (const Json& token : data["vocab"]) vocab[token.get<std::string>()] = vocab.size();
  for (const auto& [token, id] : data["added_tokens"].items()) added.push_back(added_token(id, token));
  const Json split_words = {
      {"type", "Split"}, {"pattern", {{"Regex", data["pattern"]}}}, {"behavior", "Isolated"}, {"invert", false}};
  const Json bytes = {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", false}};
  const TokenizerFile tokenizer(
      byte_level(vocab, data["merges"],
                 {{"added_tokens", added},
                  {"normalizer", {{"type", data["normalizer"]}}},
                  {"pre_tokenizer", {{"type", "Sequence"}, {"pretokenizers", {split_words, bytes}}}}})
          .dump());
  const auto cases = data["cases"].get<std::vector<Json>>();
  size_t right = check_cases(cases, tokenizer.path(), "decoded"), all = cases.size(), left_out = 0;
  for (const Json& line : data["decode_cases"]) {
    // Spaces between special tokens are an option of a Python wrapper.
    if (line["spaces_between_special_tokens"].get<bool>()) {
      ++left_out;
      continue;
    }
    const auto decoded = run_program({"detokenize", "--tokenizer", tokenizer.path()}, line.dump());
    EXPECT_EQ(decoded.json()["text"], line["text"]);
    right += decoded.json()["text"] == line["text"] ? 1 : 0;
    ++all;
  }
  std::printf("%zu of %zu cases of qwen2_mini_vocab.json, %zu left out (an option of a Python wrapper)\n", right, all,
              left_out);
}

TEST(ReferenceTokens, RealTokenizersGiveBackWhatTheyRead) {
  const auto folder = LACONIC_TEST_DATA_OR_SKIP("tokenizers");
  const auto vectors = LACONIC_TEST_DATA_OR_SKIP("tokenizer_vectors/gpt2.jsonl");
  std::string texts;
  for (const auto& line : from_lines(read_file(vectors)))
    texts += Json{{"text", line["text"]}, {"want", line["text"]}}.dump() + "\n";
  for (const char* name :
       {"qwen2.5/tokenizer.json.gz", "qwen3/tokenizer.json.gz", "deepseek_r1_distill/tokenizer_qwen.json.gz"}) {
    const TokenizerFile tokenizer(gunzip(folder / name));
    const std::string path = shell_quoted(tokenizer.path());
    const auto outcome = run_shell(
        "\"$LACONIC\" tokenize --tokenizer " + path + " <\"$IN\" | \"$LACONIC\" detokenize --tokenizer " + path, texts);
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    for (const auto& line : from_lines(outcome.out)) EXPECT_EQ(line["text"], line["want"]) << name;
  }
}

TEST(ReferenceTemplates, EveryRenderedText) {
  const auto folder = LACONIC_TEST_DATA_OR_SKIP("chat_templates");
  const auto cases = from_lines(gunzip(folder / "chat_template_rendered_reference.jsonl.gz"));
  const auto outcome =
      run_program({"render", "--template-dir", folder.string(), "--date", "2025-07-10"}, to_lines(cases));
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  const auto results = from_lines(outcome.out);
  size_t right = 0;
  for (size_t i = 0; i < cases.size(); ++i) {
    EXPECT_EQ(results.at(i)["text"], cases[i]["expected"]) << cases[i]["name"];
    EXPECT_EQ(results[i]["name"], cases[i]["name"]);
    right += results[i]["text"] == cases[i]["expected"] ? 1 : 0;
  }
  std::printf("%zu of %zu rendered texts\n", right, cases.size());
}

TEST(ReferenceTemplates, EveryEngineCase) {
  const auto file = LACONIC_TEST_DATA_OR_SKIP("chat_templates/jinja_features_hfjs.jsonl");
  const auto cases = from_lines(read_file(file));
  std::vector<Json> lines;
  for (const Json& one : cases) {
    const Json messages = one["context"].value("messages", Json::array());
    lines.push_back({{"template", one["template"]}, {"context", one["context"]}, {"messages", messages}});
  }
  const auto results = from_lines(run_program({"render"}, to_lines(lines)).out);
  ASSERT_EQ(results.size(), cases.size());
  size_t right = 0;
  for (size_t i = 0; i < cases.size(); ++i) {
    // What fails there fails here; the words are each engine's own.
    const std::string expected = cases[i]["jinja2_output"];
    const bool fails = expected.starts_with("ERR ");
    EXPECT_EQ(results[i].contains("error"), fails) << cases[i]["name"] << results[i].dump();
    if (!fails) {
      EXPECT_EQ(results[i]["text"], expected) << cases[i]["name"];
    }
    right += results[i].contains("error") == fails && (fails || results[i]["text"] == expected) ? 1 : 0;
  }
  std::printf("%zu of %zu engine cases\n", right, cases.size());
}

}  // namespace
}  // namespace laconic::cli
