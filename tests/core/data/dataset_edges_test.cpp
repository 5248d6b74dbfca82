// What files from elsewhere hold: other line ends, huge lines, answers that are not texts, chats in a prompt column.
#include <gmock/gmock.h>

#include <algorithm>
#include <string>

#include "tests/core/data/dataset_fixture.h"

namespace laconic::data {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

using DatasetEdges = DatasetTest;

TEST_F(DatasetEdges, LineEndsByteOrderMarksAndBlankLines) {
  const std::string bom = "\xEF\xBB\xBF";
  for (const std::string end : {"\n", "\r\n"}) {
    for (const std::string& start : {std::string(), bom}) {
      const std::string lines =
          start + R"({"prompt": "a"})" + end + end + "  \t" + end + R"({"prompt": "b"})" + end + end;
      const auto json = load_dataset(file("a.jsonl", lines));
      ASSERT_EQ(json.examples.size(), 2u);
      EXPECT_THAT(json.examples[1].source, testing::EndsWith("a.jsonl:4"));
      EXPECT_EQ(json.examples[1].columns.dump(), R"({"prompt":"b"})");
      for (const std::string header : {"prompt", "prompt,n"}) {
        const std::string more = header == "prompt" ? "" : ",1";
        const auto csv =
            load_dataset(file("a.csv", start + header + end + end + "a" + more + end + end + "b" + more + end + end));
        ASSERT_EQ(csv.examples.size(), 2u) << header;
        EXPECT_EQ(csv.examples[1].prompt, "b");
        EXPECT_THAT(csv.examples[1].source, testing::EndsWith("a.csv:5"));
      }
      EXPECT_EQ(load_dataset(file("a.json", start + "[" + end + R"({"prompt": "a"})" + end + "]")).examples.size(), 1u);
    }
  }
  EXPECT_EQ(load_dataset(file("b.csv", "prompt\n\"a\r\nb\"\n")).examples[0].prompt, "a\r\nb")
      << "quoted line ends are text";
  EXPECT_EQ(load_dataset(file("c.csv", "prompt,n\nx,1")).examples[0].columns["n"], "1") << "no line end at the end";
  EXPECT_THAT(error_of(file("d.csv", "prompt\n\"\"\n")), HasSubstr("d.csv:2: the prompt is empty")) << "not blank";
  EXPECT_THAT(error_of(file("e.jsonl", bom)), HasSubstr("no record"));
}

TEST_F(DatasetEdges, BadUtf8NamesTheLineInEveryFormat) {
  EXPECT_THAT(error_of(file("a.jsonl", "{\"prompt\": \"ok\"}\n\n{\"prompt\": \"\xe2\x82\"}\n")),
              HasSubstr("a.jsonl:3: not valid UTF-8 at byte 13 of the line"));
  EXPECT_THAT(error_of(file("b.json", "[{\"prompt\": \"ok\"},\n{\"prompt\": \"\xff\"}]")),
              HasSubstr("b.json:2: not valid UTF-8"));
  EXPECT_THAT(error_of(file("c.csv", "prompt\nok\n\"a\nb\"\n\xff\n")),
              HasSubstr("c.csv:5: column `prompt` is not valid UTF-8"));
  EXPECT_THAT(error_of(file("d.csv", "prompt,\xff\n")), HasSubstr("d.csv:1: the header is not valid UTF-8"));
  EXPECT_THAT(error_of(file("e.jsonl", "\xff\xfe{")), HasSubstr("e.jsonl:1: not valid UTF-8 at byte 1")) << "UTF-16";
  EXPECT_THAT(error_of(file("f.jsonl", R"({"prompt": "\ud800"})")), HasSubstr("f.jsonl:1: not valid JSON"))
      << "half a pair";
}

TEST_F(DatasetEdges, AHugeLineIsALine) {
  std::string huge;
  huge.resize(20'000'000, 'x');
  const auto data = load_dataset(file("a.jsonl", "{\"prompt\": \"" + huge + "\"}\n{\"prompt\": \"b\"}\n"));
  ASSERT_EQ(data.examples.size(), 2u);
  EXPECT_EQ(data.examples[0].prompt.size(), huge.size());
  const auto error = error_of(file("b.jsonl", "{\"prompt\": \"" + huge));
  EXPECT_THAT(error, HasSubstr("b.jsonl:1: not valid JSON"));
  EXPECT_LT(error.size(), 1000u) << "a message holds no 20 MB";
  EXPECT_EQ(load_dataset(file("c.csv", "prompt\n" + huge + "\n")).examples[0].prompt.size(), huge.size());
}

TEST_F(DatasetEdges, AKeyThatStandsTwiceIsNotSilentlyDropped) {
  EXPECT_THAT(
      error_of(file("a.jsonl", "{\"prompt\": \"a\", \"x\": 1}\n{\"prompt\": \"a\", \"x\": 1, \"prompt\": \"b\"}\n")),
      HasSubstr("a.jsonl:2: the key `prompt` stands twice in one object"));
  EXPECT_THAT(error_of(file("b.jsonl", R"({"prompt": "a", "more": [{"k": 1}, {"k": {"z": 1, "z": 2}}]})")),
              HasSubstr("the key `z` stands twice"));
  EXPECT_THAT(error_of(file("c.json", R"([{"prompt": "a", "prompt": "b"}])")),
              HasSubstr("c.json: the key `prompt` stands twice"));
  EXPECT_EQ(load_dataset(file("d.jsonl", R"({"prompt": "a", "k": {"prompt": 1}, "l": [{"k": 1}, {"k": 1}]})"))
                .examples.size(),
            1u);
}

TEST_F(DatasetEdges, NestingWithoutEndIsRefused) {
  const std::string deep = R"({"prompt": "a", "x": )" + std::string(200000, '[') + std::string(200000, ']') + "}";
  EXPECT_THAT(error_of(file("a.jsonl", "{\"prompt\": \"a\"}\n" + deep)),
              testing::HasSubstr("a.jsonl:2: nested 200001 levels deep"));
  EXPECT_THAT(error_of(file("a.json", "[" + deep + "]")), testing::HasSubstr("a.json: nested 200002 levels deep"));
}

TEST_F(DatasetEdges, AnswersThatAreNotTexts) {
  const auto answer = [&](const std::string& json) {
    auto options = file("a.jsonl", "{\"prompt\": \"p\", \"answer\": " + json + "}\n");
    options.answer_column = "answer";
    const auto error = error_of(options);
    return error == "no error" ? load_dataset(options).examples[0].answer : error;
  };
  EXPECT_EQ(answer("42"), "42");
  EXPECT_EQ(answer("-7"), "-7");
  EXPECT_EQ(answer("0.5"), "0.5");
  EXPECT_EQ(answer("2.50"), "2.5");
  EXPECT_EQ(answer("18446744073709551615"), "18446744073709551615");
  EXPECT_EQ(answer("true"), "true");
  EXPECT_EQ(answer("\" 42 \""), "42");
  EXPECT_THAT(answer("123456789012345678901234567890"),
              HasSubstr("column `answer` holds a number too large to be read exactly"));
  EXPECT_THAT(answer("null"), HasSubstr("a.jsonl:1: column `answer` must be a string or a number, found null"));
  EXPECT_THAT(answer("[1]"), HasSubstr("found array"));
  EXPECT_THAT(answer("{}"), HasSubstr("found object"));
  EXPECT_THAT(answer("\"\""), HasSubstr("the answer is empty"));
}

TEST_F(DatasetEdges, AnswersAfterHashesAndInBoxes) {
  const auto answer = [&](const std::string& text, const std::string& way) {
    auto options = file("a.csv", "prompt,answer\np,\"" + text + "\"\n");
    options.answer_column = "answer";
    options.answer_from = way;
    const auto error = error_of(options);
    return error == "no error" ? load_dataset(options).examples[0].answer : error;
  };
  EXPECT_EQ(answer("one\n#### 1,234 ", "after_hashes"), "1,234");
  EXPECT_EQ(answer("#### 1\n#### 2", "after_hashes"), "2");
  EXPECT_THAT(answer("12", "after_hashes"), HasSubstr("a.csv:2: the answer has no `####`"));
  EXPECT_THAT(answer("####", "after_hashes"), HasSubstr("the answer is empty"));
  EXPECT_EQ(answer("so \\boxed{1} and \\boxed{\\frac{1}{2}}.", "boxed"), "\\frac{1}{2}");
  EXPECT_THAT(answer("\\boxed{\\frac{1}{2}", "boxed"), HasSubstr("is not closed"));
  // As a few solutions of MATH have it.
  EXPECT_EQ(answer("it is $\\boxed 36$ or $\\boxed 3$.", "boxed"), "3");
  EXPECT_EQ(answer("so $\\boxed{1}$, no: $\\fbox{2}$", "boxed"), "2");
  EXPECT_EQ(answer("\\boxed {7} \\boxedanswer{8}", "boxed"), "7");
  EXPECT_THAT(answer("\\boxed", "boxed"), HasSubstr("the answer is empty"));
}

TEST_F(DatasetEdges, AChatInThePromptColumn) {
  auto options =
      file("a.jsonl", R"({"prompt": [{"role": "system", "content": "S"}, {"role": "user", "content": "1+1?"}, )"
                      R"({"role": "assistant", "content": "2"}, {"role": "user", "content": "and 2+2?"}]})");
  options.prompt_template = "{prompt} Think.";
  options.system = "other";
  const auto example = load_dataset(options).examples[0];
  EXPECT_EQ(example.prompt, "and 2+2? Think.");
  EXPECT_EQ(example.messages,
            (std::vector<Message>{{"system", "S"}, {"user", "1+1?"}, {"assistant", "2"}, {"user", "and 2+2? Think."}}));
  EXPECT_EQ(example.response, "");
}

TEST_F(DatasetEdges, BrokenChatsSayWhichMessage) {
  const auto error = [&](const std::string& messages) {
    auto options = file("a.jsonl", "{\"m\": " + messages + "}\n");
    options.prompt_column.clear();
    options.messages_column = "m";
    return error_of(options);
  };
  EXPECT_THAT(error("\"hi\""), HasSubstr("a.jsonl:1: column `m` must be an array of messages, found string"));
  EXPECT_THAT(error(R"([{"role": "user", "content": "a"}, {"role": "user"}])"), HasSubstr("message 1 of column `m`"));
  EXPECT_THAT(error(R"([{"role": "user", "content": null}])"), HasSubstr("message 0 of column `m`"));
  EXPECT_THAT(error(R"([{"role": "assistant", "content": "a"}])"), HasSubstr("the chat has no user message"));
  EXPECT_THAT(error("[]"), HasSubstr("the chat has no user message"));
  EXPECT_THAT(error(R"([{"role": "user", "content": " "}])"), HasSubstr("the prompt is empty"));
}

TEST_F(DatasetEdges, ResponsesForLearning) {
  auto options = file("a.csv", "prompt,response\n\"p\"\"q\",\"  r \"\n");
  options.response_column = "response";
  const auto example = load_dataset(options).examples[0];
  EXPECT_EQ(example.prompt, "p\"q");
  EXPECT_EQ(example.response, "  r ") << "what is learned is learned as it is";
  auto empty = file("b.csv", "prompt,response\np, \n");
  empty.response_column = "response";
  EXPECT_THAT(error_of(empty), HasSubstr("b.csv:2: the response is empty"));
}

TEST_F(DatasetEdges, SkippingCountsWhateverIsBroken) {
  auto options = file("a.csv", "prompt,answer\na,1\nb\n,2\n\"c\"x,3\nd,\n\xff,4\ne,5\n");
  options.answer_column = "answer";
  EXPECT_THAT(error_of(options), HasSubstr("a.csv:3: 1 fields, the header has 2"));
  options.on_error = OnError::skip;
  const auto data = load_dataset(options);
  ASSERT_EQ(data.examples.size(), 2u);
  EXPECT_EQ(data.examples[1].prompt, "e");
  EXPECT_EQ(data.examples[1].id, "a:6") << "ids count all records, so that they do not move when one is repaired";
  EXPECT_EQ(data.skipped, 5u);
  ASSERT_EQ(data.first_skipped.size(), 5u);
  EXPECT_THAT(data.first_skipped[1].reason, HasSubstr("the prompt is empty"));
  EXPECT_THAT(data.first_skipped[3].reason, HasSubstr("the answer is empty"));
}

TEST_F(DatasetEdges, ALimitStopsTheReading) {
  auto options = file("a.jsonl", "{\"prompt\": \"a\"}\n{\"prompt\": \"b\"}\nnonsense\n");
  options.limit = 2;
  EXPECT_EQ(load_dataset(options).examples.size(), 2u);
  options.limit = 3;
  EXPECT_THAT(error_of(options), HasSubstr("a.jsonl:3"));
}

TEST_F(DatasetEdges, EmptyAndImpossibleFiles) {
  EXPECT_THAT(error_of(file("a.jsonl.gz", "")), HasSubstr("the file is empty"));
  EXPECT_THAT(error_of(file("b.jsonl.gz", gzipped(""))), HasSubstr("the file is empty"));
  EXPECT_THAT(error_of(file("c.json", "")), HasSubstr("the file is empty"));
  EXPECT_THAT(error_of(file("d.csv", "\n\n")), HasSubstr("the file is empty"));
  EXPECT_THAT(error_of(file("e.json", R"({"prompt": "a"})")), HasSubstr("one object per line is format `jsonl`"));
  auto folder = file("x.jsonl", "");
  folder.path = folder_.path();
  folder.format = "jsonl";
  EXPECT_THAT(error_of(folder), AllOf(HasSubstr("input "), HasSubstr("is a folder")));
  EXPECT_EQ(load_dataset(file("packed.jsonl", gzipped("{\"prompt\": \"a\"}"))).examples.size(), 1u)
      << "told by content";
  EXPECT_EQ(load_dataset(file("upper.JSONL", "{\"prompt\": \"a\"}")).examples.size(), 1u);
}

TEST_F(DatasetEdges, ManySmallLinesLoad) {
  constexpr size_t kLines = 200'000;
  std::string text;
  for (size_t i = 0; i < kLines; ++i)
    text += "{\"prompt\": \"p" + std::to_string(i) + "\", \"answer\": " + std::to_string(i) + "}\n";
  auto options = file("a.jsonl", text);
  options.answer_column = "answer";
  const auto data = load_dataset(options);
  ASSERT_EQ(data.examples.size(), kLines);
  EXPECT_EQ(data.examples.back().answer, std::to_string(kLines - 1));
  EXPECT_THAT(data.examples.back().source, Not(HasSubstr(":200001")));
}

}  // namespace
}  // namespace laconic::data
