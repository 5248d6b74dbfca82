// Instructions and puzzles on the command line: grade, data generate, data check and filter.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "laconic/core/base/files.h"
#include "laconic/core/base/strings.h"
#include "tests/cli/run_cli.h"
#include "tests/support/temporary_folder.h"

namespace laconic::cli {
namespace {

using Json = nlohmann::ordered_json;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

std::string graded(const std::string& verifier, const Json& gold, const std::string& prediction) {
  const auto outcome =
      run_cli({"grade", "--verifier", verifier}, Json{{"gold", gold}, {"prediction", prediction}}.dump() + "\n");
  return outcome.out;
}

TEST(PuzzleCommands, GradeTakesObjects) {
  const Json instructions = {{"instruction_id_list", {"punctuation:no_comma", "startend:quotation"}},
                             {"kwargs", {Json::object(), Json::object()}}};
  EXPECT_THAT(graded("instructions", instructions, "no quotes"),
              AllOf(HasSubstr(R"("correct":false)"), HasSubstr(R"("tests_passed":0.5)"),
                    HasSubstr(R"("gold_answer":"2 instructions")")));
  EXPECT_THAT(graded("countdown", {{"numbers", {3, 4, 5}}, {"target", 35}}, "<answer>(3+4)*5</answer>"),
              AllOf(HasSubstr(R"("correct":true)"), HasSubstr(R"("gold_answer":"3 4 5 -> 35")")));
  EXPECT_THAT(graded("game_of_24", {4, 4, 6, 8}, "(4+8)*(6-4)"), HasSubstr(R"("correct":true)"));
  EXPECT_THAT(graded("countdown", "35", "35"), HasSubstr(R"("kind":"input")"));
  EXPECT_THAT(graded("sudoku", Json::parse("[[1,2,0,0],[3,4,0,0],[0,0,4,3],[0,0,2,1]]"), "1234\n3412\n2143\n4321"),
              HasSubstr(R"("correct":true)"));
}

TEST(PuzzleCommands, GeneratedProblemsAreSolvedByTheirSolutions) {
  for (const std::string kind : {"countdown", "game_of_24", "sudoku", "alphametic"}) {
    const auto made = run_cli({"data", "generate", kind, "--count", "3", "--seed", "4"});
    ASSERT_EQ(made.status, 0) << made.err;
    const auto lines = split(std::string(trim(made.out)), '\n');
    ASSERT_EQ(lines.size(), 3U);
    for (const auto& line : lines) {
      const auto problem = Json::parse(line);
      const auto answer = "<answer>" + problem.at("solution").get<std::string>() + "</answer>";
      EXPECT_THAT(graded(kind, problem.at("answer"), answer), HasSubstr(R"("correct":true)")) << line;
    }
    const auto longer = run_cli({"data", "generate", kind, "--count", "4", "--seed", "4"});
    EXPECT_THAT(longer.out, StartsWith(made.out));
    const auto behind = run_cli({"data", "generate", kind, "--count", "2", "--first", "1", "--seed", "4"});
    EXPECT_EQ(behind.out, made.out.substr(lines[0].size() + 1));
  }
  EXPECT_THAT(run_cli({"data", "generate", "chain", "--count", "1"}).out, HasSubstr("<bos>"));
}

TEST(PuzzleCommands, GenerateSaysWhatIsWrong) {
  const auto problem = [](std::vector<std::string> words) {
    words.insert(words.begin(), {"data", "generate"});
    const auto outcome = run_cli(words);
    EXPECT_EQ(outcome.status, 2) << outcome.out;
    return outcome.err;
  };
  EXPECT_THAT(problem({"sudku"}), HasSubstr("did you mean `sudoku`"));
  EXPECT_THAT(problem({"sudoku", "--size=5"}), HasSubstr("expected 4, 6 or 9"));
  EXPECT_THAT(problem({"sudoku", "--most_numbers=5"}), HasSubstr("most_numbers"));
  EXPECT_THAT(problem({"chain", "--size=4"}), HasSubstr("the chain task has no such option"));
  EXPECT_THAT(problem({"sudoku", "--count", "0"}), HasSubstr("--count"));
  EXPECT_THAT(problem({"countdown", "--fewest_numbers=2", "--most_numbers=2", "--largest_number=2",
                       "--smallest_target=90", "--largest_target=91"}),
              HasSubstr("hardly ever make a target"));
}

TEST(PuzzleCommands, ASetIsCheckedByTheVerifierOfItsPreset) {
  const TemporaryFolder folder;
  const auto file = folder / "ifeval.jsonl";
  const auto line = [](int key, const std::string& id, const Json& arguments) {
    return Json{{"key", key},
                {"prompt", "Prompt " + std::to_string(key)},
                {"instruction_id_list", {id}},
                {"kwargs", {arguments}}}
               .dump() +
           "\n";
  };
  write_file_atomic(file, line(1, "punctuation:no_comma", Json::object()) +
                              line(2, "language:response_language", {{"language", "de"}}));
  const auto check = run_cli({"data", "check", file.string()});
  EXPECT_EQ(check.status, 1);
  EXPECT_THAT(check.out,
              AllOf(HasSubstr("answer `instruction_id_list` and `kwargs` (preset ifeval, told from the columns)"),
                    HasSubstr("1 of 2 cannot be used by the verifier `instructions`")));
  const auto kept = run_cli({"data", "filter", file.string(), "--verifiable"});
  EXPECT_EQ(kept.status, 0) << kept.err;
  EXPECT_THAT(kept.out, StartsWith("{\"key\":1,"));
  EXPECT_THAT(kept.err, HasSubstr("1 of 2 examples stay"));
}

}  // namespace
}  // namespace laconic::cli
