// Published ids, and hard texts with the ids of the reference implementation (Hugging Face tokenizers 0.23.3).
#include <gtest/gtest.h>

#include <map>

#include "laconic/core/base/timer.h"
#include "laconic/core/text/tokenizer.h"
#include "laconic/core/text/unicode.h"
#include "tests/core/text/fixtures.h"

namespace laconic::text {
namespace {

using Ids = std::vector<int32_t>;

// Decodes as a stream; every part must be whole characters.
std::string stream(const Tokenizer& tokenizer, const Ids& ids, bool skip_special) {
  StreamDecoder decoder(tokenizer, skip_special);
  std::string all;
  for (const int32_t id : ids) {
    const std::string part = decoder.push(id);
    EXPECT_EQ(first_invalid_utf8(part), std::string::npos);
    all += part;
  }
  return all + decoder.flush();
}

bool decodes_to(const Tokenizer& tokenizer, const Ids& ids, const std::string& text, bool skip_special = false) {
  const auto decoded = tokenizer.decode(ids, skip_special);
  EXPECT_EQ(decoded, text);
  EXPECT_EQ(stream(tokenizer, ids, skip_special), decoded);
  return decoded == text;
}

bool encodes_to(const Tokenizer& tokenizer, const Json& line, const char* ids = "ids",
                bool add_special_tokens = false) {
  const auto got = tokenizer.encode(line["text"].get<std::string>(), add_special_tokens);
  EXPECT_EQ(got, line[ids].get<Ids>()) << line["text"];
  return got == line[ids].get<Ids>();
}

// The Python wrapper of some old tokenizers drops spaces before punctuation after decoding; the published texts show
// that, tokenizers themselves do not do it.
std::string cleaned_up(std::string text) {
  for (size_t at = text.find(" !"); at != std::string::npos; at = text.find(" !", at)) text.erase(at, 1);
  return text;
}

TEST(PublishedIds, Gpt2) {
  const auto folder = LACONIC_TEST_DATA_OR_SKIP("tokenizers/gpt2");
  const auto vectors = LACONIC_TEST_DATA_OR_SKIP("tokenizer_vectors/gpt2.jsonl");
  const auto tokenizer = gpt2(folder, {{"added_tokens", {added_token(50256, "<|endoftext|>")}}});
  const auto cases = parse_lines(read_file(vectors));
  size_t right = 0;
  for (const Json& line : cases) {
    const std::string text = line["text"];
    bool all = encodes_to(tokenizer, line, "ids", line["add_special_tokens"]);
    const Ids ids = line["ids"];
    all = decodes_to(tokenizer, ids, text) && all;
    for (const char* key : {"decoded", "decoded_with_special", "decoded_without_special"}) {
      if (!line.contains(key)) continue;
      const auto decoded = tokenizer.decode(ids, std::string_view(key).ends_with("without_special"));
      EXPECT_EQ(cleaned_up(decoded), line[key].get<std::string>()) << line["name"];
    }
    if (line.contains("tokens")) {
      for (size_t i = 0; i < ids.size(); ++i) EXPECT_EQ(tokenizer.token(ids[i]), line["tokens"][i].get<std::string>());
    }
    right += all ? 1 : 0;
  }
  printf("%zu of %zu texts of gpt2.jsonl\n", right, cases.size());
}

TEST(PublishedIds, TinyQwen) {
  const auto file = LACONIC_TEST_DATA_OR_SKIP("tokenizers/torchtune_tiny/tiny_bpe_tokenizer.json");
  const auto vectors = LACONIC_TEST_DATA_OR_SKIP("tokenizer_vectors/torchtune_tiny_qwen.jsonl");
  // The small vocabulary with the special tokens, and their ids, of the full one.
  const auto with = [&](const std::vector<std::string>& tokens) {
    Json json = Json::parse(read_file(file));
    json["added_tokens"] = Json::array();
    for (const auto& token : tokens) {
      json["added_tokens"].push_back(added_token(151643 + static_cast<int>(json["added_tokens"].size()), token));
    }
    return from_json(json);
  };
  std::vector<std::string> names = {"<|endoftext|>",      "<|im_start|>",     "<|im_end|>",     "<|object_ref_start|>",
                                    "<|object_ref_end|>", "<|box_start|>",    "<|box_end|>",    "<|quad_start|>",
                                    "<|quad_end|>",       "<|vision_start|>", "<|vision_end|>", "<|vision_pad|>",
                                    "<|image_pad|>",      "<|video_pad|>",    "<tool_call>",    "</tool_call>",
                                    "<|fim_prefix|>",     "<|fim_middle|>",   "<|fim_suffix|>", "<|fim_pad|>",
                                    "<|repo_name|>",      "<|file_sep|>"};
  const auto qwen2 = with(names);
  for (const char* name : {"<tool_response>", "</tool_response>", "<think>", "</think>"}) names.emplace_back(name);
  const auto qwen3 = with(names);
  const auto cases = parse_lines(read_file(vectors));
  size_t right = 0;
  for (const Json& line : cases) {
    const bool third = line["file"].get<std::string>().find("qwen3") != std::string::npos;
    const auto& tokenizer = third ? qwen3 : qwen2;
    const bool all = encodes_to(tokenizer, line) && decodes_to(tokenizer, line["ids"], line["text"]);
    right += all ? 1 : 0;
  }
  printf("%zu of %zu texts of torchtune_tiny_qwen.jsonl\n", right, cases.size());
}

TEST(PublishedIds, MiniQwen) {
  const auto path = LACONIC_TEST_DATA_OR_SKIP("tokenizer_vectors/qwen2_mini_vocab.json");
  const Json data = Json::parse(read_file(path));
  Json vocab = Json::object();
  for (const Json& token : data["vocab"]) vocab[token.get<std::string>()] = vocab.size();
  Json added = Json::array();
  for (const auto& [token, id] : data["added_tokens"].items()) added.push_back(added_token(id, token));
  const Json split = {
      {"type", "Split"}, {"pattern", {{"Regex", data["pattern"]}}}, {"behavior", "Isolated"}, {"invert", false}};
  const Json bytes = {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", false}};
  const auto tokenizer =
      from_json(byte_level(vocab, data["merges"],
                           {{"added_tokens", added},
                            {"normalizer", {{"type", data["normalizer"]}}},
                            {"pre_tokenizer", {{"type", "Sequence"}, {"pretokenizers", {split, bytes}}}}}));
  size_t right = 0;
  for (const Json& line : data["cases"]) {
    const bool encoded = encodes_to(tokenizer, line);
    const std::string text = line.contains("decoded") ? line["decoded"] : line["text"];
    right += encoded && decodes_to(tokenizer, line["ids"], text) ? 1 : 0;
  }
  for (const Json& line : data["decode_cases"]) {
    // Spaces between special tokens are an option of a Python wrapper.
    if (line["spaces_between_special_tokens"].get<bool>()) continue;
    right += decodes_to(tokenizer, line["ids"], line["text"]) ? 1 : 0;
  }
  for (const Json& line : data["nfc_cases"]) {
    const auto normalized = normalize(line["input"].get<std::string>(), NormalForm::nfc);
    EXPECT_EQ(normalized, line["normalized"].get<std::string>());
    right += normalized == line["normalized"].get<std::string>() ? 1 : 0;
  }
  printf("%zu of 4 cases of qwen2_mini_vocab.json\n", right);
}

// A tokenizer of the test data by the name that tokenizer_hard_cases.jsonl gives it.
Tokenizer shared_tokenizer(const std::filesystem::path& folder, const std::string& name) {
  if (name == "deepseek") {
    return Tokenizer::from_json_text(gunzip(folder / "deepseek_r1_distill/tokenizer_qwen.json.gz"), name,
                                     read_file(folder / "deepseek_r1_distill/tokenizer_config.json"));
  }
  if (name != "smol") return Tokenizer::from_json_text(gunzip(folder / name / "tokenizer.json.gz"), name);
  const Json pre = {
      {"type", "Sequence"},
      {"pretokenizers",
       {{{"type", "Digits"}, {"individual_digits", true}},
        {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", true}}}}};
  return gpt2(folder / "gpt2", {{"added_tokens", {added_token(50256, "<|endoftext|>")}}, {"pre_tokenizer", pre}});
}

TEST(ReferenceIds, HardCases) {
  const auto folder = LACONIC_TEST_DATA_OR_SKIP("tokenizers");
  std::map<std::string, std::vector<Json>> cases;
  for (const Json& line : parse_lines(own_file("tokenizer_hard_cases.jsonl"))) cases[line["tokenizer"]].push_back(line);
  EXPECT_EQ(cases.size(), 4u);
  for (const auto& [name, lines] : cases) {
    const auto tokenizer = shared_tokenizer(folder, name);
    size_t right = 0;
    for (const Json& line : lines) {
      bool all = true;
      if (line.contains("decode")) {
        all = decodes_to(tokenizer, line["decode"], line["text"]) &&
              decodes_to(tokenizer, line["decode"], line["without_special"], true);
      } else {
        all = encodes_to(tokenizer, line);
        if (line.contains("ids_with_special")) all = encodes_to(tokenizer, line, "ids_with_special", true) && all;
        EXPECT_EQ(stream(tokenizer, line["ids"], false), tokenizer.decode(line["ids"].get<Ids>()));
      }
      right += all ? 1 : 0;
    }
    printf("%zu of %zu hard cases of %s\n", right, lines.size(), name.c_str());
  }
}

TEST(ReferenceIds, LongTextsInProportionateTime) {
  const auto folder = LACONIC_TEST_DATA_OR_SKIP("tokenizers");
  const auto tokenizer = shared_tokenizer(folder, "qwen2.5");
  std::string letters;
  for (uint32_t i = 0, state = 1; i < 1'000'000; ++i) {
    state = state * 1664525 + 1013904223;
    letters += static_cast<char>('a' + (state >> 24) % 26);
  }
  for (const auto& text : {letters, std::string(1'000'000, 'a'), std::string(1'000'000, ' '),
                           std::string(1'000'000, '!'), std::string(1'000'000, '\n') + "x"}) {
    const Timer timer;
    const auto ids = tokenizer.encode(text);
    EXPECT_LT(timer.seconds(), 2.0 * kSlowdown) << text.substr(0, 3);
    EXPECT_TRUE(tokenizer.decode(ids) == text) << text.substr(0, 3);
  }
}

}  // namespace
}  // namespace laconic::text
