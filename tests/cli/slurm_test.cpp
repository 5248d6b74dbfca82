// The job script of `laconic slurm`: what a cluster's administrator looks at.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "laconic/cli/slurm_script.h"
#include "laconic/core/base/files.h"
#include "tests/cli/run_cli.h"
#include "tests/support/temporary_folder.h"

namespace laconic::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class Slurm : public testing::Test {
 protected:
  void SetUp() override {
    write_file_atomic(
        config_, "model: {path: m}\ndata: {path: d.jsonl}\nobjective: {name: grpo}\noutput: {folder: runs/mine}\n");
  }
  Outcome slurm(Arguments arguments) {
    arguments.insert(arguments.begin(), {"slurm", config_.string()});
    return run_cli(arguments);
  }
  TemporaryFolder folder_;
  std::filesystem::path config_ = folder_ / "run.yaml";
};

TEST_F(Slurm, WritesEverythingThatWasAskedFor) {
  const auto outcome =
      slurm({"--nodes", "2", "--gpus-per-node", "8", "--cpus-per-rank", "12", "--time", "04:00:00", "--partition",
             "gpu", "--account", "me", "--qos", "high", "--mem", "0", "--grace", "300", "--train.steps=7"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  for (const char* line : {"#!/bin/bash\n",
                           "#SBATCH --job-name=mine\n",
                           "#SBATCH --nodes=2\n",
                           "#SBATCH --ntasks-per-node=8\n",
                           "#SBATCH --gpus-per-node=8\n",
                           "#SBATCH --cpus-per-task=12\n",
                           "#SBATCH --time=04:00:00\n",
                           "#SBATCH --partition=gpu\n",
                           "#SBATCH --account=me\n",
                           "#SBATCH --qos=high\n",
                           "#SBATCH --mem=0\n",
                           "#SBATCH --signal=TERM@300\n",
                           "#SBATCH --requeue\n",
                           "runs/mine.slurm/%j.log\n",
                           "srun --kill-on-bad-exit=1",
                           "%j.rank-%t.log",
                           "NCCL_DEBUG",
                           "MASTER_ADDR=",
                           "--train.steps=7 --resume\n",
                           "scontrol requeue"})
    EXPECT_THAT(outcome.out, HasSubstr(line));
  EXPECT_THAT(outcome.out, HasSubstr(" train " + config_.string() + " "));
}

TEST_F(Slurm, LeavesOutWhatWasNot) {
  const auto outcome = slurm({"--ranks-per-node", "2", "--no-requeue"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  for (const char* text : {"--time", "--partition", "--account", "gpus", "NCCL", "scontrol requeue", "container"})
    EXPECT_THAT(outcome.out, Not(HasSubstr(text)));
  EXPECT_THAT(outcome.out, HasSubstr("#SBATCH --no-requeue\n"));
}

TEST_F(Slurm, Containers) {
  const auto outcome =
      slurm({"--gpus-per-node", "1", "--container", "registry#image:tag", "--container-mounts", "/data,/home"});
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("--container-image='registry#image:tag'"),
                                 HasSubstr("--container-mounts=/data,/home"), HasSubstr(" laconic train ")));
}

TEST_F(Slurm, MistakesShowNow) {
  EXPECT_THAT(slurm({"--nodes", "2"}).err, HasSubstr("--gpus-per-node M"));
  EXPECT_THAT(slurm({"--gpus-per-node", "1", "--train.stpes=2"}).err, HasSubstr("steps"));
  EXPECT_THAT(slurm({"--gpus-per-node", "1", "--chain", "2"}).err, HasSubstr("--chain needs --submit"));
  EXPECT_EQ(slurm({"--gpus-per-node", "x"}).status, 2);
}

TEST(ShellWord, IsReadBackAsItIs) {
  EXPECT_EQ(shell_word("--a.b=1e-3"), "--a.b=1e-3");
  EXPECT_EQ(shell_word(""), "''");
  EXPECT_EQ(shell_word("a b"), "'a b'");
  EXPECT_EQ(shell_word("it's"), "'it'\\''s'");
  EXPECT_EQ(shell_word("$(x)"), "'$(x)'");
}

}  // namespace
}  // namespace laconic::cli
