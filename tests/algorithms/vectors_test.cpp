// The worked vectors of the algorithms' documentation, one case per line of vectors.jsonl, run as a recorded step.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "laconic/algorithms/recorded_step.h"
#include "laconic/core/base/error.h"
#include "laconic/core/base/rng.h"

namespace laconic::algorithms {
namespace {

using Json = nlohmann::ordered_json;

void expect_close(const Json& got, const Json& expected, double tolerance, const std::string& where) {
  if (expected.is_array()) {
    ASSERT_TRUE(got.is_array()) << where << ": " << got.dump();
    ASSERT_EQ(got.size(), expected.size()) << where << ": " << got.dump();
    for (size_t i = 0; i < expected.size(); ++i)
      expect_close(got[i], expected[i], tolerance, where + "[" + std::to_string(i) + "]");
  } else if (expected.is_number()) {
    ASSERT_TRUE(got.is_number()) << where << ": " << got.dump();
    EXPECT_NEAR(got.get<double>(), expected.get<double>(), tolerance) << where;
  } else {
    EXPECT_EQ(got, expected) << where;
  }
}

TEST(RecordedStep, WorkedVectors) {
  std::ifstream file(std::string(LACONIC_SOURCE_DIR) + "/tests/algorithms/vectors.jsonl");
  ASSERT_TRUE(file);
  std::string line;
  int cases = 0;
  while (std::getline(file, line)) {
    const Json test = Json::parse(line);
    SCOPED_TRACE(test["name"].get<std::string>());
    try {
      const Json output = score_recorded_step(test["input"]);
      for (const auto& [key, expected] : test["expect"].items()) {
        ASSERT_TRUE(output.contains(key)) << key;
        expect_close(output[key], expected, test["tolerance"].get<double>(), key);
      }
    } catch (const Error& error) {
      ADD_FAILURE() << error.what();
    }
    ++cases;
  }
  EXPECT_GE(cases, 80);
}

// Every kind of loss on a random step: the analytic gradient against central differences.
TEST(RecordedStep, GradientsMatchDifferences) {
  const std::vector<Json> losses = {{{"kind", "clipped"}},
                                    {{"kind", "clipped"}, {"dual_clip", 3.0}},
                                    {{"kind", "clipped"}, {"ratio", "sequence_mean"}},
                                    {{"kind", "clipped"}, {"ratio", "sequence_product"}, {"aggregation", "seq_sum"}},
                                    {{"kind", "sapo"}},
                                    {{"kind", "sapo"}, {"ratio", "sequence_mean"}},
                                    {{"kind", "reinforce"}},
                                    {{"kind", "clipped"}, {"aggregation", "group_token_mean"}},
                                    {{"kind", "clipped"}, {"ratio_cap", 1.5}}};
  const std::vector<Json> divergences = {{{"coefficient", 0.0}},
                                         {{"coefficient", 0.3}, {"estimator", "k1"}},
                                         {{"coefficient", 0.3}, {"estimator", "k2"}},
                                         {{"coefficient", 0.3}, {"estimator", "k3"}},
                                         {{"coefficient", 0.3}, {"estimator", "k3"}, {"weight_by_ratio", true}}};
  Rng rng(DrawPurpose::procedural_data, {11});
  const auto draws = [&rng](size_t n, double spread) {
    Json values = Json::array();
    for (size_t i = 0; i < n; ++i) values.push_back(-1.0 + spread * rng.normal());
    return values;
  };
  for (const auto& loss : losses) {
    for (const auto& kl : divergences) {
      Json step = {{"objective", {{"name", "grpo"}, {"loss", loss}, {"kl", kl}, {"mismatch", {{"mode", "truncate"}}}}},
                   {"groups", Json::array()}};
      for (int g = 0; g < 2; ++g) {
        Json completions = Json::array();
        for (size_t length : {3u, 1u, 5u}) {
          completions.push_back({{"reward", rng.normal()},
                                 {"logp", draws(length, 0.3)},
                                 {"logp_old", draws(length, 0.3)},
                                 {"logp_ref", draws(length, 0.3)},
                                 {"logp_rollout", draws(length, 0.3)}});
        }
        step["groups"].push_back({{"prompt_id", std::to_string(g)}, {"completions", completions}});
      }
      SCOPED_TRACE(step["objective"].dump());
      const Json output = score_recorded_step(step);
      for (size_t g = 0; g < 2; ++g) {
        for (size_t i = 0; i < 3; ++i) {
          for (size_t t = 0; t < output["grad"][g][i].size(); ++t) {
            constexpr double kStep = 1e-6;
            const auto loss_at = [&](double shift) {
              Json moved = step;
              auto& value = moved["groups"][g]["completions"][i]["logp"][t];
              value = value.get<double>() + shift;
              return score_recorded_step(moved)["loss"].get<double>();
            };
            EXPECT_NEAR(output["grad"][g][i][t].get<double>(), (loss_at(kStep) - loss_at(-kStep)) / (2 * kStep), 1e-7);
          }
        }
      }
    }
  }
}

TEST(RecordedStep, WhatIsWrongIsNamed) {
  const auto message = [](const Json& input) -> std::string {
    try {
      score_recorded_step(input);
      return "";
    } catch (const Error& error) {
      return error.what();
    }
  };
  using testing::HasSubstr;
  const Json completion = {{"reward", 1.0}, {"logp", {-1.0, -1.0}}};
  const auto step = [](const Json& objective, const Json& one) {
    return Json{{"objective", objective}, {"groups", {{{"prompt_id", "a"}, {"completions", {one, one}}}}}};
  };
  EXPECT_THAT(message(step({{"name", "grop"}}, completion)), HasSubstr("grpo"));
  EXPECT_THAT(message(step({{"name", "grpo"}, {"los", 1}}, completion)), HasSubstr("loss"));
  EXPECT_THAT(message(step({{"name", "grpo"}, {"kl", {{"coefficient", 0.1}}}}, completion)), HasSubstr("logp_ref"));
  EXPECT_THAT(message(step({{"name", "grpo"}, {"entropy_bonus", 0.1}}, completion)), HasSubstr("entropy"));
  EXPECT_THAT(message(step({{"name", "grpo"}, {"mismatch", {{"mode", "truncate"}}}}, completion)),
              HasSubstr("logp_rollout"));
  EXPECT_THAT(message(step({{"name", "grpo"}}, {{"reward", 1.0}, {"logp", {-1.0}}, {"logp_old", {-1.0, -2.0}}})),
              HasSubstr("logp_old"));
  EXPECT_THAT(message(step({{"name", "grpo"}}, {{"rewrd", 1.0}})), HasSubstr("reward"));
  EXPECT_THAT(message(step({{"name", "grpo"}}, {{"reward", "x"}})), HasSubstr("a number"));
  EXPECT_THAT(message(step({{"name", "grpo"}, {"reward_weights", {{"fast", 1.0}}}},
                           {{"rewards", {{"fats", 1.0}}}, {"length", 1}})),
              HasSubstr("fats"));
  EXPECT_THAT(message({{"objective", {{"name", "grpo"}}}}), HasSubstr("groups"));
}

// What an objective needs and a line lacks, or holds out of its range, is never replaced by a guess.
TEST(RecordedStep, NothingStandsForWhatIsAbsent) {
  const auto message = [](const Json& objective, const Json& one, const Json& more = Json::object()) -> std::string {
    Json step = {{"objective", objective},
                 {"groups", {{{"prompt_id", "a"}, {"reference_pass_rate", 0.5}, {"completions", {one, one}}}}}};
    step.merge_patch(more);
    try {
      score_recorded_step(step);
      return "";
    } catch (const Error& error) {
      return error.what();
    }
  };
  using testing::HasSubstr;
  const Json grpo = {{"name", "grpo"}}, right = {{"verdict", {{"correct", true}}}, {"length", 3}};
  const auto with = [](Json json, const Json& more) {
    json.merge_patch(more);
    return json;
  };
  EXPECT_EQ(message(grpo, right), "");
  EXPECT_THAT(message(grpo, {{"length", 3}}), HasSubstr("`reward` or `verdict`"));
  EXPECT_THAT(message(grpo, {{"rewards", {{"x", 1.0}}}, {"length", 3}}), HasSubstr("reward_weights"));
  EXPECT_THAT(message(grpo, {{"verdict", Json::object()}, {"length", 3}}), HasSubstr("verdict.correct"));
  EXPECT_THAT(message(with(grpo, {{"filter", {{"keep", "mixed_correct"}}}}), {{"reward", 1.0}, {"length", 3}}),
              HasSubstr("verdict"));
  EXPECT_THAT(message(grpo, with(right, {{"thinking_end", 3}})), HasSubstr("thinking_end"));
  EXPECT_THAT(message(grpo, with(right, {{"thinking_end", -1}})), HasSubstr("thinking_end"));
  EXPECT_THAT(message(grpo, with(right, {{"exit_position", -1}})), HasSubstr("exit_position"));
  EXPECT_THAT(message(grpo, with(right, {{"ids", {1.5, 2, 3}}})), HasSubstr("ids"));
  EXPECT_THAT(message(grpo, right, {{"max_completion_tokens", 3.5}}), HasSubstr("max_completion_tokens"));
  EXPECT_THAT(
      message({{"name", "adaptthink"}}, right, {{"groups", {{{"reference_pass_rate", 75}, {"completions", {right}}}}}}),
      HasSubstr("reference_pass_rate"));
  const Json shaped = with(grpo, {{"overlong", {{"buffer", 4}}}});
  EXPECT_THAT(message(shaped, right), HasSubstr("max_completion_tokens"));
  EXPECT_EQ(message(shaped, right, {{"max_completion_tokens", 8}}), "");
}

TEST(RecordedStep, NormalizeThenSumTakesNamedRewardsAlone) {
  const auto message = [](const Json& more, const Json& one) -> std::string {
    Json objective = {{"name", "grpo"}, {"reward_weights", {{"x", 1.0}}}, {"reward_combine", "normalize_then_sum"}};
    objective.merge_patch(more);
    try {
      score_recorded_step({{"objective", objective}, {"groups", {{{"completions", {one, one}}}}}});
      return "";
    } catch (const Error& error) {
      return error.what();
    }
  };
  using testing::HasSubstr;
  const Json named = {{"rewards", {{"x", 1.0}}}, {"length", 3}};
  EXPECT_EQ(message(Json::object(), named), "");
  EXPECT_THAT(message(Json::object(), {{"reward", 1.0}, {"length", 3}}), HasSubstr("named rewards"));
  EXPECT_THAT(message({{"advantage", {{"kind", "batch_std"}}}}, named), HasSubstr("advantage.kind"));
  EXPECT_THAT(message({{"overlong", {{"buffer", 2}}}}, named), HasSubstr("overlong.buffer"));
}

}  // namespace
}  // namespace laconic::algorithms
