#include "laconic/core/data/dataset.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "tests/core/data/dataset_fixture.h"

namespace laconic::data {
namespace {

using testing::AllOf;
using testing::HasSubstr;

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
  EXPECT_THAT(error_of(file("k.json", std::string(100000, '['))), HasSubstr("nested 100000 levels deep"));
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

TEST_F(DatasetTest, CompressedWholeTruncatedAndDamaged) {
  std::string text;
  for (int i = 0; i < 50000; ++i) text += "{\"prompt\": \"p" + std::to_string(i * 7919) + "\"}\n";
  struct Compression {
    std::string extension, name;
    std::string (*pack)(const std::string&);
  };
  for (const auto& [extension, name, pack] :
       {Compression{".gz", "gzip", gzipped}, Compression{".zst", "zstd", zstandard}}) {
    const auto packed = pack(text);
    EXPECT_EQ(load_dataset(file("a.jsonl" + extension, packed)).examples.size(), 50000u);
    const auto two = load_dataset(file("b.jsonl" + extension, packed + pack("{\"prompt\": \"last\"}\n")));
    ASSERT_EQ(two.examples.size(), 50001u);
    EXPECT_EQ(two.examples.back().id, "b:50000");
    for (const size_t cut : {size_t{5}, packed.size() / 2, packed.size() - 1}) {
      EXPECT_THAT(error_of(file("c.jsonl" + extension, packed.substr(0, cut))),
                  AllOf(HasSubstr("input "), HasSubstr("the " + name + " stream ends too early")))
          << cut;
    }
    auto damaged = packed;
    damaged[damaged.size() / 2] = static_cast<char>(damaged[damaged.size() / 2] ^ 0x55);
    auto options = file("d.jsonl" + extension, damaged);
    EXPECT_THAT(error_of(options), HasSubstr("d.jsonl" + extension));
    options.on_error = OnError::skip;  // lines that are broken by the damage do not hide it
    EXPECT_THAT(error_of(options), HasSubstr("damaged " + name + " stream near byte"));
    EXPECT_THAT(error_of(file("e.jsonl" + extension, "plain")), HasSubstr("not a " + name + " file"));
    EXPECT_THAT(error_of(file("f.jsonl" + extension, "")), HasSubstr("the file is empty"));
    EXPECT_THAT(error_of(file("g.jsonl" + extension, pack(""))), HasSubstr("the file is empty"));
    EXPECT_EQ(load_dataset(file("h.json" + extension, pack("[{\"prompt\": \"a\"}]"))).examples.size(), 1u);
    EXPECT_EQ(load_dataset(file("i.csv" + extension, pack("prompt\na\nb\n"))).examples.size(), 2u);
    EXPECT_EQ(load_dataset(file("told_by_content.jsonl", packed)).examples.size(), 50000u);
  }
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
  EXPECT_THAT(error_of(file("d.arrow", "x")), HasSubstr("cannot be told from the name"));
  auto absent = file("e.jsonl", "x");
  absent.path = folder_ / "absent.jsonl";
  EXPECT_THAT(error_of(absent), HasSubstr("absent.jsonl"));
}

}  // namespace
}  // namespace laconic::data
