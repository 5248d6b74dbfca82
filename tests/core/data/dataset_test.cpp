#include "laconic/core/data/dataset.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <string>

#include "laconic/core/base/error.h"
#include "tests/support/test_data.h"

namespace laconic::data {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class DatasetTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto* info = testing::UnitTest::GetInstance()->current_test_info();
    folder_ = std::filesystem::temp_directory_path() /
              ("laconic_dataset_" + std::string(info->name()) + "_" + std::to_string(getpid()));
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  DatasetOptions file(const std::string& name, const std::string& content) {
    std::ofstream(folder_ / name, std::ios::binary) << content;
    DatasetOptions options;
    options.path = folder_ / name;
    options.prompt_column = "prompt";
    return options;
  }
  static std::string error_of(const DatasetOptions& options) {
    try {
      load_dataset(options);
    } catch (const Error& error) {
      return std::string(to_string(error.kind())) + " " + error.what();
    }
    return "no error";
  }

  std::filesystem::path folder_;
};

std::string gzipped(const std::string& text) {
  std::string packed(compressBound(text.size()) + 64, '\0');
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
  std::string input = text;
  stream.next_in = reinterpret_cast<Bytef*>(input.data());
  stream.avail_in = static_cast<uInt>(input.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

TEST_F(DatasetTest, JsonLinesWithMappedColumns) {
  auto options = file("a.jsonl",
                      "\xEF\xBB\xBF{\"q\": \"1+1?\", \"a\": 2, \"n\": \"x\"}\r\n\n{\"q\": \"2+2?\", \"a\": "
                      "\"\\\\boxed{4}\", \"n\": \"y\"}");
  options.prompt_column = "q";
  options.answer_column = "a";
  options.id_column = "n";
  options.system = "Be brief.";
  options.prompt_template = "{prompt}\nPut the answer within \\boxed{}.";
  const auto data = load_dataset(options);
  ASSERT_EQ(data.examples.size(), 2u);
  const auto& first = data.examples[0];
  EXPECT_EQ(first.id, "x");
  EXPECT_EQ(first.answer, "2");
  EXPECT_EQ(first.prompt, "1+1?\nPut the answer within \\boxed{}.");
  EXPECT_EQ(first.messages, (std::vector<Message>{{"system", "Be brief."}, {"user", first.prompt}}));
  EXPECT_EQ(first.columns["n"], "x");
  EXPECT_THAT(data.examples[1].source, HasSubstr("a.jsonl:3"));
}

TEST_F(DatasetTest, ChatRecords) {
  auto options =
      file("chat.json", R"([{"messages": [{"role": "system", "content": "S"}, {"role": "user", "content": "hi"},
    {"role": "assistant", "content": "yes"}]}, {"messages": [{"role": "user", "content": "you"}]}])");
  options.prompt_column.clear();
  options.messages_column = "messages";
  options.system = "other";
  const auto data = load_dataset(options);
  ASSERT_EQ(data.examples.size(), 2u);
  EXPECT_EQ(data.examples[0].response, "yes");
  EXPECT_EQ(data.examples[0].messages, (std::vector<Message>{{"system", "S"}, {"user", "hi"}}));
  EXPECT_EQ(data.examples[1].messages.front(), (Message{"system", "other"}));
  EXPECT_EQ(data.examples[1].id, "chat:1");
  EXPECT_THAT(data.examples[1].source, HasSubstr("chat.json:[1]"));
}

TEST_F(DatasetTest, CsvByTheRules) {
  auto options = file("a.csv", "prompt,answer\r\n\"a, \"\"b\"\"\nc\",5\r\nplain,6\r\n");
  options.answer_column = "answer";
  const auto data = load_dataset(options);
  ASSERT_EQ(data.examples.size(), 2u);
  EXPECT_EQ(data.examples[0].prompt, "a, \"b\"\nc");
  EXPECT_EQ(data.examples[0].answer, "5");
  EXPECT_EQ(data.examples[1].prompt, "plain");
  EXPECT_THAT(data.examples[1].source, HasSubstr("a.csv:4"));
  EXPECT_EQ(load_dataset(file("a.tsv", "prompt\tx\nhello, you\t1\n")).examples[0].prompt, "hello, you");
}

TEST_F(DatasetTest, BrokenCsvNamesLineAndReason) {
  EXPECT_THAT(error_of(file("a.csv", "prompt,answer\na,1\nb\n")),
              AllOf(HasSubstr("a.csv:3"), HasSubstr("1 fields, the header has 2")));
  EXPECT_THAT(error_of(file("b.csv", "prompt\na\n\"b\nc\n")), AllOf(HasSubstr("b.csv:3"), HasSubstr("never closed")));
  EXPECT_THAT(error_of(file("c.csv", "prompt\n\"b\"c\n")), HasSubstr("text behind the closing quote"));
  EXPECT_THAT(error_of(file("d.csv", "prompt\nb\"c\n")), HasSubstr("a quote inside"));
  EXPECT_THAT(error_of(file("e.csv", "prompt,prompt\na,b\n")), HasSubstr("names column `prompt` twice"));
  EXPECT_THAT(error_of(file("f.csv", "prompt,\na,b\n")), HasSubstr("without a name"));
  EXPECT_THAT(error_of(file("g.csv", "prompt\n")), HasSubstr("no record"));
  EXPECT_THAT(error_of(file("h.csv", "prompt\n\xff\n")), HasSubstr("not valid UTF-8"));
}

TEST_F(DatasetTest, MissingColumnListsThoseFoundAndTheNearest) {
  auto options = file("a.jsonl", "{\"question\": \"x\", \"answers\": \"1\"}\n");
  options.prompt_column = "question";
  options.answer_column = "answer";
  EXPECT_THAT(error_of(options), AllOf(HasSubstr("input "), HasSubstr("a.jsonl:1"), HasSubstr("no column `answer`"),
                                       HasSubstr("did you mean `answers`"), HasSubstr("question, answers")));
}

TEST_F(DatasetTest, BrokenJsonLines) {
  EXPECT_THAT(error_of(file("a.jsonl", "{\"prompt\": \"x\"}\n{\"prompt\": \n")),
              AllOf(HasSubstr("a.jsonl:2"), HasSubstr("not valid JSON")));
  EXPECT_THAT(error_of(file("b.jsonl", "{\"prompt\": \"\xc3(\"}\n")),
              AllOf(HasSubstr("b.jsonl:1"), HasSubstr("not valid UTF-8 at byte 13")));
  EXPECT_THAT(error_of(file("c.jsonl", "[1]\n")), HasSubstr("expected a JSON object, found array"));
  EXPECT_THAT(error_of(file("d.jsonl", " \n\n")), HasSubstr("the file is empty"));
  EXPECT_THAT(error_of(file("e.jsonl", "")), HasSubstr("the file is empty"));
  EXPECT_THAT(error_of(file("f.jsonl", "{\"prompt\": \"  \"}\n")), HasSubstr("the prompt is empty"));
  EXPECT_THAT(error_of(file("g.jsonl", "{\"prompt\": null}\n")), HasSubstr("must be a string or a number, found null"));
  EXPECT_THAT(error_of(file("h.json", "{\"prompt\": 1}")), HasSubstr("expected an array of objects"));
  EXPECT_THAT(error_of(file("i.json", "[]")), HasSubstr("no record"));
  EXPECT_THAT(error_of(file("j.json", "[{\"prompt\": 1},")), HasSubstr("not valid JSON"));
  EXPECT_THAT(error_of(file("k.json", std::string(100000, '['))), HasSubstr("not valid JSON"));
  auto options = file("l.jsonl", "{\"prompt\": \"a\", \"id\": 1}\n{\"prompt\": \"b\", \"id\": 1}\n");
  options.id_column = "id";
  EXPECT_THAT(error_of(options), AllOf(HasSubstr("l.jsonl:2"), HasSubstr("id `1` was used before")));
}

TEST_F(DatasetTest, SkippingCountsAndKeepsTheFirstReasons) {
  std::string text;
  for (int i = 0; i < 10; ++i) text += "{\"prompt\": \"p" + std::to_string(i) + "\"}\nnonsense\n";
  auto options = file("a.jsonl", text);
  options.on_error = OnError::skip;
  const auto data = load_dataset(options);
  EXPECT_EQ(data.examples.size(), 10u);
  EXPECT_EQ(data.skipped, 10u);
  ASSERT_EQ(data.first_skipped.size(), kReasonsKept);
  EXPECT_THAT(data.first_skipped[0].source, HasSubstr("a.jsonl:2"));
  auto hopeless = file("b.jsonl", "nonsense\n");
  hopeless.on_error = OnError::skip;
  EXPECT_THAT(error_of(hopeless), AllOf(HasSubstr("none of the 1 records is usable"), HasSubstr("b.jsonl:1")));
}

TEST_F(DatasetTest, OffsetAndLimit) {
  std::string text;
  for (int i = 0; i < 10; ++i) text += "{\"prompt\": \"p" + std::to_string(i) + "\"}\n";
  auto options = file("a.jsonl", text);
  options.offset = 3;
  options.limit = 2;
  const auto data = load_dataset(options);
  ASSERT_EQ(data.examples.size(), 2u);
  EXPECT_EQ(data.examples[0].prompt, "p3");
  EXPECT_EQ(data.examples[0].id, "a:3");
  options.offset = 10;
  EXPECT_THAT(error_of(options), HasSubstr("offset 10 leaves none of the 10 examples"));
}

TEST_F(DatasetTest, GzipWholeTruncatedAndDamaged) {
  std::string text;
  for (int i = 0; i < 50000; ++i) text += "{\"prompt\": \"p" + std::to_string(i * 7919) + "\"}\n";
  const auto packed = gzipped(text);
  EXPECT_EQ(load_dataset(file("a.jsonl.gz", packed)).examples.size(), 50000u);
  EXPECT_EQ(load_dataset(file("b.jsonl.gz", packed + gzipped("{\"prompt\": \"last\"}\n"))).examples.size(), 50001u);
  for (const size_t cut : {size_t{5}, packed.size() / 2, packed.size() - 1}) {
    EXPECT_THAT(error_of(file("c.jsonl.gz", packed.substr(0, cut))),
                AllOf(HasSubstr("input "), HasSubstr("ends too early")))
        << cut;
  }
  auto damaged = packed;
  damaged[damaged.size() / 2] = static_cast<char>(damaged[damaged.size() / 2] ^ 0x55);
  EXPECT_THAT(error_of(file("d.jsonl.gz", damaged)), HasSubstr("gzip stream"));
  EXPECT_THAT(error_of(file("e.jsonl.gz", "plain")), HasSubstr("not a gzip file"));
}

TEST_F(DatasetTest, UnusableOptions) {
  auto options = file("a.jsonl", "{\"prompt\": \"x\"}\n");
  options.preset = "gsm8";
  EXPECT_THAT(error_of(options), AllOf(HasSubstr("usage "), HasSubstr("did you mean `gsm8k`")));
  options.preset.clear();
  options.answer_from = "boxd";
  EXPECT_THAT(error_of(options), HasSubstr("needs answer_column"));
  options.answer_column = "prompt";
  EXPECT_THAT(error_of(options), HasSubstr("did you mean `boxed`"));
  options.answer_from = "boxed";
  EXPECT_THAT(error_of(options), HasSubstr("no \\boxed{}"));
  options.format = "jsonls";
  EXPECT_THAT(error_of(options), HasSubstr("did you mean `jsonl`"));
  auto both = file("b.jsonl", "{}");
  both.messages_column = "m";
  EXPECT_THAT(error_of(both), HasSubstr("only one of"));
  auto blind = file("c.jsonl", "{}");
  blind.prompt_template = "no place";
  EXPECT_THAT(error_of(blind), HasSubstr("must hold {prompt}"));
  EXPECT_THAT(error_of(file("d.parquet", "x")), HasSubstr("cannot be told from the name"));
  auto absent = file("e.jsonl", "x");
  absent.path = folder_ / "absent.jsonl";
  EXPECT_THAT(error_of(absent), HasSubstr("absent.jsonl"));
}

Dataset published(const std::filesystem::path& path, const char* preset) {
  DatasetOptions options;
  options.path = path;
  options.preset = preset;
  return load_dataset(options);
}

TEST(PublishedDatasets, Gsm8kAsItIs) {
  const auto path = LACONIC_TEST_DATA_OR_SKIP("math/gsm8k_train.jsonl.gz");
  const auto train = published(path, "gsm8k");
  ASSERT_EQ(train.examples.size(), 7473u);
  const auto test = published(*test_data("math/gsm8k_test.jsonl.gz"), "gsm8k");
  ASSERT_EQ(test.examples.size(), 1319u);
  EXPECT_EQ(test.examples[0].answer, "18");
  EXPECT_EQ(test.examples[0].id, "gsm8k_test:0");
  std::set<std::string> prompts;
  for (const auto& example : train.examples) {
    prompts.insert(example.prompt);
    EXPECT_EQ(example.answer.find_first_not_of("-0123456789,."), std::string::npos) << example.answer;
  }
  for (const auto& example : test.examples) EXPECT_EQ(prompts.count(example.prompt), 0u);
}

TEST(PublishedDatasets, OthersByTheirPresets) {
  const auto path = LACONIC_TEST_DATA_OR_SKIP("math/math500.jsonl.gz");
  const auto math = published(path, "math500");
  EXPECT_EQ(math.examples.size(), 500u);
  EXPECT_EQ(math.examples[0].id, "test/precalculus/807.json");
  // Published with a few answers that are null: a reason to stop, or counted.
  DatasetOptions deepscaler;
  deepscaler.path = *test_data("math/deepscaler_part_math_train.jsonl.gz");
  deepscaler.preset = "deepscaler";
  EXPECT_THROW(load_dataset(deepscaler), Error);
  deepscaler.on_error = OnError::skip;
  const auto skipping = load_dataset(deepscaler);
  EXPECT_EQ(skipping.examples.size() + skipping.skipped, 7474u);
  EXPECT_LT(skipping.skipped, 10u);
  EXPECT_THAT(skipping.first_skipped.at(0).reason, HasSubstr("found null"));
  DatasetOptions game;
  game.path = *test_data("math/game24.csv");
  game.prompt_column = "Puzzles";
  EXPECT_GT(load_dataset(game).examples.size(), 1000u);
}

}  // namespace
}  // namespace laconic::data
