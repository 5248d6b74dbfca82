#include "laconic/core/data/procedural/chain_task.h"

#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "laconic/core/base/error.h"
#include "laconic/core/data/procedural/chain_tokenizer.h"

namespace laconic::data {
namespace {

TEST(ChainVocabulary, HasTheWordsInTheirOrder) {
  EXPECT_EQ(chain_text({0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}),
            "<pad> <bos> <eos> <think> </think> \\boxed{ } ? wait again hmm stop");
  EXPECT_EQ(chain_text({12, 21, 22, 26, 27, 28, 36, 37, 38, 39, 40, 49, 50, 59}),
            "0 9 a e z +1 +9 *3 *7 *9 =0 =9 #0 #9");
  std::vector<int32_t> all(kChainVocabulary);
  for (int32_t i = 0; i < kChainVocabulary; ++i) all[static_cast<size_t>(i)] = i;
  EXPECT_EQ(chain_ids(chain_text(all)), all);
  EXPECT_THROW(chain_ids("5 a +0"), Error);
}

TEST(ChainProblem, PromptAndGoldOfTheWorkedExample) {
  const ChainProblem problem{5, {1, kChainTimes7}};  // 5, +2, *7
  EXPECT_EQ(chain_text(chain_prompt_ids(problem)), "<bos> 5 a +2 z *7 ? <think>");
  EXPECT_EQ(chain_gold(problem), 9);
  EXPECT_EQ(problem.grade(), ChainGrade::easy);
  EXPECT_EQ(chain_text(chain_prompt_ids({0, {0, 1, 2, 3, 4, 9}})), "<bos> 0 a +1 b +2 c +3 d +4 e +5 z *3 ? <think>");
  EXPECT_EQ(chain_text(chain_prompt_ids({4, {11}})), "<bos> 4 z *9 ? <think>");
}

TEST(ChainProblem, MultipliersAreUnitsSoErrorsNeverCancel) {
  for (int op = 0; op < kChainOps; ++op) {
    std::set<int> results;
    for (int x = 0; x < 10; ++x) results.insert(chain_apply(op, x));
    EXPECT_EQ(results.size(), 10u) << op;
  }
}

TEST(ChainSplit, HoldsOutATenthAndNeverMixes) {
  int held_out_of_one_step = 0;
  for (int x = 0; x < 10; ++x) {
    for (int op = 0; op < kChainOps; ++op)
      held_out_of_one_step += chain_split({x, {op}}) == ChainSplit::held_out ? 1 : 0;
  }
  EXPECT_EQ(held_out_of_one_step, 12);  // of 10 * 12 problems with one step

  std::set<std::pair<int, std::vector<int>>> train;
  for (uint64_t i = 0; i < 30000; ++i) {
    const auto problem = chain_problem(ChainSplit::train, 1, i);
    train.insert({problem.start, problem.ops});
  }
  for (const auto& problem : chain_held_out(500, 2)) {
    EXPECT_EQ(chain_hash(problem) % 10, 0u);
    EXPECT_EQ(train.count({problem.start, problem.ops}), 0u);
  }
  int held_out = 0;
  Rng rng(DrawPurpose::procedural_data, {1, 98});
  for (int i = 0; i < 20000; ++i) {
    ChainProblem problem{rng.between(0, 9), {}};
    for (int s = 0; s < 5; ++s) problem.ops.push_back(rng.between(0, kChainOps - 1));
    held_out += chain_split(problem) == ChainSplit::held_out ? 1 : 0;
  }
  EXPECT_NEAR(held_out, 2000, 150);
}

// The hash is part of the task: a change would move problems between the splits.
TEST(ChainSplit, HashIsFixed) {
  EXPECT_EQ(chain_hash({5, {1, 10}}), 0xe69ffa7a046fbee6ull);
  EXPECT_EQ(chain_hash({0, {0, 1, 2, 3, 4, 9}}), 0xc45c988410e34153ull);
}

// Variants of the task change what the box asks for, never which problems are held out.
TEST(ChainSplit, TrainingAndHeldOutProblemsNeverOverlap) {
  std::set<std::pair<int, std::vector<int>>> training;
  for (uint64_t i = 0; i < 20000; ++i) {
    const auto problem = chain_problem(ChainSplit::train, i % 7, i);
    training.insert({problem.start, problem.ops});
  }
  for (const auto& problem : chain_held_out(200, 0)) EXPECT_FALSE(training.contains({problem.start, problem.ops}));
}

TEST(ChainAnswers, AreTheValueOrItsSideOfTheThreshold) {
  for (int value = 0; value < 10; ++value) {
    EXPECT_EQ(chain_answer({}, value), value);
    EXPECT_EQ(chain_answer({2}, value), value >= 2 ? 1 : 0);
    EXPECT_EQ(chain_answer({9}, value), value == 9 ? 1 : 0);
  }
}

TEST(ChainProblem, DistributionOfStepsAndOperations) {
  std::map<int, double> steps;
  double plus = 0, ops = 0;
  for (uint64_t i = 0; i < 30000; ++i) {
    const auto problem = chain_problem(ChainSplit::train, 4, i);
    steps[problem.steps()] += 1;
    for (const int op : problem.ops) {
      plus += op < 9 ? 1 : 0;
      ops += 1;
    }
  }
  for (int k = 1; k <= kChainMaxSteps; ++k) EXPECT_NEAR(steps[k] / 30000, 1.0 / 6, 0.01) << k;
  EXPECT_NEAR(plus / ops, 2.0 / 3, 0.01);
  const auto held_out = chain_held_out(20, 5);
  ASSERT_EQ(held_out.size(), 60u);
  EXPECT_EQ(held_out[0].grade(), ChainGrade::easy);
  EXPECT_EQ(held_out[59].grade(), ChainGrade::hard);
  EXPECT_EQ(held_out[30], chain_held_out(20, 5)[30]);
}

TEST(ChainTokenizer, FilesNameEveryWordWithItsId) {
  const auto file = nlohmann::json::parse(chain_tokenizer_json());
  const auto& vocabulary = file["model"]["vocab"];
  ASSERT_EQ(vocabulary.size(), 60u);
  for (int32_t id = 0; id < kChainVocabulary; ++id) EXPECT_EQ(vocabulary[chain_text({id})], id);
  EXPECT_EQ(file["added_tokens"].size(), 5u);
  EXPECT_EQ(file["added_tokens"][4]["content"], "</think>");
  EXPECT_EQ(nlohmann::json::parse(chain_tokenizer_config_json())["eos_token"], "<eos>");
}

}  // namespace
}  // namespace laconic::data
