// Cases that others have published, and GSM8K graded against itself.
#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "laconic/rewards/extract.h"
#include "laconic/rewards/format.h"
#include "laconic/rewards/grade.h"
#include "laconic/rewards/number.h"
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
    const auto number = parse_number(gold);
    ASSERT_TRUE(number.has_value()) << gold;
    const std::string wrong = std::to_string(static_cast<long>(to_double(*number)) + 1);
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

TEST(PublishedCases, AgreementOfTheMathVerifier) {
  const auto folder = LACONIC_TEST_DATA_OR_SKIP("math_equivalence");
  int agree_all = 0, all = 0, agree_numbers = 0, numbers = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    int agree = 0, count = 0;
    for (const auto& line : read_lines(entry.path())) {
      if (!line["expected"].is_boolean()) continue;  // published with nothing but a partial score
      std::vector<std::string> golds;
      if (line["gold"].is_string()) golds.push_back(line["gold"]);
      if (line["gold"].is_array()) golds = line["gold"].get<std::vector<std::string>>();
      const std::string prediction = line["prediction"].is_string() ? line["prediction"].get<std::string>() : "";
      bool correct = false;
      for (const auto& gold : golds) correct = correct || grade(gold, prediction).correct;
      const bool same = correct == line["expected"].get<bool>();
      agree += same ? 1 : 0;
      ++count;
      if (golds.size() == 1 && parse_number(golds[0])) {
        agree_numbers += same ? 1 : 0;
        ++numbers;
      }
      if (!same && std::getenv("LACONIC_SHOW_DISAGREEMENTS") != nullptr)
        printf("%d %s\n", correct ? 1 : 0, line.dump().c_str());
    }
    printf("%-50s %3d of %3d\n", entry.path().filename().c_str(), agree, count);
    agree_all += agree;
    all += count;
  }
  printf("%d of %d, of those with a number as the gold answer %d of %d\n", agree_all, all, agree_numbers, numbers);
  EXPECT_GE(agree_all, 310);
  EXPECT_GE(agree_numbers, 0.88 * numbers);
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
    const auto number = parse_number(line["args"][0].get<std::string>());
    if (line["expected"].is_null()) {
      EXPECT_FALSE(number.has_value()) << line.dump();
    } else {
      ASSERT_TRUE(number.has_value()) << line.dump();
      EXPECT_DOUBLE_EQ(to_double(*number), line["expected"].get<double>()) << line.dump();
    }
    ++checked;
  }
  printf("%d number cases\n", checked);
}

}  // namespace
}  // namespace laconic::rewards
