// Every method's loss on a random step: the analytic gradient against central differences.
#include <gtest/gtest.h>

#include <cmath>

#include "laconic/algorithms/recorded_step.h"
#include "laconic/algorithms/registry.h"
#include "laconic/core/base/rng.h"

namespace laconic::algorithms {
namespace {

using Json = nlohmann::ordered_json;

// Four completions whose old and present policies differ, with everything that any method looks at.
Json completion(Rng& rng, size_t index, size_t length) {
  Json logp = Json::array(), old = Json::array(), reference = Json::array(), entropy = Json::array(),
       forced = Json::array(), ids = Json::array();
  for (size_t t = 0; t < length; ++t) {
    logp.push_back(-1.0 + 0.3 * rng.normal());
    old.push_back(logp.back().get<double>() + 0.1 * rng.normal());
    reference.push_back(-1.0 + 0.3 * rng.normal());
    entropy.push_back(0.2 + rng.uniform());
    ids.push_back(t == 1 ? 7 : 10 + static_cast<int>(t));
    forced.push_back(t == 1 ? 1 : 0);
  }
  return {{"verdict", {{"correct", index != 1}, {"format_ok", true}}},
          {"finish_reason", "stop"},
          {"logp", logp},
          {"logp_old", old},
          {"logp_ref", reference},
          {"logp_rollout", old},
          {"entropy", entropy},
          {"ids", ids},
          {"forced", forced},
          {"thinking_end", 1}};
}

Json random_step(const Json& objective, Rng& rng) {
  const std::string name = objective["name"];
  Json step = {{"objective", objective}, {"max_completion_tokens", 16}, {"groups", Json::array()}};
  for (int g = 0; g < 2; ++g) {
    Json completions = Json::array();
    for (size_t i = 0; i < 4; ++i) {
      Json one = completion(rng, i, 3 + 2 * i);
      if (name == "s_grpo") {
        one["kind"] = i == 3 ? "full" : "exit";
        if (i < 3) one["exit_position"] = 1 + i;
      }
      if (name == "adaptthink") one["kind"] = i < 2 ? "no_thinking" : "thinking";
      completions.push_back(std::move(one));
    }
    step["groups"].push_back(
        {{"prompt_id", std::to_string(g)}, {"reference_pass_rate", 0.25 + 0.5 * g}, {"completions", completions}});
  }
  return step;
}

void expect_gradient(const Json& step) {
  const Json output = score_recorded_step(step);
  double largest = 0;
  for (size_t g = 0; g < step["groups"].size(); ++g) {
    const auto& completions = step["groups"][g]["completions"];
    for (size_t i = 0; i < completions.size(); ++i) {
      for (size_t t = 0; t < completions[i]["logp"].size(); ++t) {
        constexpr double kStep = 1e-6;
        const auto loss_at = [&](double shift) {
          Json moved = step;
          auto& value = moved["groups"][g]["completions"][i]["logp"][t];
          value = value.get<double>() + shift;
          return score_recorded_step(moved)["loss"].get<double>();
        };
        const double analytic = output["grad"][g][i][t];
        largest = std::max(largest, std::abs(analytic));
        EXPECT_NEAR(analytic, (loss_at(kStep) - loss_at(-kStep)) / (2 * kStep), 1e-7) << g << " " << i << " " << t;
      }
    }
  }
  EXPECT_GT(largest, 1e-3);  // there is something to compare
}

TEST(MethodGradients, MatchDifferences) {
  register_builtin_methods();
  Rng rng(DrawPurpose::procedural_data, {12});
  for (const auto& name : objective_names()) {
    std::vector<Json> variants = {{{"name", name}}};
    if (name == "s_grpo") {
      for (const char* inducer : {"none", "close_tag_only"})
        variants.push_back({{"name", name}, {"s_grpo", {{"inducer_loss", inducer}}}});
      variants.push_back({{"name", name}, {"s_grpo", {{"full_in_loss", false}}}});
    }
    if (name == "adaptthink") variants.push_back({{"name", name}, {"loss", {{"ratio", "sequence_product"}}}});
    if (name == "grpo_lambda") variants.push_back({{"name", name}, {"grpo_lambda", {{"efficiency_share", 0.5}}}});
    if (name == "laser") {
      // The loss of the paper: KL to the reference in the loss.
      variants.push_back({{"name", name}, {"laser", {{"target_tokens", 6}}}, {"kl", {{"coefficient", 0.1}}}});
    }
    for (const auto& objective : variants) {
      SCOPED_TRACE(objective.dump());
      expect_gradient(random_step(objective, rng));
    }
  }
}

}  // namespace
}  // namespace laconic::algorithms
