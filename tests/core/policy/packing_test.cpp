#include "laconic/core/policy/packing.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "tests/core/policy/sequences.h"
#include "tests/support/error_of.h"

namespace laconic::policy {
namespace {

using testing::ElementsAre;

std::vector<int64_t> values(const at::Tensor& t) {
  return {t.const_data_ptr<int64_t>(), t.const_data_ptr<int64_t>() + t.numel()};
}

TEST(Pack, LaysSequencesEndToEnd) {
  const std::vector<ScoredSequence> sequences = {
      {{10, 11, 12, 13}, 2}, {{20, 21}, 1}, {{30, 31, 32}, 3}, {{40, 41}, 1}};
  const auto batch = pack_all(sequences, {0, 1, 2, 3});
  EXPECT_THAT(values(batch.ids), ElementsAre(10, 11, 12, 20, 40)) << "without last tokens and unscored sequences";
  EXPECT_THAT(values(batch.positions), ElementsAre(0, 1, 2, 0, 0));
  EXPECT_THAT(batch.offsets, ElementsAre(0, 3, 4, 4, 5));
  EXPECT_THAT(values(batch.rows), ElementsAre(1, 2, 3, 4)) << "the tokens before the scored ones";
  EXPECT_THAT(values(batch.targets), ElementsAre(12, 13, 21, 41));
  EXPECT_THAT(batch.scored_offsets, ElementsAre(0, 2, 3, 3, 4));
}

TEST(Pack, HoldsForRandomSequences) {
  const auto sequences = random_sequences(60, 30, 61, 1);
  std::vector<int64_t> order(sequences.size());
  std::iota(order.begin(), order.end(), 0);
  const auto batch = pack_all(sequences, order);
  const auto ids = values(batch.ids), rows = values(batch.rows), targets = values(batch.targets);
  for (size_t i = 0; i < sequences.size(); ++i) {
    const auto& s = sequences[i];
    EXPECT_EQ(batch.scored_offsets[i + 1] - batch.scored_offsets[i], s.scored());
    EXPECT_EQ(batch.offsets[i + 1] - batch.offsets[i], s.scored() > 0 ? static_cast<int64_t>(s.ids.size()) - 1 : 0);
    for (int64_t k = 0; k < s.scored(); ++k) {
      const auto at = static_cast<size_t>(batch.scored_offsets[i] + k);
      EXPECT_EQ(targets[at], s.ids[static_cast<size_t>(s.completion_start + k)]);
      EXPECT_EQ(rows[at], batch.offsets[i] + s.completion_start + k - 1);
      EXPECT_EQ(ids[static_cast<size_t>(rows[at])], s.ids[static_cast<size_t>(s.completion_start + k - 1)]);
    }
  }
}

TEST(Pack, EmptyAndImpossible) {
  const auto empty = pack_all({}, {});
  EXPECT_EQ(empty.ids.numel(), 0);
  EXPECT_THAT(empty.offsets, ElementsAre(0));
  EXPECT_NE(error_of([] { pack_all({{{1, 2}, 0}}, {0}); }), "");
  EXPECT_NE(error_of([] { pack_all({{{1, 2}, 3}}, {0}); }), "");
  EXPECT_NE(error_of([] { pack_all({{{}, 1}}, {0}); }), "");
  EXPECT_EQ(error_of([] { pack_all({{{1}, 1}}, {0}); }), "") << "a prompt alone";
}

TEST(SplitByTokens, FillsMicroBatchesAndLosesNothing) {
  Rng rng(DrawPurpose::procedural_data, {3});
  for (int round = 0; round < 200; ++round) {
    std::vector<int64_t> lengths(rng.below(40));
    for (auto& n : lengths) n = rng.between(0, 100);
    const int64_t budget = rng.between(1, 250);
    const auto batches = split_by_tokens(lengths, budget);
    EXPECT_EQ(batches, split_by_tokens(lengths, budget));
    std::vector<int> seen(lengths.size(), 0);
    int64_t last = std::numeric_limits<int64_t>::max();
    for (size_t b = 0; b < batches.size(); ++b) {
      ASSERT_FALSE(batches[b].empty());
      int64_t used = 0;
      for (int64_t i : batches[b]) {
        ++seen[static_cast<size_t>(i)];
        used += lengths[static_cast<size_t>(i)];
        EXPECT_LE(lengths[static_cast<size_t>(i)], last) << "longest first";
        last = lengths[static_cast<size_t>(i)];
      }
      EXPECT_TRUE(used <= budget || batches[b].size() == 1);
      if (b + 1 < batches.size()) {  // the next one would not have fitted
        EXPECT_GT(used + lengths[static_cast<size_t>(batches[b + 1][0])], budget);
      }
    }
    EXPECT_THAT(seen, testing::Each(1));
  }
  EXPECT_TRUE(split_by_tokens({}, 10).empty());
  const std::vector<int64_t> equal = {4, 4, 4, 4};
  EXPECT_THAT(split_by_tokens(equal, 8), ElementsAre(ElementsAre(0, 1), ElementsAre(2, 3))) << "equal ones in order";
  EXPECT_THAT(split_by_tokens(equal, 0), testing::SizeIs(4));
}

}  // namespace
}  // namespace laconic::policy
