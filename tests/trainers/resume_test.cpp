// Resumed = uninterrupted, bit for bit, wherever the run was stopped.
#include <gtest/gtest.h>

#include "laconic/core/base/error.h"
#include "tests/trainers/chain_runs.h"

namespace laconic::trainers {
namespace {

namespace fs = std::filesystem;

// Runs to the end, stopping after every `updates` optimizer updates and going on in a new trainer. Returns the number
// of trainers that it took.
template <typename Trainer, typename Config>
int run_in_pieces(const Config& config, int64_t updates) {
  for (int pieces = 1;; ++pieces) {
    Trainer trainer(config, {metrics::ExistingRun::resume, "test", updates});
    if (trainer.run()) return pieces;
  }
}

TEST(Resume, RlRunStoppedAfterEveryUpdate) {
  const TemporaryFolder whole, pieces;
  for (const auto* folder : {&whole, &pieces}) write_chain_model(*folder / "model");
  RlTrainer(chain_config(whole.path()), {}).run();
  // Two updates per rollout: every second stop falls inside the reuse of a rollout.
  EXPECT_GE(run_in_pieces<RlTrainer>(chain_config(pieces.path()), 1), 8);
  const auto expected = reproducible_files(whole / "run"), got = reproducible_files(pieces / "run");
  ASSERT_EQ(expected.size(), 5u);
  for (const auto& [name, content] : expected) EXPECT_EQ(got.at(name), content) << name;
}

TEST(Resume, RefillAndStopsInBetween) {
  const std::vector<std::string> filter = {"--objective.filter.keep=reward_variance", "--objective.filter.max_rounds=2",
                                           "--objective.overlong.buffer=20", "--objective.updates_per_rollout=1",
                                           "--objective.kl.coefficient=0"};
  const TemporaryFolder whole, pieces;
  for (const auto* folder : {&whole, &pieces}) write_chain_model(*folder / "model");
  RlTrainer(chain_config(whole.path(), filter), {}).run();
  run_in_pieces<RlTrainer>(chain_config(pieces.path(), filter), 1);
  EXPECT_EQ(reproducible_files(pieces / "run"), reproducible_files(whole / "run"));
}

TEST(Resume, SftRun) {
  const TemporaryFolder whole, pieces;
  for (const auto* folder : {&whole, &pieces}) write_chain_model(*folder / "model");
  SftTrainer(sft_config(whole.path()), {}).run();
  EXPECT_GE(run_in_pieces<SftTrainer>(sft_config(pieces.path()), 3), 3);
  EXPECT_EQ(reproducible_files(pieces / "run"), reproducible_files(whole / "run"));
}

TEST(Resume, DamagedCheckpointIsPassedOver) {
  const TemporaryFolder whole, damaged;
  for (const auto* folder : {&whole, &damaged}) write_chain_model(*folder / "model");
  RlTrainer(chain_config(whole.path()), {}).run();
  RlTrainer(chain_config(damaged.path()), {metrics::ExistingRun::refuse, "test", 5}).run();
  std::vector<fs::path> checkpoints;
  for (const auto& entry : fs::directory_iterator(damaged / "run/checkpoints")) checkpoints.push_back(entry.path());
  std::sort(checkpoints.begin(), checkpoints.end());
  ASSERT_GE(checkpoints.size(), 2u);
  fs::resize_file(checkpoints.back() / "weights.safetensors", 1000);
  EXPECT_TRUE(RlTrainer(chain_config(damaged.path()), {metrics::ExistingRun::resume, "test", {}}).run());
  EXPECT_EQ(reproducible_files(damaged / "run"), reproducible_files(whole / "run"));
}

TEST(Resume, OtherConfigurationIsRefused) {
  const TemporaryFolder folder;
  write_chain_model(folder / "model");
  RlTrainer(chain_config(folder.path()), {metrics::ExistingRun::refuse, "test", 1}).run();
  try {
    RlTrainer(chain_config(folder.path(), {"--optimizer.beta2=0.5"}), {metrics::ExistingRun::resume, "test", {}}).run();
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("beta2"), std::string::npos) << error.what();
  }
  // What decides no number may change.
  EXPECT_TRUE(RlTrainer(chain_config(folder.path(), {"--train.steps=3", "--output.samples_per_step=0", "--threads=1"}),
                        {metrics::ExistingRun::resume, "test", {}})
                  .run());
}

TEST(Resume, ExistingFolderIsNotTouchedWithoutAWord) {
  const TemporaryFolder folder;
  write_chain_model(folder / "model");
  RlTrainer(chain_config(folder.path(), {"--train.steps=1"}), {}).run();
  const auto before = reproducible_files(folder / "run");
  EXPECT_THROW(RlTrainer(chain_config(folder.path(), {"--train.steps=1"}), {}).run(), Error);
  EXPECT_EQ(reproducible_files(folder / "run"), before);
}

}  // namespace
}  // namespace laconic::trainers
