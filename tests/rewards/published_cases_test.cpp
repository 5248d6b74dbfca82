// Cases that others have published, and GSM8K graded against itself.
#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "laconic/rewards/equivalence.h"
#include "laconic/rewards/extract.h"
#include "laconic/rewards/format.h"
#include "laconic/rewards/grade.h"
#include "tests/support/test_data.h"

namespace laconic::rewards {
namespace {

using Json = nlohmann::json;

std::vector<Json> read_lines(const std::filesystem::path& path) {
  std::vector<Json> lines;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) lines.push_back(Json::parse(line));
  return lines;
}

// This room links no zlib; the test asks gzip.
std::vector<Json> read_gz_lines(const std::filesystem::path& path) {
  std::string text;
  FILE* pipe = popen(("gzip -dc '" + path.string() + "'").c_str(), "r");
  std::vector<char> buffer(1 << 16);
  for (size_t n = 0; (n = fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) text.append(buffer.data(), n);
  EXPECT_EQ(pclose(pipe), 0);
  std::vector<Json> lines;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    if (end > at) lines.push_back(Json::parse(text.substr(at, end - at)));
    at = end + 1;
  }
  return lines;
}

TEST(Gsm8k, EverySolutionIsRightAgainstItsOwnAnswerAndAgainstNoOther) {
  const auto path = LACONIC_TEST_DATA_OR_SKIP("math/gsm8k_test.jsonl.gz");
  const auto lines = read_gz_lines(path);
  ASSERT_EQ(lines.size(), 1319u);
  for (const auto& line : lines) {
    const std::string solution = line["answer"];
    const std::string gold(*after_hashes(solution));
    std::string digits = gold;
    std::erase(digits, ',');
    const std::string wrong = std::to_string(std::stol(digits) + 1);
    EXPECT_TRUE(grade(gold, solution).correct) << solution;
    EXPECT_TRUE(grade(solution, "The answer is \\boxed{" + gold + "}.").correct) << gold;
    EXPECT_TRUE(grade(solution, "So in the end there are $" + gold + " dollars.").correct) << gold;
    EXPECT_FALSE(grade(wrong, solution).correct) << solution;
    EXPECT_FALSE(grade(solution, "#### " + wrong).correct) << solution;
    EXPECT_FALSE(grade(solution, "#### -" + gold).correct && gold != "0") << solution;
  }
}

TEST(MathData, EveryGoldAnswerIsRightInABox) {
  const auto path = LACONIC_TEST_DATA_OR_SKIP("math/math500.jsonl.gz");
  for (const auto& line : read_gz_lines(path)) {
    const std::string gold = line["answer"], solution = line["solution"];
    EXPECT_TRUE(grade(gold, "So \\boxed{" + gold + "}").correct) << gold;
    EXPECT_TRUE(grade(gold, solution).correct) << gold << " | " << grade(gold, solution).answer.value_or("-");
    EXPECT_FALSE(grade(gold + "7", solution).correct) << gold;
  }
}

TEST(PublishedCases, FormatRewards) {
  const auto path = LACONIC_TEST_DATA_OR_SKIP("reward_cases/reward_cases_open_r1.jsonl");
  const std::map<std::string, double (*)(std::string_view)> functions = {{"format_reward", think_answer_format},
                                                                         {"tag_count_reward", tag_count_format}};
  int checked = 0;
  for (const auto& line : read_lines(path)) {
    const auto found = functions.find(line["function"]);
    if (found == functions.end()) continue;
    const auto& completions = line["args"][0];
    const size_t index = line["result_path"] == "[1]" ? 1 : 0;
    const std::string text = completions[index][0]["content"];
    EXPECT_DOUBLE_EQ(found->second(text), line["expected"].get<double>()) << line.dump();
    ++checked;
  }
  EXPECT_EQ(checked, 13);
}

TEST(PublishedCases, LastBox) {
  const auto path = LACONIC_TEST_DATA_OR_SKIP("reward_cases/reward_cases_slime.jsonl");
  int checked = 0;
  for (const auto& line : read_lines(path)) {
    if (line["function"] != "last_boxed_only_string" && line["function"] != "extract_boxed_answer") continue;
    if (!line["args"][0].is_string()) continue;
    const std::string text = line["args"][0];
    const auto box = last_box(text);
    if (line["expected"].is_null()) {
      EXPECT_NE(box.state, BoxState::closed) << text;
    } else {
      const std::string expected = line["expected"];
      const auto content = last_box(expected);
      EXPECT_EQ(box.content, content.state == BoxState::closed ? content.content : std::string_view(expected)) << text;
    }
    ++checked;
  }
  printf("%d box cases\n", checked);
}

TEST(PublishedCases, NumbersWithCurrencyAndSeparators) {
  const auto path = LACONIC_TEST_DATA_OR_SKIP("reward_cases/reward_cases_torchforge.jsonl");
  int checked = 0;
  for (const auto& line : read_lines(path)) {
    if (line["function"] != "MathReward._to_float" || !line["args"][0].is_string()) continue;
    const std::string written = line["args"][0];
    // What is no number equals none, itself aside.
    if (line["expected"].is_null()) {
      EXPECT_FALSE(compare_answers("0", written).equal) << line.dump();
    } else {
      EXPECT_TRUE(compare_answers(line["expected"].dump(), written).equal) << line.dump();
      EXPECT_FALSE(compare_answers(line["expected"].dump() + "1", written).equal) << line.dump();
    }
    ++checked;
  }
  printf("%d number cases\n", checked);
}

}  // namespace
}  // namespace laconic::rewards
