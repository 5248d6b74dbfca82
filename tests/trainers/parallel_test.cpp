// Several ranks train as one rank does: the same samples and advantages, and weights within the rounding of reductions.
#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "laconic/core/base/error.h"
#include "laconic/core/distributed/thread_group.h"
#include "laconic/core/metrics/jsonl.h"
#include "laconic/core/model/safetensors.h"
#include "laconic/trainers/export_model.h"
#include "tests/support/tensors.h"
#include "tests/trainers/chain_runs.h"

namespace laconic::trainers {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using Json = nlohmann::ordered_json;
using Overrides = std::vector<std::string>;

template <typename Trainer>
auto config_for(const fs::path& folder, Overrides overrides) {
  if constexpr (std::is_same_v<Trainer, RlTrainer>) {
    // Answers of a random model are all wrong; their lengths differ, so that there is something to learn.
    overrides.insert(overrides.begin(), "--objective.overlong.buffer=20");
    return chain_config(folder, overrides);
  } else {
    return sft_config(folder, overrides);
  }
}

// Trains in `folder` on ranks that are threads. True: to the end.
template <typename Trainer>
bool train_on(const fs::path& folder, int world_size, const Overrides& overrides, const RunOptions& options = {}) {
  distributed::ThreadGroup group(world_size);
  std::vector<std::unique_ptr<Ranks>> ranks;
  std::vector<std::unique_ptr<Trainer>> trainers;
  for (int r = 0; r < world_size; ++r) {
    ranks.push_back(std::make_unique<Ranks>(group.rank(r)));
    RunOptions own = options;
    own.ranks = ranks.back().get();
    trainers.push_back(std::make_unique<Trainer>(config_for<Trainer>(folder, overrides), own));
  }
  std::vector<int> completed(static_cast<size_t>(world_size));
  group.run([&](distributed::Communicator& c) {
    const auto rank = static_cast<size_t>(c.rank());
    completed[rank] = trainers[rank]->run() ? 1 : 0;
    ranks[rank]->finish();
  });
  EXPECT_EQ(completed, std::vector<int>(completed.size(), completed.front())) << "all ranks end alike";
  return completed.front() != 0;
}

template <typename Trainer>
void run_ranks(const TemporaryFolder& folder, int world_size, const Overrides& overrides) {
  write_chain_model(folder / "model");
  EXPECT_TRUE(train_on<Trainer>(folder.path(), world_size, overrides));
}

std::vector<Json> rows(const TemporaryFolder& folder, const char* name) {
  return metrics::read_jsonl(folder / "run" / name).rows;
}

void expect_near(const Json& got, const Json& want, double tolerance, const std::string& what) {
  ASSERT_EQ(got.size(), want.size()) << what;
  for (const auto& [name, value] : want.items()) {
    ASSERT_TRUE(got.contains(name)) << what << " " << name;
    if (!value.is_number()) {
      EXPECT_EQ(got.at(name), value) << what << " " << name;
      continue;
    }
    const double number = value.get<double>();
    EXPECT_NEAR(got.at(name).get<double>(), number, tolerance * std::max(1.0, std::abs(number))) << what << " " << name;
  }
}

// Of what two runs leave: samples equal, metrics and weights near.
void expect_same_run(const TemporaryFolder& got, const TemporaryFolder& want, double tolerance,
                     const std::string& what) {
  const auto got_rows = rows(got, "metrics.jsonl"), want_rows = rows(want, "metrics.jsonl");
  ASSERT_EQ(got_rows.size(), want_rows.size()) << what;
  EXPECT_GT(want_rows.front().at("optim/grad_norm").get<double>(), 0.01) << what << ": nothing was learned";
  for (size_t i = 0; i < want_rows.size(); ++i) expect_near(got_rows[i], want_rows[i], tolerance, what);
  if (fs::exists(want / "run/samples.jsonl")) {
    EXPECT_EQ(read_file(got / "run/samples.jsonl"), read_file(want / "run/samples.jsonl")) << what;
  }
  const model::SafetensorsFile a(got / "run/model/model.safetensors"), b(want / "run/model/model.safetensors");
  for (const auto& name : b.names())
    EXPECT_LT(relative_difference(a.tensor(name), b.tensor(name)), tolerance) << what << " " << name;
}

// Few steps and a low rate: rounding must not grow into another sample.
const Overrides kShort = {"--train.steps=2", "--optimizer.lr=1e-3", "--output.samples_per_step=16"};

Overrides with(Overrides overrides, const Overrides& more) {
  overrides.insert(overrides.end(), more.begin(), more.end());
  return overrides;
}

// Whole runs; every combination of what can be divided is in shard_sweep_test.cpp.
TEST(Parallel, WorldSizesAndModesAgainstOneRank) {
  const auto overrides = with(kShort, {"--train.micro_batch_tokens=60", "--parallel.check_every=1"});
  const TemporaryFolder want;
  run_ranks<RlTrainer>(want, 1, overrides);
  for (const auto& [ranks, shard] : std::vector<std::pair<int, Overrides>>{
           {2, {"--parallel.shard=none"}},
           {3, {"--parallel.shard=optimizer"}},
           {4, {"--parallel.shard=gradients"}},
           {2, {"--parallel.shard=parameters", "--parallel.gather_for_rollout=auto"}},
           {3, {"--parallel.shard=parameters", "--parallel.gather_for_rollout=layers"}},
           {4, {"--parallel.shard=parameters", "--parallel.gather_for_rollout=whole"}}}) {
    const TemporaryFolder got;
    run_ranks<RlTrainer>(got, ranks, with(overrides, shard));
    expect_same_run(got, want, 1e-4, fmt::format("{} ranks, {}", ranks, shard.back()));
  }
}

TEST(Parallel, HowWeightsAreGatheredForTheRolloutChangesNoBit) {
  const Overrides divided = {"--parallel.shard=parameters"};
  const TemporaryFolder whole, layers;
  run_ranks<RlTrainer>(whole, 3, with(divided, {"--parallel.gather_for_rollout=whole"}));
  run_ranks<RlTrainer>(layers, 3, with(divided, {"--parallel.gather_for_rollout=layers"}));
  EXPECT_EQ(reproducible_files(layers / "run"), reproducible_files(whole / "run"));
}

TEST(Parallel, OneRankIsTheRunOfOneProcessBitForBit) {
  const TemporaryFolder got, want;
  run_ranks<RlTrainer>(got, 1, with(kShort, {"--parallel.shard=optimizer"}));
  write_chain_model(want / "model");
  EXPECT_TRUE(RlTrainer(config_for<RlTrainer>(want.path(), kShort), {}).run());
  EXPECT_EQ(reproducible_files(got / "run"), reproducible_files(want / "run"));
}

TEST(Parallel, TheFirstRolloutIsTheSameBitForBit) {
  // Before the first update nothing has been reduced: rewards, advantages and logprobs have the same bits.
  const Overrides once = {"--train.steps=1", "--optimizer.lr=0", "--output.samples_per_step=16",
                          "--objective.group_size=5", "--train.prompts_per_step=6"};
  const TemporaryFolder want;
  run_ranks<RlTrainer>(want, 1, once);
  for (int ranks = 2; ranks <= 4; ++ranks) {
    const TemporaryFolder got;
    run_ranks<RlTrainer>(got, ranks, once);
    EXPECT_EQ(read_file(got / "run/samples.jsonl"), read_file(want / "run/samples.jsonl"));
    EXPECT_EQ(read_file(got / "run/evaluations.jsonl"), read_file(want / "run/evaluations.jsonl"));
    EXPECT_EQ(read_file(got / "run/model/model.safetensors"), read_file(want / "run/model/model.safetensors"));
  }
}

TEST(Parallel, MoreRanksThanPrompts) {
  const auto overrides = with(kShort, {"--train.prompts_per_step=2", "--objective.group_size=2"});
  const TemporaryFolder got, want;
  run_ranks<RlTrainer>(want, 1, overrides);
  run_ranks<RlTrainer>(got, 4, overrides);
  expect_same_run(got, want, 1e-4, "4 ranks, 2 prompts");
}

TEST(Parallel, WholeStepOperationsSeeEveryRank) {
  // A filter over groups with refill, and a threshold over all tokens of a mini-batch.
  for (const Overrides& option :
       std::vector<Overrides>{{"--objective.filter.keep=reward_variance", "--objective.filter.max_rounds=2",
                               "--objective.overlong.buffer=20"},
                              {"--objective.loss.entropy_quantile=0.3"},
                              {"--objective.loss.aggregation=seq_mean_token_mean"}}) {
    const auto overrides = with(kShort, option);
    const TemporaryFolder got, want;
    run_ranks<RlTrainer>(want, 1, overrides);
    run_ranks<RlTrainer>(got, 3,
                         with(overrides, {"--parallel.shard=parameters", "--parallel.gather_for_rollout=layers"}));
    expect_same_run(got, want, 1e-4, option.front());
  }
}

TEST(Parallel, Bf16WeightsAndReductions) {
  const auto overrides = with(kShort, {"--model.dtype=bf16", "--train.steps=1"});
  const TemporaryFolder want;
  run_ranks<RlTrainer>(want, 1, overrides);
  for (const char* shard : {"none", "parameters"}) {
    for (const char* reduction : {"f32", "bf16"}) {
      const TemporaryFolder got;
      run_ranks<RlTrainer>(
          got, 2,
          with(overrides, {std::string("--parallel.shard=") + shard, std::string("--parallel.reduction=") + reduction,
                           "--parallel.check_every=1"}));
      expect_same_run(got, want, 2e-2, fmt::format("shard {}, reduction {}", shard, reduction));
    }
  }
}

TEST(Parallel, SftAgainstOneRank) {
  const TemporaryFolder want;
  run_ranks<SftTrainer>(want, 1, {});
  for (const auto& [ranks, shard] :
       std::vector<std::pair<int, const char*>>{{2, "none"}, {3, "optimizer"}, {4, "gradients"}, {3, "parameters"}}) {
    const TemporaryFolder got;
    run_ranks<SftTrainer>(got, ranks, {std::string("--parallel.shard=") + shard, "--parallel.check_every=1"});
    expect_same_run(got, want, 2e-3, fmt::format("{} ranks, shard {}", ranks, shard));
  }
}

TEST(Parallel, ResumedWithTheSameRanksBitForBit) {
  for (const Overrides& shard : std::vector<Overrides>{{"--parallel.shard=optimizer"},
                                                       {"--parallel.shard=gradients", "--train.micro_batch_tokens=60"},
                                                       {"--parallel.shard=parameters", "--model.dtype=bf16"}}) {
    const TemporaryFolder whole, pieces;
    run_ranks<RlTrainer>(whole, 2, shard);
    write_chain_model(pieces / "model");
    int parts = 0;
    for (bool done = false; !done; ++parts)
      done = train_on<RlTrainer>(pieces.path(), 2, shard, {metrics::ExistingRun::resume, "test", 1});
    EXPECT_GE(parts, 8);
    EXPECT_EQ(reproducible_files(pieces / "run"), reproducible_files(whole / "run")) << shard.front();
  }
}

TEST(Parallel, ResumedWithOtherRankCountsAndModes) {
  const auto overrides = with(kShort, {"--train.steps=4", "--optimizer.lr=1e-4"});
  const TemporaryFolder want, got;
  run_ranks<RlTrainer>(want, 1, overrides);
  write_chain_model(got / "model");
  const std::vector<std::pair<int, const char*>> stages = {
      {3, "parameters"}, {1, "none"}, {2, "gradients"}, {4, "optimizer"}};
  bool done = false;
  for (const auto& [ranks, shard] : stages) {
    done = train_on<RlTrainer>(got.path(), ranks, with(overrides, {std::string("--parallel.shard=") + shard}),
                               {metrics::ExistingRun::resume, "test", 2});
  }
  EXPECT_TRUE(done);
  expect_same_run(got, want, 1e-4, "rank counts 3, 1, 2, 4");
}

TEST(Parallel, SftResumedWithAnotherRankCount) {
  const TemporaryFolder want, got;
  run_ranks<SftTrainer>(want, 1, {});
  write_chain_model(got / "model");
  EXPECT_FALSE(
      train_on<SftTrainer>(got.path(), 3, {"--parallel.shard=optimizer"}, {metrics::ExistingRun::resume, "test", 3}));
  EXPECT_TRUE(
      train_on<SftTrainer>(got.path(), 2, {"--parallel.shard=parameters"}, {metrics::ExistingRun::resume, "test", {}}));
  expect_same_run(got, want, 2e-3, "3 ranks, then 2");
}

// Written in parts, exported as one.
TEST(Parallel, ACheckpointOfPartsIsExported) {
  const TemporaryFolder folder;
  run_ranks<RlTrainer>(folder, 3, with(kShort, {"--parallel.shard=parameters"}));
  ExportOptions options;
  options.from = folder / "run";
  options.to = folder / "exported";
  EXPECT_TRUE(fs::exists(export_checkpoint(options).checkpoint / "weights-00002-of-00003.safetensors"));
  EXPECT_EQ(read_file(folder / "exported/model.safetensors"), read_file(folder / "run/model/model.safetensors"));
}

class FaultVariable {
 public:
  explicit FaultVariable(const char* value) { ::setenv("LACONIC_FAULT", value, 1); }
  ~FaultVariable() { ::unsetenv("LACONIC_FAULT"); }
  FaultVariable(const FaultVariable&) = delete;
  FaultVariable& operator=(const FaultVariable&) = delete;
};

std::string failure_under(const char* fault, const Overrides& overrides = {}) {
  const FaultVariable variable(fault);
  const TemporaryFolder folder;
  write_chain_model(folder / "model");
  try {
    train_on<RlTrainer>(folder.path(), 2, overrides);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(ParallelFaults, RanksThatDriftApartAreTold) {
  EXPECT_THAT(
      failure_under("desync:rank=1,step=2", {"--parallel.check_every=1"}),
      testing::AllOf(HasSubstr("after step 2"), HasSubstr("drifted apart"), HasSubstr("model.embed_tokens.weight")));
}

TEST(ParallelFaults, AGradientThatChangesOnItsWayIsTold) {
  EXPECT_THAT(failure_under("corrupt:rank=1,step=2,phase=update"),
              testing::AllOf(HasSubstr("different gradients"), HasSubstr("on rank 0, but"), HasSubstr("on rank 1")));
}

TEST(ParallelFaults, AMessageThatChangesOnItsWayIsTold) {
  EXPECT_THAT(failure_under("corrupt:rank=1,step=2,phase=rollout"), HasSubstr("arrived otherwise than it was sent"));
}

TEST(ParallelFaults, WeightsThatAreDividedCannotDriftApart) {
  EXPECT_THAT(failure_under("desync:rank=1,step=2", {"--parallel.shard=parameters"}),
              HasSubstr("no weight is held twice"));
}

TEST(ParallelFaults, AGradientThatIsNotFiniteOnOneRankSkipsTheStepOnAll) {
  for (const char* shard : {"--parallel.shard=none", "--parallel.shard=optimizer", "--parallel.shard=gradients",
                            "--parallel.shard=parameters"}) {
    const FaultVariable variable("nan_gradient:rank=1,step=2");
    const TemporaryFolder folder;
    run_ranks<RlTrainer>(folder, 2, {shard});
    const auto metrics_rows = rows(folder, "metrics.jsonl");
    EXPECT_EQ(metrics_rows[1].at("optim/skipped"), 1);
    EXPECT_EQ(metrics_rows[2].at("optim/skipped"), 0);
  }
}

TEST(ParallelFaults, AFailedWriteLeavesTheEarlierCheckpoint) {
  const TemporaryFolder whole, broken;
  run_ranks<RlTrainer>(whole, 2, {});
  write_chain_model(broken / "model");
  {
    const FaultVariable variable("fail_write:rank=0,step=3");
    EXPECT_THROW(train_on<RlTrainer>(broken.path(), 2, {}), Error);
  }
  EXPECT_TRUE(train_on<RlTrainer>(broken.path(), 2, {}, {metrics::ExistingRun::resume, "test", {}}));
  EXPECT_EQ(reproducible_files(broken / "run"), reproducible_files(whole / "run"));
}

TEST(ParallelFaults, AnErrorOfOneRankEndsAll) {
  EXPECT_THAT(failure_under("error:rank=1,step=2,phase=score"), HasSubstr("rank 1 at step 2 in phase score"));
}

}  // namespace
}  // namespace laconic::trainers
