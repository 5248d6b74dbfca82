// Data sets exactly as they were published.
#include <gmock/gmock.h>

#include <filesystem>
#include <set>
#include <string>

#include "laconic/core/base/error.h"
#include "laconic/core/data/dataset.h"
#include "tests/support/test_data.h"

namespace laconic::data {
namespace {

using testing::HasSubstr;

Dataset published(const std::filesystem::path& path, const char* preset) {
  DatasetOptions options;
  options.path = path;
  options.preset = preset;
  return load_dataset(options);
}

TEST(PublishedDatasets, Gsm8kAsItIs) {
  const auto path = LACONIC_TEST_DATA_OR_SKIP("math/gsm8k_train.jsonl.gz");
  const auto train = published(path, "gsm8k");
  ASSERT_EQ(train.examples.size(), 7473u);
  const auto test = published(*test_data("math/gsm8k_test.jsonl.gz"), "gsm8k");
  ASSERT_EQ(test.examples.size(), 1319u);
  EXPECT_EQ(test.examples[0].answer, "18");
  EXPECT_EQ(test.examples[0].id, "gsm8k_test:0");
  std::set<std::string> prompts;
  for (const auto& example : train.examples) {
    prompts.insert(example.prompt);
    EXPECT_EQ(example.answer.find_first_not_of("-0123456789,."), std::string::npos) << example.answer;
  }
  for (const auto& example : test.examples) EXPECT_EQ(prompts.count(example.prompt), 0u);
}

TEST(PublishedDatasets, OthersByTheirPresets) {
  const auto path = LACONIC_TEST_DATA_OR_SKIP("math/math500.jsonl.gz");
  const auto math = published(path, "math_500");
  EXPECT_EQ(math.examples.size(), 500u);
  EXPECT_EQ(math.examples[0].id, "test/precalculus/807.json");
  // Published with a few answers that are null: a reason to stop, or counted.
  DatasetOptions deepscaler;
  deepscaler.path = *test_data("math/deepscaler_part_math_train.jsonl.gz");
  deepscaler.preset = "deepscaler";
  EXPECT_THROW(load_dataset(deepscaler), Error);
  deepscaler.on_error = OnError::skip;
  const auto skipping = load_dataset(deepscaler);
  EXPECT_EQ(skipping.examples.size() + skipping.skipped, 7474u);
  EXPECT_LT(skipping.skipped, 10u);
  EXPECT_THAT(skipping.first_skipped.at(0).reason, HasSubstr("found null"));
  DatasetOptions game;
  game.path = *test_data("math/game24.csv");
  game.prompt_column = "Puzzles";
  EXPECT_GT(load_dataset(game).examples.size(), 1000u);
}

TEST(PublishedDatasets, CountdownWithItsOwnColumnNames) {
  DatasetOptions options;
  options.path = LACONIC_TEST_DATA_OR_SKIP("math/countdown_cd3_test.jsonl");
  options.prompt_column = "input";
  options.answer_column = "output";
  options.prompt_template = "Make the target from {prompt}.";
  const auto data = load_dataset(options);
  ASSERT_EQ(data.examples.size(), 256u);
  EXPECT_EQ(data.examples[0].prompt, "Make the target from 30,100,93.");
  EXPECT_EQ(data.examples[0].answer, "23");
  EXPECT_EQ(data.examples[255].id, "countdown_cd3_test:255");
  DatasetOptions preset;
  preset.path = options.path;
  preset.preset = "countdown";
  EXPECT_EQ(load_dataset(preset).examples[0].answer, R"({"numbers":"30,100,93","target":"23"})");
  options.preset = "gsm8k";  // another data set's columns: the message says what there is
  options.prompt_column.clear();
  options.answer_column.clear();
  try {
    load_dataset(options);
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(),
                HasSubstr("countdown_cd3_test.jsonl:1: no column `question`; the record has input, output"));
  }
}

}  // namespace
}  // namespace laconic::data
