#include "laconic/core/metrics/series.h"

#include <gmock/gmock.h>

#include <cmath>
#include <fstream>
#include <string>

#include "laconic/core/base/error.h"
#include "laconic/core/metrics/run_folder.h"
#include "tests/support/temporary_folder.h"

namespace laconic::metrics {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

SeriesTable table_of(const TemporaryFolder& folder, const std::string& text) {
  std::ofstream(folder / "m.jsonl") << text;
  return load_series(folder / "m.jsonl");
}

std::string error_of(const TemporaryFolder& folder, const std::string& text) {
  try {
    table_of(folder, text);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input);
    return error.what();
  }
  return "no error";
}

TEST(Series, ReadsWhatARunWrote) {
  const TemporaryFolder folder;
  {
    RunFolder run(folder / "run", {.tensorboard = false});
    for (int64_t step = 1; step <= 3; ++step) {
      MetricRow row(step);
      row.set("reward/mean", 0.5 * static_cast<double>(step));
      if (step == 2) row.set("eval/accuracy", std::nan(""));
      row.set("throughput/tokens_per_s", 100);
      run.log(row);
    }
  }
  const auto table = load_run_series(folder / "run");
  EXPECT_THAT(table.notes, IsEmpty());
  ASSERT_NE(table.find("reward/mean"), nullptr);
  EXPECT_THAT(table.find("reward/mean")->steps, ElementsAre(1, 2, 3));
  EXPECT_THAT(table.find("reward/mean")->values, ElementsAre(0.5, 1.0, 1.5));
  EXPECT_THAT(table.find("eval/accuracy")->steps, ElementsAre(2));
  EXPECT_TRUE(std::isnan(table.find("eval/accuracy")->values[0]));
  EXPECT_THAT(table.find("throughput/tokens_per_s")->values, ElementsAre(100, 100, 100));
  EXPECT_EQ(table.find("absent"), nullptr);
}

TEST(Series, TakesTheNumbersOfEvaluations) {
  const TemporaryFolder folder;
  std::ofstream(folder / "metrics.jsonl") << "{\"step\":1,\"reward/mean\":1}\n";
  std::ofstream(folder / "evaluations.jsonl")
      << R"({"step":0,"accuracy":0.5,"accuracy_interval_95":[0.4,0.6],"examples":[{}]})"
      << "\n"
      << R"({"step":20,"accuracy":0.75,"mean_tokens":"NaN"})"
      << "\n";
  const auto table = load_run_series(folder.path());
  EXPECT_THAT(table.notes, IsEmpty());
  EXPECT_EQ(table.series.size(), 3U);
  EXPECT_THAT(table.find("eval/accuracy")->steps, ElementsAre(0, 20));
  EXPECT_THAT(table.find("eval/accuracy")->values, ElementsAre(0.5, 0.75));
  EXPECT_THAT(table.find("eval/mean_tokens")->steps, ElementsAre(20));
}

TEST(Series, NamesNonFiniteValuesAndLeavesOtherTextsOut) {
  const TemporaryFolder folder;
  const auto table = table_of(folder,
                              "{\"step\":1,\"a\":\"Infinity\",\"b\":\"hello\",\"c\":null,\"d\":true}\n{\"step\":2,"
                              "\"a\":\"-Infinity\"}\n{\"ste");
  EXPECT_THAT(table.find("a")->values, ElementsAre(HUGE_VAL, -HUGE_VAL));
  EXPECT_EQ(table.series.size(), 1U);
  EXPECT_THAT(table.notes, ElementsAre(HasSubstr("the last line (3) is cut off"), HasSubstr("`b`"), HasSubstr("`c`"),
                                       HasSubstr("`d`")));
}

TEST(Series, PutsStepsInOrderAndKeepsTheLastOfEach) {
  const TemporaryFolder folder;
  const auto table =
      table_of(folder, "{\"step\":2,\"a\":2}\n{\"step\":1,\"a\":1}\n{\"step\":2,\"a\":20}\n{\"step\":3,\"a\":3}\n");
  EXPECT_THAT(table.find("a")->steps, ElementsAre(1, 2, 3));
  EXPECT_THAT(table.find("a")->values, ElementsAre(1, 20, 3));
  EXPECT_THAT(table.notes, ElementsAre("m.jsonl: 1 steps stand there twice; the last counts"));
}

TEST(Series, NamesFileAndLineOfAForeignRow) {
  const TemporaryFolder folder;
  EXPECT_THAT(error_of(folder, "{\"step\":1}\n\n{\"a\":1}\n"), HasSubstr("m.jsonl:3: expected an integer \"step\""));
  EXPECT_THAT(error_of(folder, "{\"step\":1.5}\n"), HasSubstr("m.jsonl:1: expected an integer \"step\""));
  EXPECT_THAT(error_of(folder, "{\"step\":1}\n{\"step\":\n{\"step\":3}\n"), HasSubstr("m.jsonl:2: not valid JSON"));
  EXPECT_THAT(error_of(folder, "[1]\n"), HasSubstr("m.jsonl:1: expected a JSON object"));
  EXPECT_THAT(table_of(folder, "").series, IsEmpty());
}

}  // namespace
}  // namespace laconic::metrics
