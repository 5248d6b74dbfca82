// The figures of a suite: means and intervals over seeds and problems, tables and the page.
#include "laconic/trainers/suite_results.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "laconic/trainers/suite_page.h"
#include "laconic/trainers/suite_table.h"
#include "tests/core/metrics/html_check.h"

namespace laconic::trainers {
namespace {

using testing::HasSubstr;

TEST(SuiteEstimate, IsTheMeanWithIntervalsOverSeedsAndProblems) {
  const auto estimate = estimate_over({{1, 0, 1, 0}, {1, 1, 1, 0}});
  EXPECT_DOUBLE_EQ(estimate.mean, 0.625);
  // Seeds: means 0.5 and 0.75, standard error 0.125, t of one degree of freedom 12.706.
  EXPECT_NEAR(estimate.seeds.high - estimate.mean, 12.706 * 0.125, 1e-3);
  // Problems: means 1, 0.5, 1, 0; their deviation is 0.4787, t of three degrees 3.182.
  EXPECT_NEAR(estimate.problems.high - estimate.mean, 3.182 * 0.478714 / 2, 1e-3);
  EXPECT_NEAR(estimate.both.high - estimate.mean,
              std::hypot(estimate.seeds.high - estimate.mean, estimate.problems.high - estimate.mean), 1e-12);
}

TEST(SuiteEstimate, OfOneSeedIsOverProblemsAlone) {
  const auto estimate = estimate_over({{1, 0, 1, 0}});
  EXPECT_TRUE(std::isinf(estimate.seeds.high));
  EXPECT_DOUBLE_EQ(estimate.both.high, estimate.problems.high);
}

TEST(SuiteCurve, IsLinearBetweenItsPointsAndUnknownOutside) {
  const metrics::Series series{"x", {0, 10, 20}, {1.0, 2.0, 4.0}};
  EXPECT_DOUBLE_EQ(value_at(series, 0), 1.0);
  EXPECT_DOUBLE_EQ(value_at(series, 15), 3.0);
  EXPECT_DOUBLE_EQ(value_at(series, 20), 4.0);
  EXPECT_TRUE(std::isnan(value_at(series, 20.5)));
  EXPECT_TRUE(std::isnan(value_at(series, -1)));
}

SuiteRow row(const std::string& method, double accuracy, double tokens) {
  SuiteRow row;
  row.method = method;
  row.seeds = 2;
  row.accuracy = estimate_over({{accuracy, accuracy}, {accuracy, accuracy}});
  row.tokens = estimate_over({{tokens - 1, tokens + 1}, {tokens - 1, tokens + 1}});
  row.parts["easy"] = {1.0, tokens / 2, 0.25};
  row.parts["hard"] = {accuracy / 2, 2 * tokens, 0.0};
  row.training_tokens = 123456;
  const metrics::Series steps{"", {0, 10}, {0.5, accuracy}}, thousands{"", {0, 100}, {0.5, accuracy}};
  row.curves.push_back({kHeldOutAccuracy, steps, thousands});
  row.curves.push_back({kHeldOutTokens, {"", {0, 10}, {50, tokens}}, {"", {0, 100}, {50, tokens}}});
  return row;
}

SuiteResults results_of(int methods) {
  SuiteBaseResult result;
  result.base = "strong<&>";
  result.before = row("", 0.7, 50);
  result.equal_tokens = 50;
  result.seeds = 2;
  for (int i = 0; i < methods; ++i) result.rows.push_back(row("method_" + std::to_string(i), 0.9, 20));
  return {{result}, {{"method_x on strong, seed 1", "status 1: <broken>"}}};
}

TEST(SuiteTable, ComparesWithTheBaseAndAtEqualCost) {
  const auto results = results_of(1);
  const auto table = suite_table(results.bases.front());
  ASSERT_EQ(table.rows.size(), 2u);
  ASSERT_EQ(table.rows[1].size(), table.columns.size());
  EXPECT_EQ(table.rows[0][0], "base");
  EXPECT_EQ(table.rows[1][3], "0.40");
  EXPECT_EQ(table.rows[1][4], "100 / 45");
  EXPECT_EQ(table.rows[1][5], "10 / 40");
  EXPECT_EQ(table.rows[1][7], "70.0 at 35.0");
  SuitePlan plan;
  plan.seeds = 2;
  const auto markdown = suite_markdown(plan, results);
  EXPECT_THAT(markdown, HasSubstr("| method_0 | 90.0 ± 0.0 |"));
  auto partial = results.bases.front();
  partial.seeds = 3;
  EXPECT_EQ(suite_table(partial).rows[1][0], "method_0 (2 of 3 seeds)");
  EXPECT_THAT(markdown, HasSubstr("method_x on strong, seed 1: status 1"));
}

TEST(SuitePage, IsWellFormedForAnyNumberOfMethods) {
  SuitePlan plan;
  plan.settings.title = "A <suite>";
  for (const int methods : {0, 1, 2, 7, 14}) {
    const auto page = render_suite_page(plan, results_of(methods), "laconic suite a.yaml --out 'x'");
    EXPECT_EQ(metrics::markup_mistake(page), "") << methods;
    EXPECT_THAT(page, HasSubstr("strong&lt;&amp;&gt;"));
    if (methods > 0) {
      EXPECT_THAT(page, HasSubstr("method_" + std::to_string(methods - 1)));
    }
  }
}

TEST(SuiteJson, HoldsTheFiguresAndTheFailures) {
  SuitePlan plan;
  const auto json = suite_json(plan, results_of(2));
  EXPECT_EQ(json["bases"][0]["methods"].size(), 2u);
  EXPECT_DOUBLE_EQ(json["bases"][0]["methods"][0]["ratio_to_base"].get<double>(), 0.4);
  EXPECT_EQ(json["bases"][0]["methods"][0]["curves"][kHeldOutAccuracy]["steps"][1], 10);
  EXPECT_EQ(json["failures"][0]["what"], "method_x on strong, seed 1");
}

}  // namespace
}  // namespace laconic::trainers
