// What only a process of its own shows: pipes, closed and full outputs, a coprocess, the exit status.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/cli/run_program.h"

namespace laconic::cli {
namespace {

using testing::HasSubstr;

std::string right_lines(int count) {
  std::string lines;
  for (int i = 0; i < count; ++i) lines += "{\"gold\":\"3\",\"prediction\":\"3\"}\n";
  return lines;
}

TEST(Process, RunsAndReturnsItsStatus) {
  EXPECT_EQ(run_program({"--version"}).status, 0);
  EXPECT_EQ(run_program({"grade"}, right_lines(2)).lines().size(), 2u);
  EXPECT_EQ(run_program({"grade"}, "x\n").status, 1);
  EXPECT_EQ(run_program({"grade", "--x"}).status, 2);
}

TEST(Process, EndsQuietlyWhenItsReaderGoes) {
  const auto outcome =
      run_shell("\"$LACONIC\" grade <\"$IN\" | head -n 1; echo ${PIPESTATUS[0]} >&2", right_lines(50000));
  EXPECT_EQ(outcome.err, "141\n") << "ended by SIGPIPE, without a word";
  EXPECT_EQ(outcome.lines().size(), 1u);
  const auto ignored =
      run_shell("trap '' PIPE; \"$LACONIC\" grade <\"$IN\" | head -n 1 >/dev/null; echo ${PIPESTATUS[0]} >&2",
                right_lines(50000));
  EXPECT_EQ(ignored.err, "141\n") << "where SIGPIPE is ignored";
}

TEST(Process, AnOutputThatCannotBeWrittenIsAnError) {
  for (const char* redirect : {">/dev/full", ">&-"}) {
    for (const char* command : {"grade", "--help", "config reference"}) {
      const auto outcome = run_shell(std::string("\"$LACONIC\" ") + command + " <\"$IN\" " + redirect, right_lines(1));
      EXPECT_EQ(outcome.status, 1) << command << " " << redirect;
      EXPECT_THAT(outcome.err, HasSubstr("cannot write the output: ")) << command << " " << redirect;
    }
  }
}

TEST(Process, AnswersLineByLine) {
  // The second question is asked after the first answer has come.
  const auto outcome = run_shell(
      "coproc P { \"$LACONIC\" grade; }\n"
      "echo '{\"gold\":\"3\",\"prediction\":\"3\",\"id\":1}' >&${P[1]}; read -t 20 -r first <&${P[0]}\n"
      "echo '{\"gold\":\"3\",\"prediction\":\"4\",\"id\":2}' >&${P[1]}; read -t 20 -r second <&${P[0]}\n"
      "echo \"$first\"; echo \"$second\"; exec {P[1]}>&-; wait");
  ASSERT_EQ(outcome.lines().size(), 2u) << outcome.err;
  EXPECT_EQ(outcome.json(0)["id"], 1);
  EXPECT_EQ(outcome.json(1)["id"], 2);
  EXPECT_EQ(outcome.json(1)["correct"], false);
}

TEST(Process, FiltersMakePipes) {
  const auto outcome = run_shell(
      "\"$LACONIC\" grade <\"$IN\" | \"$LACONIC\" render | \"$LACONIC\" grade --input - --output -; echo "
      "${PIPESTATUS[*]}",
      "{\"gold\":\"3\",\"prediction\":\"3\",\"messages\":[],\"template\":\"x\",\"id\":1}\nbroken\n");
  const auto lines = outcome.lines();
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_THAT(lines[0], HasSubstr("gold: expected a string or a number, found nothing"));
  EXPECT_THAT(lines[1], HasSubstr("\"line\":2")) << "the first filter's own failure";
  EXPECT_EQ(lines[2], "1 1 1");
}

TEST(Process, OutputFileIsWholeOrAbsent) {
  const auto outcome = run_shell(
      "cd $(dirname \"$IN\"); mkfifo f; \"$LACONIC\" grade --output result.jsonl <f & exec 3>f\n"
      "echo '{\"gold\":\"3\",\"prediction\":\"3\"}' >&3; sleep 1.5; ls result.jsonl 2>&1; exec 3>&-; wait; cat "
      "result.jsonl; ls");
  EXPECT_THAT(outcome.out, testing::StartsWith("ls: cannot access"));
  EXPECT_THAT(outcome.out, HasSubstr("\"correct\":true"));
  EXPECT_EQ(outcome.out.find(".tmp"), std::string::npos);
}

}  // namespace
}  // namespace laconic::cli
