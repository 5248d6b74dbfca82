// What all filters share, seen through `grade`.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "laconic/core/base/files.h"
#include "tests/cli/run_cli.h"
#include "tests/support/temporary_folder.h"

namespace laconic::cli {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

const char* const kRight = "{\"gold\":\"3\",\"prediction\":\"3\"}";
const char* const kResult = "\"correct\":true,\"answer\":\"3\",\"gold_answer\":\"3\",\"reason\":\"same expression\"}";

std::string with(const std::string& fields) {
  return "{" + fields + ",\"gold\":\"3\",\"prediction\":\"3\"}\n";
}

TEST(Filter, UnknownFieldsComeBackInPlaceAndAsTheyWere) {
  const auto outcome = run_cli({"grade"},
                               "{\"id\": 7, \"gold\":\"3\" ,\"x\":0.10,\"prediction\":\"3\",\"y\" : "
                               "[12345678901234567890123, {\"z\":\"\\u00e9\"}]}");
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(outcome.out, std::string("{\"id\": 7,\"x\":0.10,\"y\" : [12345678901234567890123, {\"z\":\"\\u00e9\"}],") +
                             kResult + "\n");
  EXPECT_EQ(outcome.err, "");
}

TEST(Filter, AResultReplacesAFieldOfItsName) {
  const auto outcome = run_cli({"grade"}, with("\"correct\":\"?\",\"id\":1,\"reason\":null"));
  EXPECT_EQ(outcome.out, std::string("{\"id\":1,") + kResult + "\n");
}

TEST(Filter, BlankLinesAndLineEndings) {
  const std::string line = kRight;
  const auto outcome = run_cli({"grade"}, "\xEF\xBB\xBF" + line + "\r\n\n  \t\r\n" + line + "\n\n" + line);
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(outcome.lines().size(), 3u);
  EXPECT_EQ(run_cli({"grade"}, "").out, "");
  EXPECT_EQ(run_cli({"grade"}, "\n\n").status, 0);
}

TEST(Filter, FailuresAreLinesAndTheOthersGoOn) {
  const auto outcome =
      run_cli({"grade"}, "\n" + with("\"id\":1") + "nonsense\n{\"id\":{\"a\":[2]},\"gold\":\"3\"}\n[]\n" +
                             "{\"id\":5,\"gold\":\"3\",\"prediction\":[4]}\n" + with("\"id\":6"));
  EXPECT_EQ(outcome.status, 1);
  const auto lines = outcome.lines();
  ASSERT_EQ(lines.size(), 6u);
  EXPECT_EQ(lines[0], std::string("{\"id\":1,") + kResult);
  EXPECT_THAT(lines[1], StartsWith("{\"error\":{\"kind\":\"input\",\"message\":\"not JSON at byte "));
  EXPECT_EQ(outcome.json(1)["error"]["line"], 3);
  EXPECT_EQ(lines[2],
            "{\"error\":{\"kind\":\"input\",\"message\":\"prediction: expected a string, found nothing\",\"line\":4},"
            "\"id\":{\"a\":[2]}}");
  EXPECT_THAT(lines[3], HasSubstr("expected a JSON object, found array"));
  EXPECT_THAT(lines[4], HasSubstr("prediction: expected a string, found a list"));
  EXPECT_EQ(lines[5], std::string("{\"id\":6,") + kResult);
  EXPECT_THAT(outcome.err, HasSubstr("laconic grade: 4 of 6 lines failed; the first is line 3: not JSON"));
}

TEST(Filter, FailFastEndsAfterTheFirstFailure) {
  std::string input = with("\"id\":0");
  for (int i = 0; i < 100; ++i) input += with("\"id\":0");
  input += "{}\n";
  for (int i = 0; i < 100; ++i) input += with("\"id\":0");
  for (const char* threads : {"1", "3"}) {
    const auto outcome = run_cli({"grade", "--fail-fast", "--threads", threads}, input);
    EXPECT_EQ(outcome.status, 1);
    ASSERT_EQ(outcome.lines().size(), 102u);
    EXPECT_THAT(outcome.lines().back(), StartsWith("{\"error\""));
    EXPECT_THAT(outcome.err, HasSubstr("stopped at line 102"));
  }
}

TEST(Filter, OrderDoesNotDependOnThreads) {
  std::string input;
  for (int i = 0; i < 3000; ++i) {
    input += i % 7 == 3 ? "broken\n" : with("\"id\":" + std::to_string(i));
  }
  const auto one = run_cli({"grade", "--threads", "1"}, input);
  const auto many = run_cli({"grade", "--threads", "5"}, input);
  EXPECT_EQ(one.lines().size(), 3000u);
  EXPECT_EQ(one.out, many.out);
  EXPECT_EQ(one.err, many.err);
  EXPECT_EQ(one.json(2998)["id"], 2998);
}

TEST(Filter, WhatFailedInAnEarlierFilterKeepsItsReason) {
  const std::string failure = "{\"error\":{\"kind\":\"input\",\"message\":\"m\",\"line\":9},\"id\":3}";
  const auto outcome = run_cli({"grade"}, failure + "\n");
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(outcome.out, failure + "\n");
}

TEST(Filter, MisspelledFieldsAreTold) {
  const auto outcome = run_cli({"grade"}, with("\"optoins\":{},\"id\":1") + with("\"optoins\":{}"));
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(outcome.err,
            "laconic grade: note: the field `optoins` is not read, only passed on (did you mean `options`?)\n");
  EXPECT_THAT(run_cli({"grade"}, "{\"gold\":\"3\",\"predictoin\":\"3\"}\n").out,
              HasSubstr("prediction: expected a string, found nothing (did you mean `predictoin`?)"));
}

TEST(Filter, FilesInAndOut) {
  const TemporaryFolder folder;
  const std::string in = (folder / "in.jsonl").string(), out = (folder / "out.jsonl").string();
  write_file_atomic(in, with("\"id\":1") + "broken\n");
  write_file_atomic(out, "old");
  const auto outcome = run_cli({"grade", "--input", in, "--output", out}, "unread");
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(outcome.out, "");
  EXPECT_THAT(read_file(out), StartsWith(std::string("{\"id\":1,") + kResult + "\n{\"error\""));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 2) << "nothing else is left";
  EXPECT_EQ(run_cli({"grade", "--input", in, "--output", "-"}).lines().size(), 2u);
  EXPECT_EQ(run_cli({"grade", "--input=-"}, with("\"id\":1")).status, 0);
}

TEST(Filter, TheOutputIsNotTheInput) {
  const TemporaryFolder folder;
  const std::string file = (folder / "a.jsonl").string();
  write_file_atomic(file, with("\"id\":1"));
  std::filesystem::create_symlink(file, folder / "link");
  std::filesystem::create_hard_link(file, folder / "hard");
  const std::string detour = "../" + folder.path().filename().string() + "/a.jsonl";
  for (const std::string& name : {std::string("a.jsonl"), std::string("link"), std::string("hard"), detour}) {
    const auto outcome = run_cli({"grade", "--input", file, "--output", (folder / name).string()});
    EXPECT_EQ(outcome.status, 2) << name;
    EXPECT_THAT(outcome.err, HasSubstr("it is the input"));
  }
  EXPECT_EQ(read_file(file), with("\"id\":1"));
}

TEST(Filter, OutputThroughALinkAndToADevice) {
  const TemporaryFolder folder;
  write_file_atomic(folder / "real", "");
  std::filesystem::create_symlink(folder / "real", folder / "link");
  EXPECT_EQ(run_cli({"grade", "--output", (folder / "link").string()}, with("\"id\":1")).status, 0);
  EXPECT_TRUE(std::filesystem::is_symlink(folder / "link"));
  EXPECT_THAT(read_file(folder / "real"), StartsWith("{\"id\":1,"));
  EXPECT_EQ(run_cli({"grade", "--output", "/dev/null"}, with("\"id\":1")).status, 0);
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/null"));
  const auto full = run_cli({"grade", "--output", "/dev/full"}, with("\"id\":1"));
  EXPECT_EQ(full.status, 1);
  EXPECT_THAT(full.err, HasSubstr("No space left on device"));
}

TEST(Filter, AFilterThatCannotStartLeavesTheOutputAlone) {
  const TemporaryFolder folder;
  const std::string out = (folder / "out").string();
  write_file_atomic(out, "old");
  EXPECT_EQ(run_cli({"tokenize", "--tokenizer", "/nowhere", "--output", out}).status, 2);
  EXPECT_EQ(read_file(out), "old");
}

// A stream whose reader has gone, and one on a full disk, as the system reports them.
class FailingBuffer : public std::streambuf {
 public:
  explicit FailingBuffer(int error) : error_(error) {}
  std::streamsize xsputn(const char*, std::streamsize) override {
    errno = error_;
    return 0;
  }
  int_type overflow(int_type) override {
    errno = error_;
    return traits_type::eof();
  }

 private:
  int error_;
};

int status_with_output_error(int error, std::string& message) {
  std::istringstream in(with("\"id\":1"));
  FailingBuffer buffer(error);
  std::ostream out(&buffer);
  std::ostringstream err;
  Streams streams{in, out, err};
  const int status = run_main({"grade"}, all_commands(), streams);
  message = err.str();
  return status;
}

TEST(Filter, AReaderThatGoesAwayEndsItQuietly) {
  std::string message;
  EXPECT_EQ(status_with_output_error(EPIPE, message), kOutputClosed);
  EXPECT_EQ(message, "");
  EXPECT_EQ(status_with_output_error(ENOSPC, message), kFailure);
  EXPECT_THAT(message, HasSubstr("cannot write the output: No space left on device"));
}

}  // namespace
}  // namespace laconic::cli
