// Tokenizers of a few tokens: what each part of a tokenizer.json does.
#include "laconic/core/text/tokenizer.h"

#include <gmock/gmock.h>

#include "laconic/core/base/timer.h"
#include "laconic/core/text/unicode.h"
#include "tests/core/text/fixtures.h"

namespace laconic::text {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Ids = std::vector<int32_t>;

std::string stream(const Tokenizer& tokenizer, const Ids& ids, bool skip_special = false) {
  StreamDecoder decoder(tokenizer, skip_special);
  std::string all;
  for (const int32_t id : ids) {
    const std::string part = decoder.push(id);
    EXPECT_EQ(first_invalid_utf8(part), std::string::npos);
    all += part;
  }
  return all + decoder.flush();
}

// A few ASCII tokens; a word becomes its letters, then "ab", "abc".
Json letters(const Json& changes = Json::object()) {
  Json vocab = {{"ab", 26}, {"abc", 27}, {"\u0120", 28}, {"\u0120a", 29}, {".", 30}, {"1", 31}, {"2", 32}, {"-", 33}};
  for (int i = 0; i < 26; ++i) vocab[std::string(1, static_cast<char>('a' + i))] = i;
  return byte_level(vocab, {"a b", "ab c", "\u0120 a"}, changes);
}

// As Llama 2 has it: visible spaces, bytes for what has no token.
Json sentence_pieces(const Json& model_changes = Json::object()) {
  Json vocab = {{"<unk>", 0}, {"<s>", 1}, {"</s>", 2}};
  for (int byte = 0; byte < 256; ++byte) vocab[fmt::format("<0x{:02X}>", byte)] = 3 + byte;
  for (const char* token : {"\u2581", "h", "i", "hi", "\u2581hi", "a"}) vocab[token] = vocab.size();
  Json model = {{"type", "BPE"},         {"unk_token", "<unk>"}, {"fuse_unk", true},
                {"byte_fallback", true}, {"vocab", vocab},       {"merges", {"h i", "\u2581 hi"}}};
  for (const auto& [key, value] : model_changes.items()) model[key] = value;
  return {{"added_tokens", {added_token(0, "<unk>"), added_token(1, "<s>"), added_token(2, "</s>")}},
          {"normalizer",
           {{"type", "Sequence"},
            {"normalizers",
             {{{"type", "Prepend"}, {"prepend", "\u2581"}},
              {{"type", "Replace"}, {"pattern", {{"String", " "}}}, {"content", "\u2581"}}}}}},
          {"pre_tokenizer", nullptr},
          {"post_processor",
           {{"type", "TemplateProcessing"},
            {"single",
             {{{"SpecialToken", {{"id", "<s>"}, {"type_id", 0}}}}, {{"Sequence", {{"id", "A"}, {"type_id", 0}}}}}},
            {"pair", Json::array()},
            {"special_tokens", {{"<s>", {{"id", "<s>"}, {"ids", {1}}, {"tokens", {"<s>"}}}}}}}},
          {"decoder",
           {{"type", "Sequence"},
            {"decoders",
             {{{"type", "Replace"}, {"pattern", {{"String", "\u2581"}}}, {"content", " "}},
              {{"type", "ByteFallback"}},
              {{"type", "Fuse"}},
              {{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}}}}}},
          {"model", model}};
}

constexpr int kByte = 3;  // the id of <0x00>

TEST(Tokenizer, MergesInOrderOfRank) {
  const auto tokenizer = from_json(letters());
  EXPECT_THAT(tokenizer.encode("abcab"), ElementsAre(27, 26));
  EXPECT_THAT(tokenizer.encode("a abc"), ElementsAre(0, 28, 27));  // "ab" ranks before " a"
  EXPECT_EQ(tokenizer.decode(Ids{0, 28, 27}), "a abc");
  EXPECT_EQ(tokenizer.vocab_size(), 34);
  EXPECT_EQ(tokenizer.token(27), "abc");
  EXPECT_EQ(tokenizer.token_id("abc"), 27);
  EXPECT_FALSE(tokenizer.token_id("abd"));
  EXPECT_FALSE(tokenizer.token(99));
}

TEST(Tokenizer, UnknownCharacters) {
  EXPECT_EQ(caught([] { from_json(letters()).encode("aX"); }).message,
            "small.json: model: no token for the character U+0058 (`X`), and no unk_token");
  Json model = letters()["model"];
  model["unk_token"] = "z";
  EXPECT_THAT(from_json(letters({{"model", model}})).encode("aXYb"), ElementsAre(0, 25, 25, 1));
  model["fuse_unk"] = true;
  EXPECT_THAT(from_json(letters({{"model", model}})).encode("aXYb"), ElementsAre(0, 25, 1));
}

TEST(Tokenizer, ByteFallback) {
  const auto tokenizer = from_json(sentence_pieces());
  const Ids ids = tokenizer.encode("hi \u00e9hi", true);
  EXPECT_EQ(ids, (Ids{1, 263, 259, kByte + 0xC3, kByte + 0xA9, 262}));
  EXPECT_EQ(tokenizer.decode(ids), "<s> hi \u00e9hi");
  EXPECT_EQ(tokenizer.decode(ids, true), "hi \u00e9hi");
  EXPECT_EQ(stream(tokenizer, ids, true), "hi \u00e9hi");
  // A run of bytes that is no text: one replacement character for each.
  const Ids broken = {262, kByte + 0xC3, kByte + 0xA9, kByte + 0xE2, 262, kByte + 0xFF};
  EXPECT_EQ(tokenizer.decode(broken), "hi\uFFFD\uFFFD\uFFFDhi\uFFFD");
  EXPECT_EQ(stream(tokenizer, broken), tokenizer.decode(broken));
}

TEST(Tokenizer, WithoutByteFallback) {
  const auto tokenizer = from_json(sentence_pieces({{"byte_fallback", false}}));
  EXPECT_EQ(tokenizer.encode("\u00e9\u00ea"), (Ids{259, 0}));
}

TEST(Tokenizer, StreamHoldsBackUnfinishedCharacters) {
  // Every byte is a token of its own.
  Json vocab = Json::object();
  const Json whole = letters();
  for (int byte = 0; byte < 256; ++byte) {
    const bool visible = (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
    std::string token;
    static int next = 0;
    if (byte == 0) next = 0x100;
    append_utf8(static_cast<char32_t>(visible ? byte : next++), token);
    vocab[token] = byte;
  }
  const auto tokenizer = from_json(byte_level(vocab, Json::array()));
  const std::string text = "a\u00e9\u65e5\U0001F600b";
  const Ids ids = tokenizer.encode(text);
  ASSERT_EQ(ids.size(), text.size());
  StreamDecoder decoder(tokenizer);
  std::vector<std::string> parts;
  for (const int32_t id : ids) parts.push_back(decoder.push(id));
  EXPECT_THAT(parts, ElementsAre("a", "", "\u00e9", "", "", "\u65e5", "", "", "", "\U0001F600", "b"));
  EXPECT_EQ(decoder.flush(), "");
  // Truncated, and with bytes that begin nothing.
  for (size_t end = 0; end <= ids.size(); ++end) {
    const Ids part(ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(end));
    EXPECT_EQ(stream(tokenizer, part), tokenizer.decode(part));
  }
  const Ids broken = {0xE6, 0x97, 'a', 0xFF, 0xC3, 0xC3, 0xA9, 0xED, 0xA0, 0x80, 0xF0};
  EXPECT_EQ(tokenizer.decode(broken), "\uFFFDa\uFFFD\uFFFD\u00e9\uFFFD\uFFFD\uFFFD\uFFFD");
  EXPECT_EQ(stream(tokenizer, broken), tokenizer.decode(broken));
  // A decoder that was flushed starts anew.
  decoder.push(0xE6);
  EXPECT_EQ(decoder.flush(), "\uFFFD");
  EXPECT_EQ(decoder.push('a'), "a");
}

TEST(Tokenizer, AddedTokens) {
  Json tokens = {added_token(40, "<x>"), added_token(41, "<x>y", false), added_token(42, "<l>"), added_token(43, "<r>"),
                 added_token(44, "mid", false)};
  tokens[2]["lstrip"] = true;
  tokens[3]["rstrip"] = true;
  tokens[4]["single_word"] = true;
  const auto tokenizer = from_json(letters({{"added_tokens", tokens}}));
  EXPECT_THAT(tokenizer.encode("a<x>b"), ElementsAre(0, 40, 1));
  EXPECT_THAT(tokenizer.encode("a<x>y"), ElementsAre(0, 41));  // the longest
  EXPECT_THAT(tokenizer.encode("a <l> b"), ElementsAre(0, 42, 28, 1));
  EXPECT_THAT(tokenizer.encode("a <r> b"), ElementsAre(0, 28, 43, 1));
  EXPECT_THAT(tokenizer.encode("mid-amid"), ElementsAre(44, 33, 0, 12, 8, 3));
  EXPECT_TRUE(tokenizer.is_special(40));
  EXPECT_FALSE(tokenizer.is_special(41));
  EXPECT_FALSE(tokenizer.is_special(0));
  EXPECT_EQ(tokenizer.decode(Ids{0, 40, 41, 1}), "a<x><x>yb");
  EXPECT_EQ(tokenizer.decode(Ids{0, 40, 41, 1}, true), "a<x>yb");
  EXPECT_EQ(tokenizer.vocab_size(), 45);
}

TEST(Tokenizer, AddedTokensAreSoughtInNormalizedTextWhereTheySaySo) {
  Json tokens = {added_token(40, "<X>", false), added_token(41, "<Y>", false)};
  tokens[0]["normalized"] = true;
  const auto tokenizer = from_json(letters({{"added_tokens", tokens}, {"normalizer", {{"type", "Lowercase"}}}}));
  EXPECT_THAT(tokenizer.encode("A<x><X><Y>"), ElementsAre(0, 40, 40, 41));
  EXPECT_EQ(tokenizer.decode(Ids{40, 41}), "<x><Y>");
}

TEST(Tokenizer, Normalizers) {
  const auto encoded = [](const Json& normalizer, const std::string& text) {
    Json model = letters()["model"];
    model["unk_token"] = "z";
    return from_json(letters({{"model", model}, {"normalizer", normalizer}, {"decoder", nullptr}})).encode(text);
  };
  EXPECT_THAT(encoded({{"type", "Lowercase"}}, "ABC"), ElementsAre(27));
  EXPECT_THAT(encoded({{"type", "NFKC"}}, "\uFF41\uFF42"), ElementsAre(26));
  EXPECT_THAT(encoded({{"type", "NFKD"}}, "\u00BD").size(), 5);  // 1, a slash of three bytes, 2
  EXPECT_THAT(encoded({{"type", "Strip"}, {"strip_left", true}, {"strip_right", true}}, " \u3000 ab\n"),
              ElementsAre(26));
  EXPECT_THAT(encoded({{"type", "Replace"}, {"pattern", {{"Regex", "[xy]+"}}}, {"content", "b"}}, "axyxa"),
              ElementsAre(26, 0));
  EXPECT_THAT(encoded({{"type", "Prepend"}, {"prepend", "a"}}, "b"), ElementsAre(26));
  EXPECT_THAT(encoded({{"type", "Prepend"}, {"prepend", "a"}}, ""), ElementsAre());
  EXPECT_EQ(normalize("e\u0301", NormalForm::nfc), "\u00e9");
  EXPECT_EQ(normalize("\u1e9b\u0323", NormalForm::nfd), "\u017f\u0323\u0307");
  EXPECT_EQ(normalize("\uD55C", NormalForm::nfd), "\u1112\u1161\u11AB");
  EXPECT_EQ(normalize("\u1112\u1161\u11AB", NormalForm::nfc), "\uD55C");
  // Marks younger than Unicode 9 stay where they are.
  EXPECT_EQ(normalize("\u1ac9\u093c", NormalForm::nfc), "\u1ac9\u093c");
  EXPECT_EQ(normalize("a\u0301\u0323", NormalForm::nfc), "\u1ea1\u0301");
}

TEST(Tokenizer, PreTokenizers) {
  const auto encoded = [](const Json& pre, const std::string& text) {
    const Json bytes = {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", false}};
    return from_json(letters({{"pre_tokenizer", {{"type", "Sequence"}, {"pretokenizers", {pre, bytes}}}}}))
        .encode(text);
  };
  // Pieces show where "ab" and "abc" cannot merge.
  const auto split_at = [&](const std::string& behavior, bool invert = false) {
    return encoded({{"type", "Split"}, {"pattern", {{"String", "b"}}}, {"behavior", behavior}, {"invert", invert}},
                   "abcab");
  };
  EXPECT_THAT(split_at("Isolated"), ElementsAre(0, 1, 2, 0, 1));
  EXPECT_THAT(split_at("Removed"), ElementsAre(0, 2, 0));
  EXPECT_THAT(split_at("Removed", true), ElementsAre(1, 1));
  EXPECT_THAT(split_at("MergedWithPrevious"), ElementsAre(26, 2, 26));
  EXPECT_THAT(split_at("MergedWithNext"), ElementsAre(0, 1, 2, 0, 1));
  EXPECT_THAT(encoded({{"type", "Digits"}, {"individual_digits", true}}, "a12b"), ElementsAre(0, 31, 32, 1));
  EXPECT_THAT(encoded({{"type", "WhitespaceSplit"}}, "ab \n c"), ElementsAre(26, 2));
  EXPECT_THAT(encoded({{"type", "Whitespace"}}, "ab.-c"), ElementsAre(26, 30, 33, 2));
  EXPECT_THAT(encoded({{"type", "Punctuation"}}, "ab.c"), ElementsAre(26, 30, 2));
  EXPECT_THAT(encoded({{"type", "CharDelimiterSplit"}, {"delimiter", "x"}}, "axb"), ElementsAre(0, 1));
  EXPECT_THAT(from_json(letters({{"pre_tokenizer", {{"type", "ByteLevel"}, {"add_prefix_space", true}}}})).encode("a"),
              ElementsAre(29));
}

TEST(Tokenizer, WordLevel) {
  Json json = letters({{"pre_tokenizer", {{"type", "WhitespaceSplit"}}}, {"decoder", nullptr}});
  json["model"] = {{"type", "WordLevel"}, {"vocab", {{"ab", 0}, {"cd", 1}, {"<unk>", 2}}}, {"unk_token", "<unk>"}};
  const auto tokenizer = from_json(json);
  EXPECT_THAT(tokenizer.encode("ab cd ef ab"), ElementsAre(0, 1, 2, 0));
  EXPECT_EQ(tokenizer.decode(Ids{0, 1, 0}), "ab cd ab");
  EXPECT_EQ(stream(tokenizer, {0, 1, 0}), "ab cd ab");
}

TEST(Tokenizer, IdsOutOfRange) {
  const auto tokenizer = from_json(letters());
  EXPECT_EQ(tokenizer.decode(Ids{0, 34, 1'000'000, 1}), "ab");  // rows of a head beyond the vocabulary
  const auto error = caught([&] { tokenizer.decode(Ids{0, -1}); });
  EXPECT_EQ(error.message, "small.json: -1 is not a token id");
  EXPECT_EQ(error.kind, ErrorKind::input);
}

TEST(Tokenizer, TextThatIsNotUtf8) {
  const auto tokenizer = from_json(letters());
  EXPECT_EQ(caught([&] { tokenizer.encode("ab\xFF"); }).message,
            "text is not valid UTF-8 at byte offset 2 (byte 0xFF)");
  EXPECT_THAT(caught([&] { tokenizer.encode("\xED\xA0\x80"); }).message, HasSubstr("byte offset 0"));
}

TEST(Tokenizer, BrokenFiles) {
  const auto error_of = [](const std::string& text) {
    return caught([&] { Tokenizer::from_json_text(text, "f.json"); });
  };
  EXPECT_THAT(error_of("{\"model\": ").message, HasSubstr("f.json: not valid JSON (byte 11)"));
  EXPECT_EQ(error_of("[]").message, "f.json: expected a JSON object");
  std::string deep = "null";
  for (int i = 0; i < 5000; ++i) deep = R"({"type": "Sequence", "normalizers": [)" + deep + "]}";
  EXPECT_EQ(error_of(R"({"normalizer": )" + deep + "}").message, "f.json: nested more than 100 deep");
  EXPECT_EQ(error_of("{}").kind, ErrorKind::input);
  const auto changed = [&](const Json& changes) { return caught([&] { from_json(letters(changes)); }); };
  const auto expect = [&](const Json& changes, ErrorKind kind, const std::string& message) {
    const auto error = changed(changes);
    EXPECT_EQ(error.kind, kind) << error.message;
    EXPECT_THAT(error.message, HasSubstr(message));
  };
  expect({{"pre_tokenizer", {{"type", "Sorcery"}}}}, ErrorKind::unsupported,
         "small.json: pre_tokenizer: the pre-tokenizer `Sorcery` is not supported");
  expect({{"pre_tokenizer", {{"type", "Sequence"}, {"pretokenizers", {{{"type", "Digits"}}, {{"type", "X"}}}}}}},
         ErrorKind::unsupported, "pre_tokenizer.pretokenizers[1]");
  expect({{"pre_tokenizer", {{"type", "Digits"}, {"new_option", 1}}}}, ErrorKind::unsupported, "new_option");
  expect({{"normalizer", {{"type", "X"}}}}, ErrorKind::unsupported, "the normalizer `X`");
  expect({{"decoder", {{"type", "X"}}}}, ErrorKind::unsupported, "the decoder `X`");
  expect({{"post_processor", {{"type", "X"}}}}, ErrorKind::unsupported, "the post-processor `X`");
  expect({{"something", 1}}, ErrorKind::unsupported, "something");
  const auto regex = [](const std::string& pattern) {
    return Json{{"pre_tokenizer",
                 {{"type", "Split"}, {"pattern", {{"Regex", pattern}}}, {"behavior", "Isolated"}, {"invert", false}}}};
  };
  expect(regex("(a"), ErrorKind::unsupported, "regular expression `(a` cannot be used");
  expect(regex("[a&&b]"), ErrorKind::unsupported, "&& in a class");
  expect(regex("\\p{Nonsense}"), ErrorKind::unsupported, "Nonsense");
  const auto model = [](const Json& changes) {
    Json out = letters()["model"];
    for (const auto& [key, value] : changes.items()) out[key] = value;
    return Json{{"model", out}};
  };
  expect(model({{"merges", {"a q q"}}}), ErrorKind::input, "model.merges[0]");
  expect(model({{"merges", {"q x"}}}), ErrorKind::input, "merge 0 (`q` `x`): `qx` is not in the vocabulary");
  expect(model({{"vocab", {{"a", 0}, {"b", 0}}}}), ErrorKind::input, "have the same id 0");
  expect(model({{"vocab", {{"a", "0"}}}}), ErrorKind::input, "model.vocab");
  expect(model({{"type", "Unigram"}}), ErrorKind::unsupported, "the model type `Unigram`");
  expect(model({{"dropout", 0.1}}), ErrorKind::unsupported, "dropout");
  expect({{"added_tokens", {added_token(0, "<x>")}}}, ErrorKind::input, "token `<x>` has id 0, which is that of `a`");
}

TEST(Tokenizer, FoldersAndSpecialTokens) {
  const auto folder = std::filesystem::path(testing::TempDir()) / "laconic_tokenizer_test";
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  EXPECT_THAT(caught([&] { Tokenizer::from_path(folder); }).message, HasSubstr("no tokenizer.json in this folder"));
  write_file_atomic(folder / "vocab.json", "{}");
  EXPECT_THAT(caught([&] { Tokenizer::from_path(folder); }).message, HasSubstr("vocab.json"));
  write_file_atomic(folder / "tokenizer.json", sentence_pieces().dump());
  const Json config = {
      {"bos_token", "<s>"},
      {"eos_token", {{"content", "</s>"}}},
      {"pad_token", nullptr},
      {"added_tokens_decoder", {{"300", {{"content", "<new>"}, {"special", true}}}}},
      {"chat_template", {{{"name", "tool_use"}, {"template", "T"}}, {{"name", "default"}, {"template", "D"}}}}};
  write_file_atomic(folder / "tokenizer_config.json", config.dump());
  const auto tokenizer = Tokenizer::from_path(folder);
  EXPECT_EQ(tokenizer.bos_id(), 1);
  EXPECT_EQ(tokenizer.eos_id(), 2);
  EXPECT_FALSE(tokenizer.pad_id());
  EXPECT_EQ(tokenizer.special_tokens(),
            (std::map<std::string, std::string>{{"bos_token", "<s>"}, {"eos_token", "</s>"}}));
  EXPECT_EQ(tokenizer.chat_template(), "D");
  EXPECT_EQ(tokenizer.encode("hi<new>"), (Ids{263, 300}));
  EXPECT_EQ(tokenizer.vocab_size(), 301);
  write_file_atomic(folder / "chat_template.jinja", "J");
  EXPECT_EQ(Tokenizer::from_path(folder).chat_template(), "J");
  write_file_atomic(folder / "tokenizer_config.json", R"({"eos_token": "<none>"})");
  EXPECT_THAT(caught([&] { Tokenizer::from_path(folder); }).message,
              HasSubstr("tokenizer_config.json: eos_token: `<none>` is not a token of"));
  std::filesystem::remove_all(folder);
}

TEST(Tokenizer, LongWordsTakeLinearithmicTime) {
  // "aa", "aaaa", ...: every level merges every neighbour.
  Json vocab = {{"a", 0}};
  Json merges = Json::array();
  std::string token = "a";
  for (int level = 1; level <= 8; ++level) {
    merges.push_back(token + " " + token);
    token += token;
    vocab[token] = level;
  }
  const auto tokenizer = from_json(byte_level(vocab, merges));
  const std::string word(1 << 20, 'a');
  const Timer timer;
  const Ids ids = tokenizer.encode(word);
  EXPECT_EQ(ids, Ids(word.size() / 256, 8));
  EXPECT_EQ(tokenizer.decode(ids), word);
  EXPECT_LT(timer.seconds(), 2.0 * kSlowdown);
}

}  // namespace
}  // namespace laconic::text
