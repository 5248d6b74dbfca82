// Reward terms against the cases that others have published, and the golden numbers of their papers.
#include "laconic/rewards/terms.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "laconic/core/base/error.h"
#include "laconic/rewards/format.h"
#include "laconic/rewards/grade.h"
#include "laconic/rewards/repetition_terms.h"
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

// One value, or the member that a result path like "[1]" names.
size_t index_of(const Json& published) {
  const std::string path = published.value("result_path", "[0]");
  return path.size() > 1 && path[1] >= '0' && path[1] <= '9' ? static_cast<size_t>(path[1] - '0') : 0;
}

double number_of(const Json& expected, size_t index) {
  if (expected.is_array()) return number_of(expected[index], 0);
  return expected.is_object() ? expected.at("approx").get<double>() : expected.get<double>();
}

TEST(CosineLengthTerm, GoldenNumbers) {
  const CosineLength shape;
  const int64_t limit = 14336;
  const struct {
    int64_t length;
    double correct, wrong;
  } golden[] = {{0, 2, -10}, {3584, 1.8536, -8.5355}, {7168, 1.5, -5}, {14000, 1.0014, -0.0135}, {14320, -10, -10}};
  for (const auto& [length, correct, wrong] : golden) {
    EXPECT_NEAR(cosine_length(shape, true, length, limit), correct, 1e-4) << length;
    EXPECT_NEAR(cosine_length(shape, false, length, limit), wrong, 1e-4) << length;
  }
}

TEST(CosineLengthTerm, PublishedCases) {
  const auto path = LACONIC_TEST_DATA_OR_SKIP("reward_cases/reward_cases_open_r1.jsonl");
  int checked = 0;
  for (const auto& published : read_lines(path)) {
    if (published["function"] != "get_cosine_scaled_reward") continue;
    const Json& options = published["constructor"]["kwargs"];
    const std::string text = published["args"][0][0][0]["content"], gold = published["args"][1][0];
    CosineLength shape;
    shape.correct_begin = options["max_value_correct"];
    shape.correct_end = options["min_value_correct"];
    // The origin swaps the two for wrong answers.
    shape.wrong_begin = options["min_value_wrong"];
    shape.wrong_end = options["max_value_wrong"];
    shape.margin = -1;
    const bool correct = grade(gold, text).correct;
    const double value = cosine_length(shape, correct, static_cast<int64_t>(text.size()), options["max_len"]);
    EXPECT_NEAR(value, published["expected"].get<double>(), 1e-3) << published.dump();
    ++checked;
  }
  EXPECT_EQ(checked, 4);
}

TEST(OverlongTerm, PublishedCasesAndSpecification) {
  EXPECT_EQ(soft_overlong(16384, 20480, 4096), 0);
  EXPECT_EQ(soft_overlong(18432, 20480, 4096), -0.5);
  EXPECT_EQ(soft_overlong(20480, 20480, 4096), -1);
  EXPECT_EQ(soft_overlong(20481, 20480, 4096), -1);
  EXPECT_EQ(soft_overlong(20481, 20480, 0), 0);
  const auto folder = LACONIC_TEST_DATA_OR_SKIP("reward_cases");
  int checked = 0;
  for (const char* file : {"reward_cases_open_r1.jsonl", "reward_cases_trl.jsonl"}) {
    for (const auto& published : read_lines(folder / file)) {
      if (published["function"] != "get_soft_overlong_punishment") continue;
      const Json& options = published["constructor"]["kwargs"];
      const Json& ids = published["args"].empty() ? published["kwargs"]["completion_ids"][0] : published["args"][0][0];
      const double value =
          soft_overlong(static_cast<int64_t>(ids.size()), options["max_completion_len"], options["soft_punish_cache"]);
      const std::string result = published.value("result_path", "");
      const double expected = result.find("abs") != std::string::npos ? -0.5 : number_of(published["expected"], 0);
      EXPECT_DOUBLE_EQ(value, expected) << published.dump();
      ++checked;
    }
  }
  EXPECT_EQ(checked, 6);
}

TEST(RepetitionTerm, PublishedCases) {
  const auto folder = LACONIC_TEST_DATA_OR_SKIP("reward_cases");
  int checked = 0;
  for (const auto& published : read_lines(folder / "reward_cases_open_r1.jsonl")) {
    if (published["function"] != "get_repetition_penalty_reward") continue;
    const Json& options = published["constructor"]["kwargs"];
    if (options.value("language", "en") != "en") continue;  // needs the words of Chinese
    const size_t index = index_of(published);
    const auto value = [&](size_t i) {
      return repetition_penalty(std::string_view(published["args"][0][i][0]["content"].get_ref<const std::string&>()),
                                options["ngram_size"], options["max_penalty"]);
    };
    const Json& expected = published["expected"];
    const bool other = expected.is_object();  // equal to that of the other completion
    EXPECT_NEAR(value(index), other ? value(1) : number_of(expected, index), 1e-4) << published.dump();
    ++checked;
  }
  for (const auto& published : read_lines(folder / "reward_cases_trl.jsonl")) {
    if (published["function"] != "get_repetition_penalty_reward") continue;
    const Json& options = published["constructor"]["kwargs"];
    for (size_t i = 0; i < published["args"][0].size(); ++i) {
      const auto ids = published["args"][0][i].get<std::vector<int32_t>>();
      EXPECT_NEAR(repetition_penalty(std::span<const int32_t>(ids), options["ngram_size"], options["max_penalty"]),
                  number_of(published["expected"], i), 1e-9)
          << published.dump();
    }
    ++checked;
  }
  EXPECT_EQ(checked, 18 + 12);
}

TEST(RepetitionTerm, MarksTheTokensOfARepeatedNgram) {
  const std::vector<int32_t> ids = {1, 2, 3, 1, 2, 3, 4};
  EXPECT_THAT(repeated_tokens(ids, 3, -0.05), testing::ElementsAre(0, 0, 0, -0.05, -0.05, -0.05, 0));
  EXPECT_THAT(repeated_tokens(std::vector<int32_t>{7, 7, 7, 7}, 2, -1), testing::ElementsAre(0, -1, -1, -1));
  EXPECT_THAT(repeated_tokens(ids, 8, -1), testing::Each(0));
  const std::vector<int32_t> loop(100000, 5);
  EXPECT_NEAR(repetition_penalty(std::span<const int32_t>(loop), 40, -1), -1, 1e-4);
}

TEST(RelativeLengthTerm, PublishedCases) {
  EXPECT_THAT(relative_lengths(std::vector<int64_t>{200, 400, 600}, {true, true, true}),
              testing::ElementsAre(0.5, 0, -0.5));
  EXPECT_THAT(relative_lengths(std::vector<int64_t>{200, 400, 600}, {false, false, false}),
              testing::ElementsAre(0, 0, -0.5));
  const auto path = LACONIC_TEST_DATA_OR_SKIP("reward_cases/reward_cases_open_r1.jsonl");
  int checked = 0;
  for (const auto& published : read_lines(path)) {
    if (published["function"] != "len_reward") continue;
    std::vector<int64_t> lengths;
    std::vector<bool> correct;
    for (size_t i = 0; i < published["args"][0].size(); ++i) {
      const std::string text = published["args"][0][i][0]["content"], gold = published["args"][1][i];
      lengths.push_back(static_cast<int64_t>(text.size()));
      // The origin gives the benefit of the doubt where the gold answer cannot be read.
      correct.push_back(gold == "unparseable_latex" || grade(gold, text).correct);
    }
    const auto values = relative_lengths(lengths, correct);
    const std::string path_text = published.value("result_path", "");
    if (path_text.empty()) {
      EXPECT_EQ(values, published["expected"].get<std::vector<double>>()) << published.dump();
    } else {
      const double value = values[index_of(published)];
      const Json& expected = published["expected"];
      if (published["op"] == "~=") {
        EXPECT_NEAR(value, expected.get<double>(), 1e-9) << published.dump();
      } else if (expected.is_number()) {
        EXPECT_GT(value, expected.get<double>()) << published.dump();
      } else {
        const std::string symbol = expected["sym"];
        EXPECT_GT(value, values[static_cast<size_t>(symbol[symbol.rfind('[') + 1] - '0')]) << published.dump();
      }
    }
    ++checked;
  }
  EXPECT_EQ(checked, 10);
}

TEST(FormatTerms, PublishedCasesOfThinkingAndSteps) {
  const auto folder = LACONIC_TEST_DATA_OR_SKIP("reward_cases");
  int thinking = 0, steps = 0;
  for (const auto& published : read_lines(folder / "reward_cases_torchforge.jsonl")) {
    if (published["function"] != "ThinkingReward" || published["args"].size() < 2) continue;
    const std::string text = published["args"][1].is_string() ? published["args"][1].get<std::string>() : "";
    double full = 1, partial = 0.2;
    if (published.contains("constructor")) {
      full = published["constructor"]["kwargs"].value("full_reward", full);
      partial = published["constructor"]["kwargs"].value("partial_reward", partial);
    }
    EXPECT_EQ(thinking_content(text, full, partial), published["expected"].get<double>()) << published.dump();
    ++thinking;
  }
  for (const auto& published : read_lines(folder / "reward_cases_open_r1.jsonl")) {
    if (published["function"] != "reasoning_steps_reward") continue;
    const std::string text = published["args"][0][0][0]["content"];
    EXPECT_NEAR(reasoning_steps(text), published["expected"].get<double>(), 1e-9) << published.dump();
    ++steps;
  }
  EXPECT_EQ(thinking, 31);
  EXPECT_EQ(steps, 5);
}

TEST(Terms, ByName) {
  const Verdict verdict{
      .correct = true, .format_ok = true, .answer_found = true, .truncated = false, .answer = "5", .reason = ""};
  const std::vector<int32_t> ids = {1, 1, 1, 1};
  const TermInput input{"a</think>\\boxed{5}\n#### 5", "<think>", ids, 4, 8, &verdict};
  TermOptions options;
  options.overlong_buffer = 8;
  options.repetition = {.ngram = 1, .max_penalty = -2, .words = false};
  options.cosine.margin = -1;
  EXPECT_EQ(term("correct", input, options), 1);
  EXPECT_EQ(term("answer_found", input, options), 1);
  EXPECT_EQ(term("format", input, options), 1);
  EXPECT_EQ(term("boxed", input, options), 1);
  EXPECT_EQ(term("hash", input, options), 1);
  EXPECT_EQ(term("overlong", input, options), -0.5);
  EXPECT_EQ(term("repetition", input, options), -1.5);
  EXPECT_EQ(term("cosine_length", input, options), 1.5);
  for (const auto& name : term_names()) {
    if (is_group_term(name)) continue;
    EXPECT_NO_THROW(term(name, input, options)) << name;
  }
  try {
    term("boxd", input, options);
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("did you mean `boxed`"));
  }
}

}  // namespace
}  // namespace laconic::rewards
