// World sizes x what is divided x accumulation x precision: updates of several ranks against those of one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "laconic/core/distributed/thread_group.h"
#include "laconic/core/ops/parallel.h"
#include "tests/support/error_of.h"
#include "tests/support/given_tensors.h"
#include "tests/support/tensors.h"
#include "tests/trainers/fixed_batches.h"

namespace laconic::trainers {
namespace {

using distributed::Communicator;
using distributed::NamedTensors;
using distributed::Shard;
using distributed::ThreadGroup;
using testing::HasSubstr;

struct Precisions {
  at::ScalarType weights;
  Precision reduction;
  double tolerance;
};

struct Result {
  std::vector<double> losses, norms;
  NamedTensors weights, state;
};

constexpr int kUpdates = 3;

model::Model start_model(at::ScalarType dtype, model::Architecture architecture) {
  static const bool one_thread = (ops::set_threads(1), true);
  static_cast<void>(one_thread);
  return tiny_model(architecture, dtype);
}

std::vector<algorithms::Group> groups_of_update(uint64_t update) {
  return random_groups(update, 3, 3, 12);
}

Result learn(Communicator& c, const ParallelSection& parallel, int64_t micro_batch_tokens, at::ScalarType dtype,
             model::Architecture architecture = model::Architecture::qwen3) {
  Learner learner(c, start_model(dtype, architecture), parallel, micro_batch_tokens);
  learner.optimizer->check_weights("before the first step");
  Result result;
  for (uint64_t update = 0; update < kUpdates; ++update) {
    const auto report = learner.learn(groups_of_update(update));
    EXPECT_FALSE(report.optimizer.skipped);
    result.losses.push_back(report.loss.policy_loss);
    result.norms.push_back(report.optimizer.grad_norm);
  }
  learner.optimizer->check_weights("at the end");
  result.weights = whole_tensors(c, learner.optimizer->weight_parts());
  result.state = whole_tensors(c, learner.optimizer->state_parts());
  return result;
}

// On rank 0 of so many ranks.
Result learn_on(int ranks, const ParallelSection& parallel, int64_t micro_batch_tokens, at::ScalarType dtype,
                model::Architecture architecture = model::Architecture::qwen3) {
  Result result;
  ThreadGroup(ranks).run([&](Communicator& c) {
    auto own = learn(c, parallel, micro_batch_tokens, dtype, architecture);
    if (c.first()) result = std::move(own);
  });
  return result;
}

void expect_near(const std::vector<double>& got, const std::vector<double>& want, double tolerance,
                 const std::string& what) {
  ASSERT_EQ(got.size(), want.size()) << what;
  for (size_t i = 0; i < want.size(); ++i)
    EXPECT_NEAR(got[i], want[i], tolerance * std::max(1.0, std::abs(want[i]))) << what << " at update " << i;
}

void expect_near(const NamedTensors& got, const NamedTensors& want, double tolerance, const std::string& what) {
  ASSERT_EQ(got.size(), want.size()) << what;
  for (size_t i = 0; i < want.size(); ++i) {
    EXPECT_EQ(got[i].first, want[i].first) << what;
    EXPECT_LT(relative_difference(got[i].second, want[i].second), tolerance) << what << " " << want[i].first;
  }
}

void expect_equal(const NamedTensors& got, const NamedTensors& want, const std::string& what) {
  ASSERT_EQ(got.size(), want.size()) << what;
  for (size_t i = 0; i < want.size(); ++i)
    EXPECT_TRUE(at::equal(got[i].second, want[i].second)) << what << " " << want[i].first;
}

const std::vector<std::pair<Shard, const char*>> kShards = {{Shard::none, "none"},
                                                            {Shard::optimizer, "optimizer"},
                                                            {Shard::gradients, "gradients"},
                                                            {Shard::parameters, "parameters"}};

TEST(ShardSweep, RanksModesAccumulationAndPrecisionAgainstOneRank) {
  for (const auto& [dtype, reduction, tolerance] :
       {Precisions{at::kFloat, Precision::f32, 2e-5}, Precisions{at::kBFloat16, Precision::f32, 1e-2},
        Precisions{at::kFloat, Precision::bf16, 3e-2}}) {
    for (const int64_t budget : {1, 40, 10000}) {  // tokens: each sequence alone, some passes, one pass
      const auto want = learn_on(1, {}, budget, dtype);
      EXPECT_GT(want.norms.front(), 0.5) << "the gradient is to be clipped";
      for (int ranks = 1; ranks <= 4; ++ranks) {
        for (const auto& [shard, name] : kShards) {
          ParallelSection parallel;
          parallel.shard = shard;
          parallel.reduction = reduction;
          const auto what = fmt::format("{} ranks, shard {}, {} tokens, {} weights, {} reduction", ranks, name, budget,
                                        c10::toString(dtype), reduction == Precision::f32 ? "f32" : "bf16");
          const auto got = learn_on(ranks, parallel, budget, dtype);
          expect_near(got.losses, want.losses, tolerance, what);
          expect_near(got.norms, want.norms, tolerance, what);
          expect_near(got.weights, want.weights, tolerance, what);
          expect_near(got.state, want.state, 10 * tolerance, what);
        }
      }
    }
  }
}

TEST(ShardSweep, ASeparateHead) {
  constexpr auto kUntied = model::Architecture::qwen2;
  const auto want = learn_on(1, {}, 40, at::kFloat, kUntied);
  for (const auto& [shard, name] : kShards) {
    ParallelSection parallel;
    parallel.shard = shard;
    const auto got = learn_on(3, parallel, 40, at::kFloat, kUntied);
    expect_near(got.losses, want.losses, 2e-5, name);
    // The gradient of the keys' biases is nothing but rounding, and AdamW makes steps of it.
    expect_near(got.weights, want.weights, 2e-3, name);
  }
}

TEST(ShardSweep, TheSameRanksGiveTheSameBits) {
  for (const auto& [shard, name] : kShards) {
    ParallelSection parallel;
    parallel.shard = shard;
    const auto first = learn_on(3, parallel, 40, at::kFloat), second = learn_on(3, parallel, 40, at::kFloat);
    expect_equal(second.weights, first.weights, name);
    expect_equal(second.state, first.state, name);
  }
}

TEST(ShardSweep, RecomputationChangesNoBit) {
  ParallelSection parallel;
  parallel.shard = Shard::parameters;
  ThreadGroup(2).run([&](Communicator& c) {
    Learner plain(c, start_model(at::kFloat, model::Architecture::qwen3), parallel, 40);
    Learner recomputing(c, start_model(at::kFloat, model::Architecture::qwen3), parallel, 40);
    recomputing.options.policy.recompute = true;
    plain.learn(groups_of_update(0));
    recomputing.learn(groups_of_update(0));
    expect_equal(whole_tensors(c, recomputing.optimizer->weight_parts()),
                 whole_tensors(c, plain.optimizer->weight_parts()), "recomputation");
  });
}

TEST(ShardSweep, ScoresAreTheSameBitForBit) {
  const auto groups = groups_of_update(7);
  std::vector<policy::ScoredSequence> sequences;
  for (const auto& group : groups) {
    for (const auto& sample : group.samples) sequences.push_back(sequence_of(group, sample));
  }
  const auto model = start_model(at::kFloat, model::Architecture::qwen3);
  const auto want = score_without_gradient(model, sequences, 1.0, true, {});
  ParallelSection parallel;
  parallel.shard = Shard::parameters;
  for (int ranks = 2; ranks <= 4; ++ranks) {
    ThreadGroup(ranks).run([&](Communicator& c) {
      auto frozen = start_model(at::kFloat, model::Architecture::qwen3);
      Ranks own(c);
      const auto divided = divide_weights(frozen, parallel, own);
      UpdateOptions options;
      options.communicator = &c;
      options.micro_batch_tokens = 30;
      const auto got = score_without_gradient(frozen, sequences, 1.0, true, options);
      EXPECT_EQ(got.logprob, want.logprob) << ranks;
      EXPECT_EQ(got.entropy, want.entropy) << ranks;
    });
  }
}

TEST(ShardSweep, WeightsThatDifferAtTheStartAreTold) {
  ParallelSection parallel;
  parallel.shard = Shard::parameters;
  EXPECT_THAT(error_of([&] {
                ThreadGroup(2).run([&](Communicator& c) {
                  auto model = start_model(at::kFloat, model::Architecture::qwen3);
                  if (c.rank() == 1) spoil_weight(model);
                  Learner learner(c, std::move(model), parallel, 40);
                  learner.optimizer->check_weights("before the first step");
                });
              }),
              HasSubstr("drifted apart"));
}

TEST(ShardSweep, WeightsAreWholeWhileTheyAreHeldAndNotChanged) {
  ParallelSection parallel;
  parallel.shard = Shard::parameters;
  const auto start = start_model(at::kFloat, model::Architecture::qwen3);
  ThreadGroup(3).run([&](Communicator& c) {
    Learner learner(c, start_model(at::kFloat, model::Architecture::qwen3), parallel, 40);
    const auto parameters = learner.model.parameters();
    const auto expect_whole = [&] {
      for (size_t i = 0; i < parameters.size(); ++i)
        EXPECT_TRUE(at::equal(parameters[i].tensor, start.parameters()[i].tensor)) << parameters[i].name;
    };
    const auto bytes = [&] {
      size_t sum = 0;
      std::set<const void*> seen;
      for (const auto& parameter : parameters) {
        if (seen.insert(parameter.tensor.storage().unsafeGetStorageImpl()).second)
          sum += parameter.tensor.storage().nbytes();
      }
      return sum;
    };
    EXPECT_EQ(bytes(), 0U);
    {
      const auto outer = learner.optimizer->whole_weights();
      {
        const auto inner = learner.optimizer->whole_weights();
        expect_whole();
      }
      expect_whole();
      EXPECT_THROW(learner.learn(groups_of_update(0)), Error) << "a step may not change what is held";
    }
    EXPECT_EQ(bytes(), 0U);
  });
}

// Ranks that make 0, 1, 2 .. passes of their own meet in all of them.
TEST(ShardSweep, UnevenPasses) {
  ParallelSection parallel;
  parallel.shard = Shard::parameters;
  const auto start = start_model(at::kFloat, model::Architecture::qwen3);
  const auto ids = at::arange(7, at::kLong);
  const std::vector<int64_t> offsets = {0, 7};
  const at::NoGradGuard no_grad;
  const auto want = start.hidden_states(ids, ids, offsets);
  for (int ranks = 2; ranks <= 4; ++ranks) {
    for (const bool held : {false, true}) {
      ThreadGroup(ranks).run([&](Communicator& c) {
        const at::NoGradGuard no_grad_here;
        Learner learner(c, start_model(at::kFloat, model::Architecture::qwen3), parallel, 40);
        const auto whole = held ? learner.optimizer->whole_weights() : distributed::HeldWeights();
        auto* use = learner.model.weight_use();
        for (int phase = 0; phase < 2; ++phase) {
          use->begin_uneven_passes();
          for (int pass = 0; pass < (c.rank() + phase) % ranks; ++pass) {
            EXPECT_TRUE(at::equal(learner.model.hidden_states(ids, ids, offsets), want));
            learner.model.acquire_head(model::Pass::inference);
            EXPECT_TRUE(at::equal(learner.model.head(), start.head()));
            learner.model.release_head(model::Pass::inference);
          }
          use->end_uneven_passes();
        }
        EXPECT_EQ(learner.model.head().storage().nbytes() > 0, held);
      });
    }
  }
}

}  // namespace
}  // namespace laconic::trainers
