// The optimizer over ranks leaves the weights that one rank would leave.
#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "laconic/core/distributed/flat_unit.h"
#include "laconic/core/distributed/sharded_adamw.h"
#include "laconic/core/distributed/weight_check.h"
#include "laconic/core/distributed/work_split.h"
#include "tests/core/distributed/ranks.h"
#include "tests/support/error_of.h"
#include "tests/support/given_tensors.h"
#include "tests/support/tensors.h"

namespace laconic::distributed {
namespace {

using optim::TrainedTensor;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

// Odd sizes, so that parts end in the middle of tensors; a unit that is smaller than the world.
std::vector<TrainedTensor> tensors_of(at::ScalarType type) {
  const auto tensor = [&](at::IntArrayRef sizes, uint64_t seed) { return normal_tensor(sizes, seed).to(type); };
  return {{"model.embed_tokens.weight", tensor({7, 3}, 1), true}, {"model.layers.0.a.weight", tensor({5, 3}, 2), true},
          {"model.layers.0.norm.weight", tensor({3}, 3), false},  {"model.layers.1.a.weight", tensor({11, 2}, 4), true},
          {"model.layers.1.norm.weight", tensor({3}, 5), false},  {"model.norm.weight", tensor({3}, 6), false}};
}

constexpr auto kShards = {Shard::none, Shard::optimizer, Shard::gradients, Shard::parameters};

optim::AdamWOptions options_of() {
  optim::AdamWOptions options;
  options.weight_decay = 0.1;
  options.max_grad_norm = 2.0;
  return options;
}

// A rank's share of the gradient; the sum over the ranks does not depend on how many there are.
void set_gradients(std::vector<TrainedTensor>& tensors, uint64_t step, int rank, int ranks) {
  for (size_t i = 0; i < tensors.size(); ++i) {
    const auto whole = normal_tensor(tensors[i].tensor.sizes(), 100 * (step + 1) + i);
    const auto part = ranks == 1 ? whole : whole * ((rank + 1) * 2.0 / (ranks * (ranks + 1)));
    // The last rank of several has seen no token that reaches the last tensor.
    if (ranks > 1 && i + 1 == tensors.size()) {
      if (rank == 0) tensors[i].tensor.mutable_grad() = whole.clone();
      continue;
    }
    tensors[i].tensor.mutable_grad() = part.clone();
  }
}

struct Result {
  std::vector<at::Tensor> weights;
  std::vector<std::pair<std::string, at::Tensor>> state;
  std::vector<double> norms;
};

Result train(Communicator& c, Shard shard, at::ScalarType type, at::ScalarType reduction, uint64_t from, uint64_t to,
             const Result* resumed = nullptr) {
  auto tensors = tensors_of(type);
  if (resumed != nullptr) {
    for (size_t i = 0; i < tensors.size(); ++i) tensors[i].tensor.copy_(resumed->weights[i]);
  }
  ShardedAdamW optimizer(tensors, options_of(), c, shard, reduction);
  if (resumed != nullptr) optimizer.restore_state(GivenTensors(resumed->state), static_cast<int64_t>(from));
  Result result;
  for (uint64_t step = from; step < to; ++step) {
    set_gradients(tensors, step, c.rank(), c.world_size());
    const auto report = optimizer.step(0.01);
    EXPECT_FALSE(report.skipped);
    EXPECT_TRUE(report.clipped);
    result.norms.push_back(report.grad_norm);
  }
  EXPECT_EQ(optimizer.steps_taken(), static_cast<int64_t>(to));
  result.state = whole_tensors(c, optimizer.state_parts());
  const auto whole = optimizer.whole_weights();
  std::vector<std::pair<std::string, at::Tensor>> named;
  named.reserve(tensors.size());
  for (const auto& trained : tensors) {
    named.emplace_back(trained.name, trained.tensor);
    result.weights.push_back(trained.tensor.clone());
  }
  check_same_weights(c, named, "at the end");
  return result;
}

Result on_one_rank(at::ScalarType type, uint64_t to) {
  Result result;
  ThreadGroup(1).run([&](Communicator& c) { result = train(c, Shard::none, type, at::kFloat, 0, to); });
  return result;
}

void expect_same(const Result& got, const Result& want, double tolerance, const std::string& what) {
  ASSERT_EQ(got.state.size(), want.state.size()) << what;
  for (size_t i = 0; i < want.weights.size(); ++i)
    EXPECT_LT(relative_difference(got.weights[i], want.weights[i]), tolerance) << what << " weights " << i;
  for (size_t i = 0; i < want.state.size(); ++i) {
    EXPECT_EQ(got.state[i].first, want.state[i].first);
    EXPECT_EQ(got.state[i].second.sizes(), want.state[i].second.sizes());
    EXPECT_LT(relative_difference(got.state[i].second, want.state[i].second), tolerance)
        << what << " " << want.state[i].first;
  }
  for (size_t i = 0; i < got.norms.size(); ++i)
    EXPECT_NEAR(got.norms[i], want.norms[i], tolerance * want.norms[i]) << what;
}

TEST(ShardedAdamW, WorldSizesModesAndPrecisions) {
  for (const auto type : {at::kFloat, at::kBFloat16}) {
    const auto want = on_one_rank(type, 4);
    for (const auto backend : {Backend::threads, Backend::gloo_tcp}) {
      for (int ranks = 1; ranks <= 4; ++ranks) {
        if (backend == Backend::gloo_tcp && (ranks != 3 || type != at::kFloat)) continue;  // slow to connect
        for (const auto shard : kShards) {
          const auto what = fmt::format("{} {} ranks, shard {}", c10::toString(type), ranks, static_cast<int>(shard));
          on_ranks(backend, ranks, [&](Communicator& c) {
            const auto got = train(c, shard, type, at::kFloat, 0, 4);
            if (c.first()) expect_same(got, want, type == at::kFloat ? 2e-5 : 1e-2, what);
          });
        }
      }
    }
  }
}

TEST(ShardedAdamW, GradientsMayTravelInBf16) {
  const auto want = on_one_rank(at::kFloat, 2);
  for (const auto shard : kShards) {
    ThreadGroup(3).run([&](Communicator& c) {
      const auto got = train(c, shard, at::kFloat, at::kBFloat16, 0, 2);
      if (c.first()) expect_same(got, want, 3e-2, "bf16");
    });
  }
}

TEST(ShardedAdamW, AStateIsReadBackUnderAnyWorldSizeAndMode) {
  for (const auto type : {at::kFloat, at::kBFloat16}) {
    const auto want = on_one_rank(type, 5);
    for (const auto from : {Shard::optimizer, Shard::parameters}) {
      Result half;
      ThreadGroup(3).run([&](Communicator& c) {
        auto result = train(c, from, type, at::kFloat, 0, 2);
        if (c.first()) half = std::move(result);
      });
      for (const int ranks : {1, 2, 4}) {
        for (const auto shard : kShards) {
          ThreadGroup(ranks).run([&](Communicator& c) {
            auto got = train(c, shard, type, at::kFloat, 2, 5, &half);
            got.norms.clear();
            if (c.first()) expect_same(got, want, type == at::kFloat ? 2e-5 : 1e-2, "resumed");
          });
        }
      }
    }
  }
}

TEST(ShardedAdamW, EachRankHoldsItsPartOfTheState) {
  const auto bytes_on = [](int ranks, Shard shard) {
    std::vector<int64_t> bytes(static_cast<size_t>(ranks));
    ThreadGroup(ranks).run([&](Communicator& c) {
      bytes[static_cast<size_t>(c.rank())] =
          ShardedAdamW(tensors_of(at::kFloat), options_of(), c, shard, at::kFloat).state_bytes();
    });
    return bytes;
  };
  const int64_t whole = bytes_on(1, Shard::optimizer).front();
  EXPECT_EQ(bytes_on(2, Shard::none), (std::vector<int64_t>{whole, whole}));
  const auto parts = bytes_on(3, Shard::optimizer);
  EXPECT_EQ(parts[0] + parts[1] + parts[2], whole);
  EXPECT_LT(parts[0], whole / 2);
}

TEST(ShardedAdamW, AllRanksSkipANonFiniteGradient) {
  for (const auto shard : kShards) {
    ThreadGroup(3).run([&](Communicator& c) {
      auto tensors = tensors_of(at::kFloat);
      const auto before = tensors[1].tensor.clone();
      const auto shape = tensors[3].tensor.sizes().vec();
      ShardedAdamW optimizer(tensors, options_of(), c, shard, at::kFloat);
      set_gradients(tensors, 0, c.rank(), 3);
      if (c.rank() == 1) tensors[3].tensor.mutable_grad()[0][0] = NAN;
      EXPECT_TRUE(optimizer.step(0.01).skipped);
      {
        const auto whole = optimizer.whole_weights();
        EXPECT_TRUE(at::equal(tensors[1].tensor, before));
        EXPECT_EQ(tensors[3].tensor.sizes(), shape);
      }
      EXPECT_EQ(optimizer.steps_taken(), 0);
      for (const auto& trained : tensors) EXPECT_FALSE(trained.tensor.grad().defined());
      set_gradients(tensors, 0, c.rank(), 3);
      EXPECT_FALSE(optimizer.step(0.01).skipped);
    });
  }
}

TEST(FlatUnit, PiecesCoverEveryValueOnce) {
  for (const int ranks : {1, 2, 3, 5, 40}) {
    const FlatUnit unit({4, 1, 0, 20, 3}, ranks);
    std::vector<int64_t> covered(5, 0);
    for (int rank = 0; rank < ranks; ++rank) {
      for (const auto& piece : unit.pieces(rank)) {
        EXPECT_EQ(piece.begin, covered[piece.tensor]) << ranks;
        EXPECT_LE(piece.offset + piece.size, unit.shard());
        covered[piece.tensor] += piece.size;
      }
    }
    EXPECT_THAT(covered, ElementsAre(4, 1, 0, 20, 3));
    EXPECT_GE(unit.padded(), 28);
  }
}

TEST(FlatUnit, LayersMakeUnits) {
  EXPECT_THAT(layer_units({"model.embed_tokens.weight", "model.layers.0.a", "model.layers.0.b", "model.layers.1.a",
                           "model.layers.10.a", "model.norm.weight", "lm_head.weight"}),
              ElementsAre(ElementsAre(0), ElementsAre(1, 2), ElementsAre(3), ElementsAre(4), ElementsAre(5, 6)));
}

TEST(WorkSplit, EvenAndComplete) {
  EXPECT_THAT(deal(std::vector<int64_t>{5, 1, 4, 1, 1}, 2), ElementsAre(ElementsAre(0, 3), ElementsAre(1, 2, 4)));
  EXPECT_THAT(deal(std::vector<int64_t>{3}, 3), ElementsAre(ElementsAre(0), testing::IsEmpty(), testing::IsEmpty()));
  EXPECT_THAT(deal({}, 2), ElementsAre(testing::IsEmpty(), testing::IsEmpty()));
  // Equal costs: equal numbers, also where the cost is nothing.
  EXPECT_THAT(deal(std::vector<int64_t>(6, 0), 3), testing::Each(testing::SizeIs(2)));
}

TEST(WeightCheck, NamesTheRankAndTheTensor) {
  const auto message = error_of([] {
    ThreadGroup(3).run([](Communicator& c) {
      std::vector<std::pair<std::string, at::Tensor>> weights = {{"first", at::ones({3})}, {"second", at::ones({5})}};
      check_same_weights(c, weights, "after step 1");
      if (c.rank() == 1) weights[1].second[4] = 1.0000001f;
      check_same_weights(c, weights, "after step 2");
    });
  });
  EXPECT_THAT(message, AllOf(HasSubstr("after step 2"), HasSubstr("1 of 2 tensors"), HasSubstr("first second"),
                             HasSubstr("rank 1 has otherwise")));
}

}  // namespace
}  // namespace laconic::distributed
