// What --dry-run says of a rank's memory and traffic, against what is allocated and sent.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "laconic/core/base/timer.h"
#include "laconic/core/ops/parallel.h"
#include "laconic/trainers/costs.h"
#include "laconic/trainers/rank_costs.h"
#include "tests/core/distributed/ranks.h"
#include "tests/support/counting_allocator.h"
#include "tests/trainers/fixed_batches.h"

namespace laconic::trainers {
namespace {

using distributed::Communicator;
using distributed::Shard;

constexpr auto kShards = {Shard::none, Shard::optimizer, Shard::gradients, Shard::parameters};

// Large enough for weights to be more than what a pass needs besides.
model::ModelConfig config_of(bool tied) {
  auto config = tiny_config(tied ? model::Architecture::qwen3 : model::Architecture::qwen2);
  config.vocab_size = 400;
  config.hidden = 96;
  config.intermediate = 256;
  config.layers = 5;
  config.max_positions = 64;
  return config;
}

struct Case {
  int ranks;
  Shard shard;
  bool tied, bf16;
};

std::string describe(const Case& c) {
  return fmt::format("{} ranks, shard {}, {}, {}", c.ranks, static_cast<int>(c.shard), c.tied ? "tied" : "untied",
                     c.bf16 ? "bf16" : "f32");
}

// Sequences of 5 tokens, two of a rank in each of its two micro-batches.
std::vector<algorithms::Group> even_groups(int ranks) {
  std::vector<algorithms::Group> groups;
  for (int g = 0; g < 4 * ranks; ++g) {
    algorithms::Group group;
    group.prompt_ids = {1, 2, 3};
    algorithms::Sample sample;
    sample.ids = {4, 5};
    sample.length = 2;
    sample.logp_rollout = {-4.0, -4.0};
    sample.advantage = {0.5 + g};
    group.samples.push_back(sample);
    groups.push_back(group);
  }
  return groups;
}

// What lives when Gloo's threads have let go of everything, which they do a little after it has arrived.
int64_t settled(const MemoryAccount& account, int64_t expected) {
  for (const Timer timer; timer.seconds() < 5 && account.live() > expected + expected / 100;)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  return account.live();
}

void check_rank(Communicator& communicator, const Case& c) {
  CountedThread counted;
  const auto what = describe(c);
  const auto config = config_of(c.tied);
  const RankPlan plan = {c.ranks, c.shard, c.bf16 ? 2 : 4, c.bf16 ? 2 : 4, 2};
  const auto memory = rank_memory(config, plan);
  ParallelSection parallel;
  parallel.shard = c.shard;
  parallel.reduction = c.bf16 ? Precision::bf16 : Precision::f32;
  Learner learner(communicator, model::Model::random(config, 3, c.bf16 ? at::kBFloat16 : at::kFloat, at::kCPU),
                  parallel, 10);
  const auto groups = even_groups(c.ranks);
  learner.learn(groups);
  auto& account = counted.account();
  const auto rope = 4 * config.max_positions * config.head_dim;
  const auto between = static_cast<double>(settled(account, memory.weights + memory.optimizer + rope) - rope);
  EXPECT_NEAR(between, static_cast<double>(memory.weights + memory.optimizer), 0.02 * between) << what;

  // What an asynchronous checkpoint copies; rank 0 everything where nothing is divided.
  double copied = 0;
  for (const auto& parts : {learner.optimizer->weight_parts(), learner.optimizer->state_parts()}) {
    for (const auto& part : parts) copied += static_cast<double>(part.values.nbytes());
  }
  if (learner.optimizer->divided() || communicator.first()) {
    EXPECT_NEAR(copied, static_cast<double>(memory.checkpoint), 0.02 * copied) << what;
  }

  // When Gloo's threads let go of a buffer is the scheduler's affair: the least of several peaks has least of it.
  constexpr int kUpdates = 4;
  double least = 1e300, most = 0;
  const double sent = communicator.traffic().wire_bytes;
  for (int update = 0; update < kUpdates; ++update) {
    const auto rest = settled(account, memory.weights + memory.optimizer + rope);
    account.reset_peak();
    learner.learn(groups);
    const auto peak = static_cast<double>(account.peak() - rest);
    least = std::min(least, peak);
    most = std::max(most, peak);
  }
  const double sent_per_update = (communicator.traffic().wire_bytes - sent) / kUpdates;
  const auto expected = static_cast<double>(memory.gradients + memory.gathered);
  const auto widened = c.bf16 ? 4 * 2 * config.intermediate * config.hidden : 0;  // a matrix, for a product in f32
  const auto working =
      static_cast<double>(widened + activation_bytes(config, 10, false, learner.options.policy.head_chunk_bytes).kept);
  // Gloo lets go of a unit a little after it has arrived.
  const auto late =
      static_cast<double>(2 * plan.reduction_bytes * config.total_parameters()) / static_cast<double>(config.layers);
  EXPECT_LT(least, 1.05 * (expected + working) + late) << what;
  EXPECT_GT(most, 0.85 * expected) << what;
  // Reports and norms travel as well.
  EXPECT_NEAR(sent_per_update, update_wire_bytes(config, plan), 8e3) << what;

  if (c.shard != Shard::parameters) return;
  const double before = communicator.traffic().wire_bytes;
  account.reset_peak();
  {
    const auto whole = learner.optimizer->whole_weights();
    EXPECT_NEAR(static_cast<double>(account.live() - rope) - between, static_cast<double>(memory.gathered_whole),
                0.02 * between)
        << what;
  }
  EXPECT_NEAR(communicator.traffic().wire_bytes - before, pass_wire_bytes(config, plan), 1.0) << what;
}

TEST(RankCosts, MemoryAndTrafficAsMeasured) {
  ops::set_threads(1);
  for (const auto shard : kShards) {
    for (const Case& c : std::vector<Case>{{2, shard, true, false}, {3, shard, false, false}, {3, shard, true, true}}) {
      distributed::on_ranks(distributed::Backend::gloo_tcp, c.ranks,
                            [&](Communicator& communicator) { check_rank(communicator, c); });
    }
  }
}

TEST(RankCosts, EachModeHoldsLess) {
  const auto config = config_of(true);
  const auto held = [&](Shard shard) {
    const auto memory = rank_memory(config, {8, shard, 4, 4, 4});
    return memory.weights + memory.optimizer + memory.gradients + memory.gathered;
  };
  EXPECT_LT(held(Shard::optimizer), held(Shard::none));
  EXPECT_LT(held(Shard::gradients), held(Shard::optimizer));
  EXPECT_LT(held(Shard::parameters), held(Shard::gradients));
  const auto alone = rank_memory(config, {});
  const auto states = state_bytes(config, false);
  EXPECT_EQ(alone.weights, states.weights);
  EXPECT_EQ(alone.gradients, states.gradients);
  EXPECT_EQ(alone.optimizer, states.optimizer);
}

}  // namespace
}  // namespace laconic::trainers
