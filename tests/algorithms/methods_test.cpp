// The methods through the C++ interface: what they plan, choose and remember. Their rewards are in vectors.jsonl.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <set>

#include "laconic/algorithms/adapt_think.h"
#include "laconic/algorithms/grpo_lambda.h"
#include "laconic/algorithms/laser.h"
#include "laconic/algorithms/repetition.h"
#include "laconic/algorithms/s_grpo.h"
#include "laconic/algorithms/token_batch.h"
#include "laconic/core/base/strings.h"
#include "laconic/core/config/config.h"
#include "tests/support/error_of.h"

namespace laconic::algorithms {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Json = nlohmann::ordered_json;

std::unique_ptr<Objective> objective_of(const Json& section) {
  ObjectiveSection config;
  config::read_from_json(section, config, "objective");
  return config.make();
}

// One id per word; `</think>` is 7.
RunFacts small_run(int64_t limit) {
  RunFacts run;
  run.seed = 3;
  run.max_completion_tokens = limit;
  run.thinking_end_id = 7;
  run.encode = [](std::string_view text) {
    std::vector<int32_t> ids;
    for (const auto& word : split(text, ' '))
      ids.push_back(word == "</think>" ? 7 : 20 + static_cast<int32_t>(word.size()));
    return ids;
  };
  return run;
}

Sample sample_of(bool correct, int64_t length, const std::string& kind = "") {
  Sample sample;
  sample.kind = kind;
  sample.length = length;
  sample.verdict.correct = sample.verdict.format_ok = correct;
  return sample;
}

Group group_of(uint64_t index, std::vector<Sample> samples) {
  Group group;
  group.prompt_id = "p" + std::to_string(index);
  group.prompt_index = index;
  group.samples = std::move(samples);
  return group;
}

TEST(Methods, AllReadTheirSectionAndRejectOthers) {
  for (const auto& name : objective_names()) {
    SCOPED_TRACE(name);
    EXPECT_EQ(objective_of({{"name", name}})->config().name, name);
    if (name == "grpo") continue;
    EXPECT_THAT(error_of([&] {
                  objective_of({{"name", name}, {name, {{"no_such_field", 1}}}});
                }),
                HasSubstr("no_such_field"));
    // A method's section belongs to it alone.
    EXPECT_THAT(error_of([&] { objective_of({{"name", "grpo"}, {name, Json::object()}}); }), HasSubstr(name));
    // It computes its own reward.
    EXPECT_THAT(error_of([&] {
                  objective_of({{"name", name}, {"reward_weights", {{"correct", 1.0}}}});
                }),
                HasSubstr("reward_weights"));
    EXPECT_THAT(error_of([&] {
                  objective_of({{"name", name}, {"filter", {{"keep", "mixed_correct"}}}});
                }),
                HasSubstr("filter.keep"));
  }
}

TEST(Methods, ContradictionsAreNamed) {
  const auto message = [](const Json& section) { return error_of([&] { objective_of(section); }); };
  EXPECT_THAT(message({{"name", "grpo_lambda"}, {"filter", {{"keep", "reward_variance"}}}}), HasSubstr("ranked"));
  EXPECT_THAT(message({{"name", "adaptthink"}, {"advantage", {{"kind", "center"}}}}), HasSubstr("advantage.kind"));
  EXPECT_THAT(message({{"name", "adaptthink"}, {"group_size", 2}, {"adaptthink", {{"no_thinking_share", 0.1}}}}),
              HasSubstr("both kinds"));
  EXPECT_THAT(message({{"name", "s_grpo"}, {"group_size", 2}, {"s_grpo", {{"full_in_loss", false}}}}),
              HasSubstr("full_in_loss"));
  EXPECT_THAT(message({{"name", "pear"}, {"pear", {{"correct_floor", 2.0}}}}), HasSubstr("correct_floor"));
  EXPECT_THAT(message({{"name", "pear"}, {"filter", {{"keep", "any_exit_correct"}}}}), HasSubstr("exits"));
  EXPECT_THAT(message({{"name", "laser_de"}, {"laser_de", {{"exploration", "none"}, {"repetition_filter", "strict"}}}}),
              HasSubstr("nothing to filter"));
  EXPECT_THAT(message({{"name", "laser"}, {"laser", {{"form", "bonnus"}}}}), HasSubstr("bonus"));
}

TEST(SGrpo, ExitPositionsAreDistinctSortedAndUniform) {
  std::vector<int> hits(20);
  for (uint64_t prompt = 0; prompt < 4000; ++prompt) {
    const auto positions = exit_positions(20, 8, ShortThinking::fewer_exits, 1, 2, prompt);
    ASSERT_EQ(positions.size(), 8u);
    for (size_t i = 0; i < 8; ++i) {
      ASSERT_TRUE(positions[i] >= 1 && positions[i] <= 20);
      ASSERT_TRUE(i == 0 || positions[i - 1] < positions[i]);
      ++hits[static_cast<size_t>(positions[i] - 1)];
    }
  }
  for (int h : hits) EXPECT_NEAR(h, 1600, 5 * std::sqrt(4000 * 0.4 * 0.6));
  EXPECT_EQ(exit_positions(20, 8, ShortThinking::fewer_exits, 1, 2, 3),
            exit_positions(20, 8, ShortThinking::fewer_exits, 1, 2, 3));
  EXPECT_NE(exit_positions(20, 8, ShortThinking::fewer_exits, 1, 2, 3),
            exit_positions(20, 8, ShortThinking::fewer_exits, 1, 3, 3));
}

TEST(SGrpo, ShortThinking) {
  EXPECT_THAT(exit_positions(3, 8, ShortThinking::fewer_exits, 1, 2, 3), ElementsAre(1, 2, 3));
  EXPECT_EQ(exit_positions(3, 8, ShortThinking::repeat, 1, 2, 3).size(), 8u);
  EXPECT_TRUE(exit_positions(0, 8, ShortThinking::repeat, 1, 2, 3).empty());
}

TEST(SGrpo, PlansOnePathAndItsExits) {
  const auto objective = objective_of(
      {{"name", "s_grpo"}, {"group_size", 5}, {"s_grpo", {{"inducer", "stop </think>"}, {"answer_max_tokens", 6}}}});
  objective->prepare(small_run(40));
  EXPECT_EQ(objective->rounds(), 2);
  const auto plan = objective->plan(group_of(0, {}), 0);
  ASSERT_EQ(plan.size(), 1u);
  EXPECT_EQ(plan[0].count, 1);
  EXPECT_EQ(plan[0].kind, "full");

  Sample full = sample_of(true, 30, "full");
  full.thinking_end = 20;
  const auto exits = objective->next_round(group_of(4, {full}), 1, 9, 1);
  ASSERT_EQ(exits.size(), 4u);
  for (const auto& exit : exits) {
    EXPECT_EQ(exit.parent, 0);
    EXPECT_TRUE(exit.keep >= 1 && exit.keep <= 20);
    EXPECT_THAT(exit.forced, ElementsAre(24, 7));
    EXPECT_EQ(exit.max_tokens, 8);
  }
  EXPECT_TRUE(objective->next_round(group_of(4, {full}), 2, 9, 1).empty());

  // Cut off at the limit: cuts leave room for the inducer and a token.
  Sample truncated = sample_of(false, 40, "full");
  truncated.truncated = true;
  for (uint64_t prompt = 0; prompt < 200; ++prompt) {
    for (const auto& exit : objective->next_round(group_of(prompt, {truncated}), 1, 9, 1)) EXPECT_LE(exit.keep, 37);
  }
  // Nothing was thought.
  full.thinking_end = 0;
  EXPECT_TRUE(objective->next_round(group_of(4, {full}), 1, 9, 1).empty());
}

TEST(SGrpo, TheInducerMustCloseTheThinking) {
  const auto prepare = [](const Json& own, int64_t limit) {
    return error_of([&] { objective_of({{"name", "s_grpo"}, {"s_grpo", own}})->prepare(small_run(limit)); });
  };
  EXPECT_THAT(prepare({{"inducer", "stop now"}}, 40), HasSubstr("</think>"));
  EXPECT_THAT(prepare({{"inducer", "stop </think>"}}, 3), HasSubstr("no room"));
  EXPECT_EQ(prepare({{"inducer", "stop </think>"}}, 40), "");
}

TEST(GrpoLambda, RanksTheWholeStepWithSeededTies) {
  Step step;
  step.seed = 1;
  for (uint64_t g = 0; g < 10; ++g) {
    const bool second = g < 6;
    step.groups.push_back(group_of(g, {sample_of(true, 10), sample_of(second, 20)}));  // six tie at 1, four at 1/2
  }
  GrpoLambdaConfig config;
  config.efficiency_share = 0.3;
  std::set<std::vector<bool>> selections;
  std::vector<int> chosen(10);
  for (uint64_t index = 0; index < 400; ++index) {
    step.index = index;
    const auto selection = select_groups(step, config);
    EXPECT_EQ(selection.count, 3);
    EXPECT_EQ(selection.cut_ratio, 1.0);
    EXPECT_EQ(selection.tied_at_cut, 6);
    EXPECT_EQ(selection.chosen_at_cut, 3);
    EXPECT_EQ(std::count(selection.chosen.begin(), selection.chosen.end(), true), 3);
    selections.insert(selection.chosen);
    for (size_t g = 0; g < 10; ++g) chosen[g] += selection.chosen[g];
  }
  EXPECT_EQ(selections.size(), 20u);  // every choice of three out of six
  for (size_t g = 0; g < 6; ++g) EXPECT_NEAR(chosen[g], 200, 50);
  for (size_t g = 6; g < 10; ++g) EXPECT_EQ(chosen[g], 0);

  config.efficiency_share = 0.8;
  const auto most = select_groups(step, config);
  EXPECT_EQ(most.cut_ratio, 0.5);
  EXPECT_EQ(most.tied_at_cut, 4);
  EXPECT_EQ(most.chosen_at_cut, 2);
  config.efficiency_share = 0.29;
  step.groups.resize(100, step.groups.front());
  EXPECT_EQ(select_groups(step, config).count, 29);
}

TEST(LengthTargets, FewestRightCompletions) {
  const auto three = [](int64_t k, Minimum minimum) {
    return std::vector<int64_t>{least_right(Difficulty::easy, k, minimum), least_right(Difficulty::medium, k, minimum),
                                least_right(Difficulty::hard, k, minimum)};
  };
  EXPECT_THAT(three(8, Minimum::floor), ElementsAre(5, 2, 1));
  EXPECT_THAT(three(8, Minimum::ceil), ElementsAre(6, 3, 1));
  EXPECT_THAT(three(16, Minimum::floor), ElementsAre(10, 5, 1));
  EXPECT_THAT(three(16, Minimum::ceil), ElementsAre(11, 6, 1));
  EXPECT_THAT(three(16, Minimum::floor_of_8), ElementsAre(5, 2, 1));
}

TEST(LengthTargets, Boundaries) {
  const auto bucket = [](int64_t right, bool strict) { return to_string(difficulty_of(right, 6, strict)); };
  EXPECT_STREQ(bucket(4, false), "easy");
  EXPECT_STREQ(bucket(4, true), "medium");
  EXPECT_STREQ(bucket(2, false), "medium");
  EXPECT_STREQ(bucket(2, true), "hard");
  EXPECT_STREQ(bucket(1, false), "hard");
  EXPECT_STREQ(bucket(6, true), "easy");
}

TEST(LengthTargets, CandidatesAndChoice) {
  EXPECT_THAT(target_candidates(16, 8, 45), ElementsAre(16, 24, 32, 40));
  EXPECT_THAT(target_candidates(500, 1024, 3000), ElementsAre(500, 1024, 2048));
  EXPECT_TRUE(target_candidates(64, 8, 40).empty());
  const std::vector<int64_t> lengths = {10, 20, 30, 40, 50, 60};
  EXPECT_EQ(choose_target(lengths, 6, {10, 20, 30}), 10);  // 1/6 is enough
  EXPECT_EQ(choose_target(lengths, 3, {10, 20, 30}), 20);  // 1/3
  EXPECT_EQ(choose_target(lengths, 2, {10, 20, 30}), 30);  // 1/2
  EXPECT_EQ(choose_target(lengths, 1, {10, 20, 30}), std::nullopt);
  EXPECT_EQ(choose_target(lengths, 1, {10, 60}), 60);
  EXPECT_EQ(choose_target({}, 6, {10}), std::nullopt);
}

Step monitor_pass() {
  Step pass;
  pass.max_completion_tokens = 64;
  // Easy: lengths 10, 20, 30; medium: 20, 40, 60; hard: 64, 64, 64.
  pass.groups.push_back(group_of(0, {sample_of(true, 10), sample_of(true, 20), sample_of(true, 30)}));
  pass.groups.push_back(group_of(1, {sample_of(true, 20), sample_of(false, 40), sample_of(false, 60)}));
  pass.groups.push_back(group_of(2, {sample_of(false, 64), sample_of(false, 64), sample_of(false, 64)}));
  return pass;
}

TEST(Laser, MonitorPassSetsTargetsAndStateRestoresThem) {
  const Json section = {{"name", "laser_d"},
                        {"group_size", 3},
                        {"laser_d", {{"lower_bound_tokens", 8}, {"candidate_step", 8}, {"monitor_every", 5}}}};
  const auto objective = objective_of(section);
  EXPECT_EQ(objective->needs().monitor_every, 5);
  EXPECT_TRUE(objective->state().empty());
  objective->monitor(monitor_pass());
  // Coverage of 1/2 (two of three needed at least), 1, 1.
  const Json state = objective->state();
  EXPECT_EQ(state["targets"].dump(), R"({"easy":24,"hard":64,"medium":64})");
  EXPECT_EQ(state["prompts"].dump(), R"({"easy":1,"hard":1,"medium":1})");
  const auto again = objective_of(section);
  again->restore(objective->state());
  EXPECT_EQ(again->state(), objective->state());
  Step first = monitor_pass(), second = monitor_pass();
  objective->rewards(first);
  again->rewards(second);
  for (size_t g = 0; g < 3; ++g) {
    for (size_t i = 0; i < 3; ++i) EXPECT_EQ(first.groups[g].samples[i].reward, second.groups[g].samples[i].reward);
  }
  EXPECT_EQ(first.groups[0].samples[1].reward, 1.5);  // 20 <= 24
  EXPECT_EQ(first.groups[0].samples[2].reward, 1.0);
  EXPECT_EQ(objective_of({{"name", "laser"}})->needs().monitor_every, 0);
}

TEST(Laser, TargetsOfTheCode) {
  const auto objective = objective_of({{"name", "laser_d"},
                                       {"group_size", 3},
                                       {"laser_d",
                                        {{"lower_bound_tokens", 8},
                                         {"candidate_step", 8},
                                         {"buckets", "code"},
                                         {"minimum", "floor_of_8"},
                                         {"fallback", "batch_longest"}}}});
  objective->monitor(monitor_pass());
  // One third right is hard for monitor prompts, whose coverage must be 1: five of six lengths are up to 64.
  const Json state = objective->state();
  EXPECT_EQ(state["targets"].dump(), R"({"easy":16,"hard":64,"medium":null})");
  Step step;
  step.max_completion_tokens = 64;
  step.groups = {group_of(0, {sample_of(true, 12), sample_of(false, 14), sample_of(false, 10)})};
  const auto metrics = objective->metrics(step);
  const auto value = [&](const std::string& name) {
    for (const auto& [key, v] : metrics) {
      if (key == name) return v;
    }
    return std::nan("");
  };
  EXPECT_EQ(value("laser_d/target_easy"), 14);    // not above the longest of the step
  EXPECT_EQ(value("laser_d/target_medium"), 14);  // the longest of the step
  EXPECT_EQ(value("laser_d/groups_medium"), 1);
}

TEST(Laser, WhatAStateMayNotHold) {
  const auto restore = [](const Json& state) {
    return error_of([&] { objective_of({{"name", "laser_d"}})->restore(nlohmann::json(state)); });
  };
  EXPECT_THAT(restore({{"target", 1}}), HasSubstr("targets"));
  EXPECT_THAT(restore({{"targets", {{"esay", 1}}}}), HasSubstr("easy"));
  EXPECT_THAT(restore({{"targets", {{"easy", -1}}}}), HasSubstr("-1"));
  EXPECT_THAT(restore({{"targets", 5}}), HasSubstr("an object"));
  EXPECT_THAT(error_of([&] {
                objective_of({{"name", "laser"}})->restore({{"targets", {{"easy", 1}}}});
              }),
              HasSubstr("keeps no state"));
}

TEST(Repetition, NGrams) {
  const auto count_up = [](int n) {
    std::vector<int32_t> ids(static_cast<size_t>(n));
    std::iota(ids.begin(), ids.end(), 0);
    return ids;
  };
  for (int n : {0, 8, 20, 60, 500}) EXPECT_FALSE(repeats_ngrams(count_up(n))) << n;
  auto near = count_up(20);
  near[12] = near[8];
  near[13] = near[9];  // a pair again four tokens later
  EXPECT_TRUE(repeats_ngrams(near));
  auto far = count_up(20);
  far[18] = far[2];
  far[19] = far[3];  // further than a third of the length
  EXPECT_FALSE(repeats_ngrams(far));
  auto twice = count_up(60);
  std::copy_n(twice.begin(), 6, twice.begin() + 54);  // a 2n-gram, however far
  EXPECT_TRUE(repeats_ngrams(twice));
  auto constant = count_up(60);
  std::fill_n(constant.begin() + 20, 5, 3);  // n-grams of one token do not count
  EXPECT_FALSE(repeats_ngrams(constant));
  auto long_text = count_up(300);
  std::copy_n(long_text.begin() + 10, 4, long_text.begin() + 20);
  EXPECT_FALSE(repeats_ngrams(long_text));  // twice is not enough from 200 tokens on
  std::copy_n(long_text.begin() + 10, 4, long_text.begin() + 30);
  EXPECT_TRUE(repeats_ngrams(long_text));
}

TEST(Repetition, Loops) {
  std::vector<int32_t> ids(50);
  std::iota(ids.begin(), ids.end(), 0);
  EXPECT_FALSE(has_loop(ids));
  auto looping = ids;
  for (int copy = 0; copy < 4; ++copy) {
    for (int32_t id : {90, 91, 92, 93, 94}) looping.push_back(id);
  }
  EXPECT_TRUE(has_loop(looping));
  looping.resize(looping.size() - 1);  // three copies and four fifths
  EXPECT_FALSE(has_loop(looping));
  auto stutter = ids;
  stutter.insert(stutter.begin() + 10, 15, 99);
  EXPECT_FALSE(has_loop(stutter));  // fewer than 16 tokens
  stutter.insert(stutter.begin() + 10, 1, 99);
  EXPECT_TRUE(has_loop(stutter));
}

TEST(AdaptThink, FixedSplitWithLimitsAndStartWords) {
  const auto objective = objective_of({{"name", "adaptthink"},
                                       {"group_size", 6},
                                       {"adaptthink",
                                        {{"no_thinking_share", 0.4},
                                         {"start_words", {"a", "bb"}},
                                         {"no_thinking_max_tokens", 11},
                                         {"thinking_max_tokens", 33}}}});
  objective->prepare(small_run(40));
  Group prompt = group_of(0, {});
  prompt.prompt_ids = {1, 21, 2};
  const auto plan = objective->plan(prompt, 0);
  ASSERT_EQ(plan.size(), 2u);
  EXPECT_EQ(plan[0].kind, "no_thinking");
  EXPECT_EQ(plan[0].count, 2);
  EXPECT_THAT(plan[0].forced_prefix, ElementsAre(7));
  EXPECT_EQ(plan[0].max_tokens, 11);
  EXPECT_EQ(plan[1].kind, "thinking");
  EXPECT_EQ(plan[1].count, 4);
  EXPECT_THAT(plan[1].forced_prefix, ElementsAre(21));
  EXPECT_EQ(plan[1].max_tokens, 33);
  prompt.prompt_ids = {1, 2};
  EXPECT_THAT(objective->plan(prompt, 0)[1].forced_prefix, ElementsAre(22));  // none is there: the last one
  auto run = small_run(40);
  run.thinking_end_id.reset();
  EXPECT_THAT(error_of([&] { objective->prepare(run); }), HasSubstr("</think>"));
}

TEST(AdaptThink, RandomSplit) {
  const auto objective = objective_of({{"name", "adaptthink"}, {"adaptthink", {{"split", "random"}}}});
  objective->prepare(small_run(40));
  int at_once = 0, all = 0;
  for (uint64_t prompt = 0; prompt < 500; ++prompt) {
    for (const auto& request : objective->plan(group_of(prompt, {}), 0)) {
      all += request.count;
      if (request.kind == "no_thinking") at_once += request.count;
    }
  }
  EXPECT_EQ(all, 500 * 16);
  EXPECT_NEAR(at_once, 4000, 250);
}

TEST(AdaptThink, OverridesTheFirstTokensOldLogprob) {
  const auto objective = objective_of({{"name", "adaptthink"}, {"adaptthink", {{"no_thinking_share", 0.25}}}});
  Step step;
  step.groups = {group_of(0, {sample_of(true, 3, "no_thinking"), sample_of(true, 3, "thinking"), sample_of(true, 3)})};
  step.groups[0].reference_pass_rate = 0.5;
  objective->rewards(step);
  for (int repeat = 0; repeat < 2; ++repeat) objective->advantages(step);
  const auto& samples = step.groups[0].samples;
  EXPECT_THAT(samples[0].old_logp_override, ElementsAre(std::pair<int64_t, double>(0, std::log(0.25))));
  EXPECT_THAT(samples[1].old_logp_override, ElementsAre(std::pair<int64_t, double>(0, std::log(0.75))));
  EXPECT_TRUE(samples[2].old_logp_override.empty());
  step.groups[0].reference_pass_rate.reset();
  EXPECT_THAT(error_of([&] { objective->rewards(step); }), HasSubstr("reference_pass_rate"));
}

TEST(Weights, AZeroWeightLeavesTheDenominators) {
  Step step;
  step.groups = {group_of(0, {sample_of(true, 4), sample_of(true, 6)})};
  step.groups[0].samples[1].weight = 0.0;
  std::vector<const Group*> groups = {&step.groups[0]};
  for (const auto mode : {Aggregation::seq_mean_token_mean, Aggregation::token_mean, Aggregation::group_token_mean}) {
    LossConfig loss;
    loss.aggregation = mode;
    const auto coefficients = aggregation_coefficients(loss, groups, 10);
    EXPECT_DOUBLE_EQ(coefficients.per_sample[0][0], 0.25);
    EXPECT_DOUBLE_EQ(coefficients.per_sample[0][1], 0.0);
    EXPECT_DOUBLE_EQ(coefficients.loss_tokens, 4.0);
  }
}

}  // namespace
}  // namespace laconic::algorithms
