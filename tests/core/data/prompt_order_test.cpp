#include "laconic/core/data/prompt_order.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "laconic/core/base/error.h"
#include "laconic/core/data/chain_examples.h"

namespace laconic::data {
namespace {

TEST(PromptOrder, EveryExampleOncePerEpoch) {
  for (const size_t count : {1u, 2u, 3u, 7u, 63u, 64u, 65u, 1000u, 7473u}) {
    const PromptOrder order(count, 5);
    for (uint64_t epoch = 0; epoch < 3; ++epoch) {
      std::vector<int> seen(count, 0);
      for (uint64_t i = 0; i < count; ++i) ++seen[order.at(epoch * count + i)];
      for (const int n : seen) ASSERT_EQ(n, 1) << count;
    }
  }
}

TEST(PromptOrder, DependsOnSeedAndEpochAndNothingElse) {
  const PromptOrder a(1000, 1), again(1000, 1), b(1000, 2);
  int same_seed = 0, other_seed = 0, other_epoch = 0, identity = 0;
  for (uint64_t i = 0; i < 1000; ++i) {
    same_seed += a.at(999 - i) == again.at(999 - i) ? 1 : 0;
    other_seed += a.at(i) == b.at(i) ? 1 : 0;
    other_epoch += a.at(i) == a.at(i + 1000) ? 1 : 0;
    identity += a.at(i) == i ? 1 : 0;
  }
  EXPECT_EQ(same_seed, 1000);
  EXPECT_LT(other_seed, 10);
  EXPECT_LT(other_epoch, 10);
  EXPECT_LT(identity, 10);
  const PromptOrder plain(10, 1, false);
  EXPECT_EQ(plain.at(13), 3u);
  EXPECT_EQ(plain.epoch(13), 1u);
  EXPECT_THROW(PromptOrder(0, 1), Error);
}

// Chi-square over place x index: each index comes at each place equally often over the seeds.
TEST(PromptOrder, IsUniformForSmallSets) {
  constexpr size_t kCount = 10;
  constexpr int kSeeds = 20000;
  std::vector<double> table(kCount * kCount, 0);
  for (int seed = 0; seed < kSeeds; ++seed) {
    const PromptOrder order(kCount, static_cast<uint64_t>(seed));
    for (size_t i = 0; i < kCount; ++i) table[i * kCount + order.at(i)] += 1;
  }
  const double expected = static_cast<double>(kSeeds) / kCount;
  double chi = 0;
  for (const double n : table) chi += (n - expected) * (n - expected) / expected;
  EXPECT_LT(chi, 150) << "81 degrees of freedom";
}

TEST(ChainExamples, AreRawPromptsWithGoldAndGrade) {
  const auto examples = chain_training_examples(50, 3);
  ASSERT_EQ(examples.size(), 50u);
  EXPECT_EQ(examples[7].prompt, chain_example(chain_problem(ChainSplit::train, 3, 7)).prompt);
  const auto example = chain_example({5, {1, kChainTimes7}});
  EXPECT_EQ(example.id, "chain:5:+2*7");
  EXPECT_EQ(example.answer, "9");
  EXPECT_EQ(example.columns["grade"], "easy");
  EXPECT_EQ(example.columns["steps"], 2);
  std::set<std::string> training;
  for (const auto& e : chain_training_examples(20000, 3)) training.insert(e.id);
  for (const auto& e : chain_held_out_examples(200, 1)) EXPECT_EQ(training.count(e.id), 0u);
}

}  // namespace
}  // namespace laconic::data
