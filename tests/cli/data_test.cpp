// laconic data: what it says of a set, and what it writes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "laconic/core/base/files.h"
#include "tests/cli/run_program.h"
#include "tests/cli/small_model.h"
#include "tests/support/temporary_folder.h"

namespace laconic::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class DataCommand : public testing::Test {
 protected:
  std::string file(const std::string& name, const std::string& content) {
    write_file_atomic(folder_ / name, content);
    return (folder_ / name).string();
  }
  std::string path(const std::string& name) { return (folder_ / name).string(); }

  TemporaryFolder folder_;
};

void write_to(const std::string& path, const std::string& content) {
  std::ofstream(path) << content;
}

std::string problem(const std::string& text, const std::string& answer) {
  return nlohmann::ordered_json{{"problem", text}, {"answer", answer}}.dump() + "\n";
}

TEST_F(DataCommand, CheckOfACleanSet) {
  const auto set = file("a.jsonl", problem("What is 1+1?", "2") + problem("What is 2+2?", "4"));
  const auto text = run_cli({"data", "check", set});
  EXPECT_EQ(text.status, 0) << text.err;
  EXPECT_THAT(text.out, AllOf(HasSubstr("prompt `problem`, answer `answer` (preset deepscaler, told from the columns)"),
                              HasSubstr("2, 2 usable"), HasSubstr("12 to 12 characters"),
                              HasSubstr("0 of 2 are not accepted by the verifier `math`")));
  const auto json = run_cli({"data", "check", set, "--json"}).json();
  EXPECT_EQ(json["usable"], 2);
  EXPECT_EQ(json["prompt_length"]["max"], 12);
  EXPECT_EQ(json["stops_a_run"], false);
}

TEST_F(DataCommand, CheckFindsWhatDisturbsARun) {
  const auto set =
      file("a.jsonl", problem("What is 1+1?", "2") + "nonsense\n" + problem("what  is １+1?", "2") +
                          problem("What is 1+1?", "3") + problem("City?", "New York") + problem("Empty?", " "));
  const auto json = run_cli({"data", "check", set, "--json"}).json();
  EXPECT_EQ(json["records"], 6);
  EXPECT_EQ(json["usable"], 4);
  EXPECT_EQ(json["malformed"]["count"], 2);
  EXPECT_THAT(json["malformed"]["first"][0], HasSubstr("a.jsonl:2: not valid JSON"));
  EXPECT_THAT(json["malformed"]["first"][1], HasSubstr("a.jsonl:6: the answer is empty"));
  EXPECT_EQ(json["repeated_prompts"]["count"], 1);
  EXPECT_THAT(json["repeated_prompts"]["first"][0], HasSubstr("a.jsonl:3"));
  EXPECT_EQ(json["repeated_prompts_with_another_answer"]["count"], 1);
  EXPECT_EQ(json["answers_compared_as_text"]["count"], 1);
  EXPECT_THAT(json["answers_compared_as_text"]["first"][0], HasSubstr("a.jsonl:5: New York"));
  EXPECT_EQ(json["stops_a_run"], true);
  const auto text = run_cli({"data", "check", set});
  EXPECT_EQ(text.status, 1);
  EXPECT_THAT(text.out, HasSubstr("a.jsonl:2: not valid JSON"));
  const auto numeric = run_cli({"data", "check", set, "--verifier", "numeric", "--json"}).json();
  EXPECT_EQ(numeric["answers_rejected"]["count"], 1);
  EXPECT_THAT(numeric["answers_rejected"]["first"][0], AllOf(HasSubstr("a.jsonl:5: New York ("), HasSubstr(")")));
}

TEST_F(DataCommand, PipesAreReadOnce) {
  ASSERT_EQ(::mkfifo(path("pipe.jsonl").c_str(), 0600), 0);
  EXPECT_THAT(run_cli({"data", "check", path("pipe.jsonl")}).err, HasSubstr("a pipe is read once"));
  const auto set = file("a.jsonl", problem("x", "1"));
  EXPECT_THAT(run_cli({"data", "overlap", set, path("pipe.jsonl"), "--preset", "deepscaler"}).err,
              HasSubstr("say --examples 0"));
  std::thread writer([&] { write_to(path("pipe.jsonl"), problem("x", "1")); });
  const auto json =
      run_cli({"data", "overlap", set, path("pipe.jsonl"), "--preset", "deepscaler", "--examples", "0", "--json"})
          .json();
  writer.join();
  EXPECT_EQ(json["all_shared"], 1);
}

TEST_F(DataCommand, ColumnsThatNoRecordShows) {
  EXPECT_THAT(run_cli({"data", "check", file("a.jsonl", "\xff\xfe{\n\xe9\n")}).err,
              HasSubstr("none of the first records can be read: " + path("a.jsonl") + ":1: not valid UTF-8"));
  EXPECT_THAT(run_cli({"data", "check", file("b.csv", "problem,answer\n")}).err, HasSubstr("there is no record"));
  EXPECT_THAT(run_cli({"data", "check", folder_.path().string()}).err, HasSubstr("it is a folder"));
}

TEST_F(DataCommand, CheckShowsTheBeginningOfALongAnswer) {
  std::string long_answer = "x";
  for (int i = 0; i < 300; ++i) long_answer += "é";  // no character ends behind byte 200
  const auto json = run_cli({"data", "check", file("a.jsonl", problem("Name?", long_answer)), "--json"}).json();
  EXPECT_THAT(json["answers_compared_as_text"]["first"][0], testing::EndsWith("éé ..."));
}

TEST_F(DataCommand, SeveralFilesByAPattern) {
  (void)file("p-0.jsonl", problem("x", "1"));
  (void)file("p-1.jsonl", problem("y", "2") + problem("X", "1"));
  EXPECT_EQ(run_cli({"data", "check", path("p-*.jsonl"), "--json"}).json()["records"], 3);
  EXPECT_EQ(run_cli({"data", "filter", path("p-*.jsonl"), "--unique"}).out, problem("x", "1") + problem("y", "2"));
  EXPECT_EQ(run_cli({"data", "sample", "3", path("p-*.jsonl")}).lines().size(), 3u);
}

TEST_F(DataCommand, EveryMalformedRecordIsToldAtOnce) {
  const auto set = file("a.jsonl", problem("x", "1") + "nonsense\n" + problem("y", "2") + "{\"problem\": \"z\"}\n");
  for (const Arguments& arguments : {Arguments{"data", "filter", set, "--unique", "--output", path("out.jsonl")},
                                     Arguments{"data", "sample", "1", set, "--output", path("out.jsonl")}}) {
    const auto outcome = run_cli(arguments);
    EXPECT_EQ(outcome.status, 1);
    EXPECT_THAT(outcome.err, AllOf(HasSubstr("of 4 records cannot be used; --on-error skip leaves them out"),
                                   HasSubstr("a.jsonl:2: not valid JSON")));
    EXPECT_FALSE(std::filesystem::exists(path("out.jsonl")));
  }
  EXPECT_THAT(run_cli({"data", "filter", set, "--unique"}).err, HasSubstr("a.jsonl:4: no column `answer`"));
  const auto skipping = run_cli({"data", "filter", set, "--unique", "--on-error", "skip"});
  EXPECT_EQ(skipping.status, 0);
  EXPECT_THAT(skipping.err, AllOf(HasSubstr("2  malformed"), HasSubstr("a.jsonl:2: not valid JSON")));
  // A test set that cannot be read whole leaks.
  const auto other = file("b.jsonl", problem("x y z", "1") + "nonsense\n");
  EXPECT_THAT(run_cli({"data", "filter", file("c.jsonl", problem("w", "1")), "--not-in", other}).err,
              HasSubstr("b.jsonl: 1 of 2 records cannot be used"));
  EXPECT_THAT(run_cli({"data", "overlap", file("c.jsonl", problem("w", "1")), other}).out,
              HasSubstr("b.jsonl:2: not valid JSON"));
}

TEST_F(DataCommand, CheckCountsRepeatsAcrossFiles) {
  const auto a = file("a.jsonl", problem("x", "1") + problem("y", "2")), b = file("b.jsonl", problem("Y", "2"));
  const auto outcome = run_cli({"data", "check", a, b, "--json"});
  ASSERT_EQ(outcome.lines().size(), 2u) << outcome.err;
  EXPECT_EQ(outcome.json(0)["repeated_prompts"]["count"], 0);
  EXPECT_EQ(outcome.json(1)["repeated_prompts"]["count"], 1);
}

TEST_F(DataCommand, CheckMeasuresPromptsAsTheModelSeesThem) {
  const SmallModel model;
  const auto set = file("a.jsonl", R"({"question": "a b c", "answer": "a"})"
                                   "\n"
                                   R"({"question": "a b c d e", "answer": "b"})"
                                   "\n");
  const auto lengths = [&](const Arguments& more) {
    Arguments arguments = {"data", "check", set, "--json", "--verifier", "exact"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const auto outcome = run_cli(arguments);
    EXPECT_EQ(outcome.err, "");
    return outcome.json();
  };
  EXPECT_EQ(lengths({"--tokenizer", model.path()})["prompt_length"]["max"], 5);
  // user: a b c d e <eos> assistant:
  EXPECT_EQ(lengths({"--model", model.path()})["prompt_length"]["max"], 8);
  EXPECT_EQ(lengths({"--model", model.path()})["limit"], 512);
  EXPECT_EQ(lengths({"--model", model.path(), "--no-chat"})["prompt_length"]["max"], 5);
  const auto limited = lengths({"--model", model.path(), "--max-prompt-tokens", "7"});
  EXPECT_EQ(limited["over_limit"]["count"], 1);
  EXPECT_THAT(limited["over_limit"]["first"][0], HasSubstr("a.jsonl:2: 8 tokens"));
  EXPECT_EQ(lengths({"--tokenizer", model.path(), "--prompt-template", "z {prompt} z"})["prompt_length"]["min"], 5);
}

const char* const kLong = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen";

TEST_F(DataCommand, OverlapNamesBothSides) {
  const auto a = file("a.jsonl", problem(std::string("Start: ") + kLong, "1") + problem("short one", "2") +
                                     problem("something else entirely", "3"));
  const auto b = file("b.csv", "question,answer\n\"" + std::string(kLong) + ", end\",1\nShort one!,2\n");
  const auto json = run_cli({"data", "overlap", a, b, "--json", "--matches", path("m.jsonl")}).json();
  EXPECT_EQ(json["prompts"], 3);
  EXPECT_EQ(json["other_prompts"], 2);
  EXPECT_EQ(json["overlapping"], 2);
  EXPECT_EQ(json["all_shared"], 1);
  EXPECT_EQ(json["examples"][0]["share"], 1.0);
  EXPECT_THAT(json["examples"][0]["other_source"], HasSubstr("b.csv:3"));
  EXPECT_EQ(json["examples"][1]["shared"], 2);
  EXPECT_EQ(json["examples"][1]["ngrams"], 3);
  EXPECT_THAT(read_file(path("m.jsonl")), HasSubstr("a.jsonl:1\",\"shared\":2"));
  const auto text = run_cli({"data", "overlap", a, b, "--n", "5", "--min-share", "0.9"});
  EXPECT_THAT(text.out, AllOf(HasSubstr("2 prompts (66.67 %)"), HasSubstr("short one!"))) << text.err;
  EXPECT_EQ(run_cli({"data", "overlap", a, b, "--json", "--examples", "0"}).json()["examples"].size(), 0u);
}

TEST_F(DataCommand, FilterKeepsLinesAsTheyStand) {
  const std::string first = "{\"problem\": \"What is 1+1?\" , \"answer\": 2.0, \"big\": 12345678901234567890123}";
  const auto a = file("a.jsonl", first + "\n" + problem("what is  1+1?", "2") + problem("What is the long one?", "3"));
  const auto outcome = run_cli({"data", "filter", a, "--unique", "--max-length", "15"});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(outcome.out, first + "\n");
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("1 of 3 examples stay"), HasSubstr("1  too long"),
                                 HasSubstr("1  repeats an earlier prompt")));
  const auto csv = file("a.csv", "problem,answer,n\nx,1,7\ny,,8\n");
  EXPECT_EQ(run_cli({"data", "filter", csv, "--unique", "--on-error", "skip"}).out,
            "{\"problem\":\"x\",\"answer\":\"1\",\"n\":\"7\"}\n");
}

TEST_F(DataCommand, FilterByPassRates) {
  const auto a = file("a.jsonl", problem("p0", "0") + problem("p1", "1") + problem("p2", "2") + problem("p3", "3"));
  std::string rates = "{\"evaluation\":1,\"prompts\":4}\n";
  for (int i = 0; i < 3; ++i) {
    rates +=
        nlohmann::ordered_json{
            {"index", i}, {"id", "a:" + std::to_string(i)}, {"gold", std::to_string(i)}, {"pass_rate", 0.5 * i}}
            .dump() +
        "\n";
  }
  const auto eval = file("eval.jsonl", rates);
  const auto unrated = run_cli({"data", "filter", a, "--pass-rates", eval});
  EXPECT_EQ(unrated.status, 1);
  EXPECT_THAT(unrated.err, HasSubstr("a.jsonl:4: no pass rate for the example `a:3`"));
  const auto outcome = run_cli({"data", "filter", a, "--pass-rates", eval, "--min-pass", "0.1", "--max-pass", "0.9",
                                "--unrated", "drop", "--json"});
  EXPECT_EQ(outcome.out, problem("p1", "1"));
  EXPECT_THAT(outcome.err, HasSubstr(R"({"records":4,"kept":1,"dropped":{"no pass rate":1,"pass rate too high":1,)"
                                     R"("pass rate too low":1}})"));
  const auto wrong = run_cli({"data", "filter", file("c.jsonl", problem("p0", "9")), "--pass-rates", eval});
  EXPECT_THAT(wrong.err, HasSubstr("no pass rate for the example `c:0`"));
  write_file_atomic(folder_ / "a.jsonl", problem("p0", "9"));
  EXPECT_THAT(run_cli({"data", "filter", a, "--pass-rates", eval}).err, HasSubstr("has another answer in"));
  EXPECT_THAT(run_cli({"data", "filter", a, "--pass-rates", a}).err, HasSubstr("expected the eval.jsonl"));
}

TEST_F(DataCommand, FilterOutWhatOverlaps) {
  const auto a = file("a.jsonl", problem(std::string("Start: ") + kLong, "1") + problem("short one", "2") +
                                     problem("something else", "3"));
  const auto b = file("b.jsonl", problem(kLong, "1")), c = file("c.csv", "question,answer\nShort one!,2\n");
  EXPECT_EQ(run_cli({"data", "filter", a, "--not-in", b + "," + c}).out, problem("something else", "3"));
  EXPECT_EQ(run_cli({"data", "filter", a, "--not-in", b, "--max-share", "0.7"}).lines().size(), 3u);
}

TEST_F(DataCommand, FilterThatLeavesNothingWritesNothing) {
  const auto a = file("a.jsonl", problem("x", "1"));
  const auto outcome = run_cli({"data", "filter", a, "--min-length", "5", "--output", path("out.jsonl")});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.err, HasSubstr("no example stays"));
  EXPECT_FALSE(std::filesystem::exists(path("out.jsonl")));
  EXPECT_THAT(run_cli({"data", "filter", a, "--unique", "--output", a}).err, HasSubstr("it is the input"));
}

TEST_F(DataCommand, FilterNeedsSomethingToFilterBy) {
  const auto a = file("a.jsonl", problem("x", "1"));
  for (const auto& [arguments, says] : std::vector<std::pair<Arguments, std::string>>{
           {{}, "expected something to filter by"},
           {{"--min-pass", "0.1"}, "--min-pass needs --pass-rates"},
           {{"--n", "5"}, "--n needs --not-in"},
           {{"--unique", "--verifier", "math"}, "--verifier has no effect without --verifiable"},
           {{"--unique", "--no-chat"}, "--no-chat has no effect without --model"},
           {{"--unique", "--preset", "gsm8"}, "did you mean `gsm8k`"},
           {{"--unique", "--preset", "gsm8k,math"}, "expected one name, or one for each of the 1 files"},
           {{"--unique", "--tokenizer", "/nowhere"}, "--tokenizer /nowhere"}}) {
    Arguments all = {"data", "filter", a};
    all.insert(all.end(), arguments.begin(), arguments.end());
    const auto outcome = run_cli(all);
    EXPECT_EQ(outcome.status, 2) << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr(says));
  }
}

TEST_F(DataCommand, SampleIsSeededAndInOrder) {
  std::string lines;
  for (int i = 0; i < 200; ++i) lines += problem("p" + std::to_string(i), std::to_string(i));
  const auto a = file("a.jsonl", lines), b = file("b.csv", "problem,answer\nx,1\n");
  const auto first = run_cli({"data", "sample", "20", a, b});
  ASSERT_EQ(first.lines().size(), 20u) << first.err;
  EXPECT_THAT(first.err, HasSubstr("20 of 201 records drawn"));
  EXPECT_EQ(run_cli({"data", "sample", "20", a, b}).out, first.out);
  EXPECT_NE(run_cli({"data", "sample", "20", a, b, "--seed", "1"}).out, first.out);
  int last = -1;
  for (const auto& line : run_cli({"data", "sample", "20", a}).lines()) {
    const int now = std::stoi(nlohmann::json::parse(line)["answer"].get<std::string>());
    EXPECT_GT(now, last);
    last = now;
  }
  EXPECT_THAT(run_cli({"data", "sample", "300", a}).err, HasSubstr("expected at least 300 records"));
  EXPECT_EQ(run_cli({"data", "sample", "0", a}).status, 2);
  EXPECT_EQ(run_cli({"data", "sample", a}).status, 2);
}

TEST_F(DataCommand, ABuildWithoutParquetSaysHowToGetIt) {
  file("a.parquet", "PAR1");
  const auto outcome = run_shell("cd " + shell_quoted(folder_.path().string()) +
                                 "; cp \"$LACONIC\" laconic; ./laconic data check a.parquet");
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.err,
              AllOf(HasSubstr("a.parquet: this build reads no Parquet"), HasSubstr("scripts/setup.sh --parquet")));
}

TEST_F(DataCommand, MisuseIsSaidInWords) {
  EXPECT_THAT(run_cli({"data"}).err,
              HasSubstr("expected one of check, overlap, filter, sample, generate, found nothing"));
  EXPECT_THAT(run_cli({"data", "chek", "x"}).err, HasSubstr("did you mean `check`"));
  EXPECT_THAT(run_cli({"data", "check"}).err, HasSubstr("expected FILE..., found nothing"));
  const auto odd = file("odd.jsonl", "{\"text\": \"x\"}\n");
  const auto guess = run_cli({"data", "check", odd});
  EXPECT_EQ(guess.status, 2);
  EXPECT_THAT(guess.err, AllOf(HasSubstr("cannot be told from the names: text"), HasSubstr("--prompt-column")));
  EXPECT_EQ(run_cli({"data", "check", odd, "--prompt-column", "text"}).status, 0);
  EXPECT_THAT(run_cli({"data", "check", path("absent.jsonl")}).err, HasSubstr("cannot open"));
  EXPECT_THAT(run_cli({"data", "check", file("x.bin", "x")}).err, HasSubstr("the format cannot be told"));
  EXPECT_THAT(run_cli({"data", "check", odd, "--max-prompt-tokens", "5"}).err,
              HasSubstr("--max-prompt-tokens needs --model or --tokenizer"));
  EXPECT_THAT(run_cli({"data", "overlap", odd}).err, HasSubstr("expected A B..."));
  for (const char* action : {"check", "overlap", "filter", "sample"}) {
    const auto page = run_cli({"data", action, "--help"});
    EXPECT_EQ(page.status, 0);
    EXPECT_THAT(page.out, testing::StartsWith(std::string("Usage: laconic data ") + action));
    for (const auto& row : split(page.out, '\n')) EXPECT_LE(row.size(), 160u) << row;
  }
}

}  // namespace
}  // namespace laconic::cli
