// Columns of published sets, with records in the shape that their cards describe.
#include "laconic/core/data/presets.h"

#include <gmock/gmock.h>

#include <set>

#include "laconic/core/data/multiple_choice.h"
#include "tests/core/data/dataset_fixture.h"

namespace laconic::data {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using Json = nlohmann::ordered_json;

class PresetTest : public DatasetTest {
 protected:
  DatasetOptions records(const std::string& preset, const std::vector<std::string>& lines) {
    std::string text;
    for (const auto& line : lines) text += line + "\n";
    auto options = file(preset + ".jsonl", text);
    options.prompt_column.clear();
    options.preset = preset;
    return options;
  }
  Example one(const std::string& preset, const std::string& line) {
    return load_dataset(records(preset, {line})).examples.at(0);
  }
};

constexpr const char* kCountdownOfVerl = R"({"prompt": [{"role": "user", "content": "Make 7."}],)"
                                         R"( "reward_model": {"ground_truth": {"numbers": [3, 4], "target": 7}}})";

TEST_F(PresetTest, EachReadsTheShapeOfItsSet) {
  EXPECT_EQ(one("gsm8k", R"({"question": "q", "answer": "a\n#### 1,000"})").answer, "1,000");
  const auto math = one("math", R"({"problem": "p", "level": "Level 5", "type": "Algebra",)"
                                R"( "solution": "so $\\boxed{\\frac{1}{2}}$."})");
  EXPECT_EQ(math.answer, "\\frac{1}{2}");
  EXPECT_EQ(one("math_500", R"({"problem": "p", "solution": "s", "answer": "3", "unique_id": "test/x/1.json"})").id,
            "test/x/1.json");
  EXPECT_EQ(one("deepscaler", R"({"problem": "p", "answer": "3", "solution": ""})").answer, "3");
  const auto dapo =
      one("dapo_math_17k", R"({"data_source": "math_dapo", "prompt": [{"content": "Solve.", "role": "user"}],)"
                           R"( "ability": "MATH", "reward_model": {"ground_truth": "34", "style": "rule"},)"
                           R"( "extra_info": {"index": "9a9b"}})");
  EXPECT_EQ(dapo.prompt, "Solve.");
  EXPECT_EQ(dapo.answer, "34");
  EXPECT_EQ(one("deepmath_103k", R"({"question": "q", "final_answer": "0", "difficulty": 4.5})").answer, "0");
  EXPECT_EQ(one("openr1_math", R"({"problem": "p", "solution": "s", "answer": "x", "uuid": "u"})").answer, "x");
  for (const std::string line : {R"({"id": 60, "problem": "p", "solution": "s", "answer": "204", "year": "2024"})",
                                 R"({"ID": 60, "Problem": "p", "Solution": "s", "Answer": 204})"}) {
    EXPECT_EQ(one("aime", line).answer, "204");
    EXPECT_EQ(one("aime", line).id, "60");
  }
  EXPECT_EQ(one("aime", R"({"question": "q", "answer": "204"})").id, "aime:0");
  EXPECT_EQ(one("aime", R"({"ID": "1983-1", "Question": "q", "Answer": 60, "Part": null})").answer, "60");
  EXPECT_EQ(one("aime", R"({"id": 60, "problem": "p", "solution": "\\boxed{204}", "url": "u"})").answer, "204");
  EXPECT_THAT(error_of(records("aime", {R"({"problem": "p", "solution": ["\\boxed{204}"]})"})),
              HasSubstr("column `solution` must be a string or a number, found array"));
  EXPECT_EQ(one("amc", R"({"id": 0, "problem": "p", "answer": 142.0, "url": "u"})").answer, "142.0");
}

TEST_F(PresetTest, CountdownMakesThePrompt) {
  const auto numbers = one("countdown", R"({"target": 98, "nums": [44, 19, 35]})");
  EXPECT_THAT(numbers.prompt, AllOf(HasSubstr("numbers 44, 19, 35 once"), HasSubstr("equals 98")));
  EXPECT_EQ(numbers.answer, R"({"numbers":[44,19,35],"target":98})");
  EXPECT_EQ(one("countdown", R"({"input": "30,100,93", "output": "23"})").answer,
            R"({"numbers":"30,100,93","target":"23"})");
  auto options = records("countdown", {R"({"target": 98, "nums": [44, {}]})"});
  EXPECT_THAT(error_of(options), HasSubstr("column `nums` must be a string or a number, found object"));
  EXPECT_EQ(one("countdown", kCountdownOfVerl).answer, R"({"numbers":[3,4],"target":7})");
}

TEST_F(PresetTest, IfevalTakesBothColumnsOfItsInstructions) {
  const auto example =
      one("ifeval", R"({"key": 1000, "prompt": "Write.", "instruction_id_list": ["punctuation:no_comma"],)"
                    R"( "kwargs": [{"num_words": null}]})");
  EXPECT_EQ(example.id, "1000");
  EXPECT_EQ(example.prompt, "Write.");
  EXPECT_EQ(example.answer, R"({"instruction_id_list":["punctuation:no_comma"],"kwargs":[{"num_words":null}]})");
  EXPECT_THAT(error_of(records("ifeval", {R"({"key": 1, "prompt": "p", "instruction_id_list": []})"})),
              HasSubstr("no column `kwargs`"));
}

const char* const kGpqa =
    R"({"Record ID": "rec1", "Question": "Which?", "Correct Answer": "right", "Incorrect Answer 1": "wrong 1",)"
    R"( "Incorrect Answer 2": "wrong 2\n", "Incorrect Answer 3": "wrong 3"})";

TEST_F(PresetTest, GpqaPutsTheOptionsInAnOrderOfTheSeed) {
  std::set<std::string> letters;
  for (uint64_t seed = 0; seed < 40; ++seed) {
    auto options = records("gpqa", {kGpqa});
    options.choice_seed = seed;
    const auto example = load_dataset(options).examples.at(0);
    EXPECT_EQ(example.id, "rec1");
    EXPECT_THAT(example.prompt, testing::StartsWith("Which?\n\nA) "));
    EXPECT_THAT(example.prompt, HasSubstr("\n" + example.answer + ") right"));
    for (const char* option : {"wrong 1", "wrong 2", "wrong 3"}) EXPECT_THAT(example.prompt, HasSubstr(option));
    letters.insert(example.answer);
    EXPECT_EQ(example.prompt, load_dataset(options).examples.at(0).prompt) << "the same for the same seed";
  }
  EXPECT_EQ(letters.size(), 4u);
  std::string missing = kGpqa;
  missing.replace(missing.find("\"Incorrect Answer 3\""), 20, "\"Incorrect\"");
  EXPECT_THAT(error_of(records("gpqa", {missing})), HasSubstr("no column `Incorrect Answer 3`"));
}

TEST_F(PresetTest, ChoicesOfOnesOwnColumns) {
  auto options = file("a.csv", "q,good,bad,worse\nWhich?,x,y,z\nAnd?,x,, \n");
  options.prompt_column = "q";
  options.answer_column = "good";
  options.choice_columns = {"bad", "worse"};
  EXPECT_THAT(error_of(options), HasSubstr("a.csv:3: the option in column `bad` is empty"));
  options.limit = 1;
  EXPECT_THAT(load_dataset(options).examples.at(0).answer, testing::AnyOf("A", "B", "C"));
  options.answer_column.clear();
  EXPECT_THAT(error_of(options), HasSubstr("choice_columns needs answer_column"));
}

TEST(MultipleChoice, EveryPlaceIsEquallyLikely) {
  std::vector<int> count(4, 0);
  for (int i = 0; i < 4000; ++i)
    ++count[static_cast<size_t>(multiple_choice("q" + std::to_string(i), "r", {"a", "b", "c"}, 7).answer[0] - 'A')];
  for (const int n : count) EXPECT_NEAR(n, 1000, 150);
}

TEST_F(PresetTest, AMissingColumnNamesTheAlternatives) {
  EXPECT_THAT(error_of(records("aime", {R"({"q": "p", "answer": "1"})"})),
              HasSubstr("no column `problem` or `Problem` or `question` or `Question`; the record has q, answer"));
  EXPECT_THAT(error_of(records("dapo_math_17k", {R"({"prompt": "p", "reward_model": {"truth": 1}})"})),
              HasSubstr("no column `reward_model.ground_truth`"));
}

TEST_F(PresetTest, ColumnsOfOnesOwnGoOverThoseOfThePreset) {
  auto options = records("gsm8k", {R"({"question": "q", "text": "t", "answer": "a", "short": "5"})"});
  options.answer_column = "short";  // and is not looked through for ####
  EXPECT_EQ(load_dataset(options).examples.at(0).answer, "5");
  options.prompt_column = "text";
  EXPECT_EQ(load_dataset(options).examples.at(0).prompt, "t");
}

TEST(Columns, PathsThroughObjects) {
  const Json record = Json::parse(R"({"a.b": 1, "a": {"b": 2, "c.d": {"e": 3}}})");
  EXPECT_EQ(*find_column(record, {"a.b"}), 1) << "a name with a dot comes first";
  EXPECT_EQ(*find_column(record, {"a.c.d.e"}), 3);
  EXPECT_EQ(*find_column(record, {"x", "a.b"}), 1);
  EXPECT_EQ(find_column(record, {"a.x"}), nullptr);
  EXPECT_EQ(find_column(record, {"a.b.c"}), nullptr);
}

TEST(Presets, AreToldFromTheColumns) {
  const auto guess = [](const char* record) { return guess_preset(Json::parse(record)).value_or("none"); };
  EXPECT_EQ(guess(R"({"question": "q", "answer": "#### 1"})"), "gsm8k");
  EXPECT_EQ(guess(R"({"question": "q", "answer": "1"})"), "aime");
  EXPECT_EQ(guess(R"({"problem": "p", "solution": "\\boxed{1}"})"), "math");
  EXPECT_EQ(guess(R"({"problem": "p", "solution": "\\boxed{1}", "answer": "1"})"), "deepscaler");
  EXPECT_EQ(guess(R"({"problem": "p", "answer": "1", "unique_id": "u"})"), "math_500");
  EXPECT_EQ(guess(R"({"prompt": [], "reward_model": {"ground_truth": "1"}})"), "dapo_math_17k");
  EXPECT_EQ(guess(kGpqa), "gpqa");
  EXPECT_EQ(guess(R"({"nums": [1], "target": 1})"), "countdown");
  EXPECT_EQ(guess(kCountdownOfVerl), "countdown");
  EXPECT_EQ(guess(R"({"question": "q", "choices": ["a", "b"], "answer": 1})"), "none") << "q is not the whole prompt";
  EXPECT_EQ(guess(R"({"body": "b", "question": "q", "answer": "1"})"), "none");
  EXPECT_EQ(guess(R"({"context": null, "question": "q", "answer": "1"})"), "aime");
  EXPECT_EQ(guess(R"({"key": 1, "prompt": "p", "instruction_id_list": [], "kwargs": []})"), "ifeval");
  EXPECT_EQ(guess(R"({"text": "t"})"), "none");
}

}  // namespace
}  // namespace laconic::data
