// Ranks as real processes: `laconic launch` over Gloo, with what goes wrong.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "laconic/core/base/timer.h"
#include "tests/cli/run_program.h"
#include "tests/trainers/chain_runs.h"

namespace laconic::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class Launch : public testing::Test {
 protected:
  void SetUp() override {
    trainers::write_chain_model(folder_ / "model");
    write_file_atomic(folder_ / "rl.yaml", "seed: 5\nmodel: {path: " + (folder_ / "model").string() +
                                               ", tokenizer: chain, init: random}\n"
                                               "data: {source: chain, chain_per_grade: 4}\n"
                                               "objective: {name: grpo, group_size: 4, updates_per_rollout: 2, kl: "
                                               "{coefficient: 0.01}, overlong: {buffer: 20}}\n"
                                               "rollout: {max_tokens: 24}\nreward: {verifier: boxed_exact}\n"
                                               "optimizer: {lr: 1.0e-3}\ntrain: {steps: 3, prompts_per_step: 4}\n"
                                               "checkpoint: {every: 1}\noutput: {tensorboard: false}\n");
  }
  // $RL is the configuration, $RUN the run folder.
  Outcome shell(const std::string& script) {
    return run_shell("export OMP_NUM_THREADS=1; cd '" + folder_.path().string() + "'; RL=rl.yaml\n" + script);
  }
  std::string file(const std::string& name) { return read_file(folder_ / name); }
  TemporaryFolder folder_;
};

TEST_F(Launch, TwoProcessesTrainAsOneDoes) {
  const auto one = shell("\"$LACONIC\" train $RL --output.folder=one --threads=1");
  ASSERT_EQ(one.status, 0) << one.err;
  const auto two = shell(
      "\"$LACONIC\" launch -n 2 -- train $RL --output.folder=two --parallel.shard=optimizer --parallel.check_every=1");
  ASSERT_EQ(two.status, 0) << two.err;
  EXPECT_THAT(two.err, AllOf(HasSubstr("[0] 2 ranks, by laconic launch"), Not(HasSubstr("[1] "))));
  EXPECT_THAT(two.out, HasSubstr("[0] report two/report.html"));
  EXPECT_EQ(file("two/evaluations.jsonl").substr(0, 400), file("one/evaluations.jsonl").substr(0, 400));
  // The samples of the first step are those of one rank, bit for bit.
  EXPECT_EQ(split(file("two/samples.jsonl"), '\n').front(), split(file("one/samples.jsonl"), '\n').front());
}

TEST_F(Launch, AKilledRankEndsTheRunAndItGoesOnToTheSameNumbers) {
  ASSERT_EQ(shell("\"$LACONIC\" launch -n 2 -- train $RL --output.folder=whole").status, 0);
  for (const char* phase : {"rollout", "update"}) {
    const Timer timer;
    const auto killed = shell(std::string("export LACONIC_FAULT=kill:rank=1,step=2,phase=") + phase +
                              "; \"$LACONIC\" launch -n 2 --grace 3 -- train $RL --output.folder=broken --overwrite");
    EXPECT_EQ(killed.status, 128 + 9) << killed.err;
    EXPECT_THAT(killed.err, HasSubstr("laconic launch: error: rank 1 was ended by signal 9 (Killed)"));
    EXPECT_LT(timer.seconds(), 30);
    const auto resumed = shell("\"$LACONIC\" launch -n 2 -- train $RL --output.folder=broken --resume");
    EXPECT_EQ(resumed.status, 0) << resumed.err;
    for (const char* name : {"metrics.jsonl", "samples.jsonl", "evaluations.jsonl", "model/model.safetensors"})
      EXPECT_EQ(file(std::string("broken/") + name), file(std::string("whole/") + name)) << phase << " " << name;
  }
}

TEST_F(Launch, AStalledRankIsNamedByEveryRank) {
  const auto outcome = shell(
      "export LACONIC_FAULT=stall:rank=1,step=2,phase=score; \"$LACONIC\" launch -n 2 --grace 10 -- train $RL "
      "--output.folder=run --parallel.timeout=2");
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.err,
              HasSubstr("laconic launch: error: rank 1 ended with status 1: laconic train: error: rank 1 of "
                        "2: no progress for"));
  EXPECT_THAT(outcome.err, HasSubstr("phase score, after all_gather"));
  EXPECT_THAT(outcome.err, HasSubstr("[1]   rank 0: phase score, waiting in all_gather"));
  EXPECT_THAT(outcome.err, HasSubstr("[0] laconic train: error: rank 0 of 2: "));
}

TEST_F(Launch, AnErrorIsToldOnceByItsRankAndHeardByTheOthers) {
  for (const std::string rank : {"0", "1"}) {  // the other one is in a collective and loses its connection
    const auto outcome = shell("export LACONIC_FAULT=error:rank=" + rank +
                               ",step=1,phase=update; \"$LACONIC\" launch -n 2 --grace 5 -- train $RL "
                               "--output.folder=run" +
                               rank);
    EXPECT_EQ(outcome.status, 1);
    const auto cause = "laconic train: error: LACONIC_FAULT: an error on purpose of rank " + rank;
    EXPECT_THAT(outcome.err, HasSubstr("[" + rank + "] " + cause));
    EXPECT_THAT(outcome.err, HasSubstr("laconic launch: error: rank " + rank + " ended with status 1: " + cause));
  }
}

TEST_F(Launch, ASignalSavesOnAllRanks) {
  ASSERT_EQ(shell("\"$LACONIC\" launch -n 2 -- train $RL --output.folder=whole --train.steps=6").status, 0);
  const auto stopped = shell(
      "\"$LACONIC\" launch -n 2 -- train $RL --output.folder=run --train.steps=6 & \n"
      "while ! test -s run/metrics.jsonl; do sleep 0.05; done; kill -TERM $!; wait $!");
  EXPECT_EQ(stopped.status, 143) << stopped.err;
  EXPECT_THAT(stopped.err, AllOf(HasSubstr("[0] checkpoint"), HasSubstr("[0] stopped after step")));
  EXPECT_EQ(shell("\"$LACONIC\" launch -n 2 -- train $RL --output.folder=run --train.steps=6 --resume").status, 0);
  EXPECT_EQ(file("run/metrics.jsonl"), file("whole/metrics.jsonl"));
  EXPECT_EQ(file("run/model/model.safetensors"), file("whole/model/model.safetensors"));
}

TEST_F(Launch, ASignalToOneRankStopsAllWithItsStatus) {
  for (const char* rank : {"0", "1"}) {
    const std::string folder = std::string("run") + rank;
    const auto stopped = shell("\"$LACONIC\" launch -n 2 -- train $RL --output.folder=" + folder +
                               " --train.steps=600 & \nwhile ! test -s " + folder +
                               "/metrics.jsonl; do sleep 0.05; done\n"
                               "for p in $(pgrep -P $!); do grep -zqx LACONIC_RANK=" +
                               rank + " /proc/$p/environ && kill -TERM $p; done; wait $!");
    EXPECT_EQ(stopped.status, 143) << stopped.err;
    EXPECT_THAT(stopped.err, AllOf(HasSubstr("[0] stopped after step"), Not(HasSubstr("error:"))));
  }
}

TEST_F(Launch, WhoeverReadsTheLinesMayGo) {
  const auto outcome = shell(
      "\"$LACONIC\" launch -n 2 -- train $RL --output.folder=run --train.steps=600 --checkpoint.every=0 2>&1 | head "
      "-1\n"
      "echo ${PIPESTATUS[0]}; ls run/checkpoints");
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("\n141\n"), HasSubstr("step-00000")));
}

TEST_F(Launch, RanksOfDifferentConfigurationsDoNotStart) {
  const auto outcome = shell(
      "P=$((20000 + $$ % 10000)); export RANK=0 WORLD_SIZE=2 MASTER_ADDR=127.0.0.1 MASTER_PORT=$P\n"
      "\"$LACONIC\" train $RL --output.folder=run 2>zero & \n"
      "RANK=1 \"$LACONIC\" train $RL --output.folder=run --optimizer.lr=0.5 2>one; echo $?; wait $!; echo $?; cat zero "
      "one >&2");
  EXPECT_EQ(outcome.out, "2\n2\n") << outcome.err;
  for (const auto& text : {file("zero"), file("one")})
    EXPECT_THAT(text,
                AllOf(HasSubstr("rank 1 ("), HasSubstr("another configuration"), HasSubstr("`optimizer.lr: 0.5`")));
}

TEST_F(Launch, ADryRunPlansForSoManyRanks) {
  const auto by_hand = shell(
      "\"$LACONIC\" train $RL --output.folder=run --dry-run --world-size 4 "
      "--parallel.shard=parameters");
  ASSERT_EQ(by_hand.status, 0) << by_hand.err;
  EXPECT_THAT(by_hand.out, AllOf(HasSubstr("of each of 4 ranks, parallel.shard: parameters"),
                                 HasSubstr("gathered weights, whole, for a rollout"),
                                 HasSubstr("wire         of each rank and step: ")));
  const auto launched = shell("\"$LACONIC\" launch -n 2 -- train $RL --output.folder=run --dry-run");
  EXPECT_THAT(launched.out,
              AllOf(HasSubstr("[0] memory       of each of 2 ranks, parallel.shard: none"), Not(HasSubstr("[1] "))));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "run"));
}

TEST_F(Launch, WeightsDividedBetweenProcesses) {
  ASSERT_EQ(shell("\"$LACONIC\" train $RL --output.folder=one --threads=1").status, 0);
  for (const std::string gather : {"whole", "layers"}) {
    const auto outcome =
        shell("\"$LACONIC\" launch -n 2 -- train $RL --output.folder=" + gather +
              " --parallel.shard=parameters --train.micro_batch_tokens=64 --parallel.gather_for_rollout=" + gather);
    ASSERT_EQ(outcome.status, 0) << outcome.err;
    EXPECT_EQ(split(file(gather + "/samples.jsonl"), '\n').front(), split(file("one/samples.jsonl"), '\n').front());
  }
  EXPECT_EQ(file("layers/model/model.safetensors"), file("whole/model/model.safetensors"));
}

TEST_F(Launch, RanksMeetInAFile) {
  const auto outcome = shell(
      "\"$LACONIC\" train $RL --output.folder=run --rank 1 --world-size 2 --meet file:meet & \n"
      "\"$LACONIC\" train $RL --output.folder=run --rank 0 --world-size 2 --meet file:meet && wait $!");
  EXPECT_EQ(outcome.status, 0) << outcome.err;
}

// Two starters that know nothing of each other, as on two machines.
TEST_F(Launch, TheSameCommandOnEachOfTwoMachines) {
  const auto outcome = shell(
      "\"$LACONIC\" launch --nodes 2 --node 1 --meet file:$PWD/meet -- train $RL --output.folder=run & \n"
      "\"$LACONIC\" launch --nodes 2 --node 0 --meet file:$PWD/meet -- train $RL --output.folder=run && wait $!");
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("[0] 2 ranks, by laconic launch"));
}

TEST_F(Launch, SftOnThreeRanks) {
  write_file_atomic(folder_ / "sft.yaml",
                    "seed: 5\nmodel: {path: model, tokenizer: chain, init: random}\n"
                    "data: {source: chain}\noptimizer: {lr: 1.0e-3}\n"
                    "train: {steps: 4, batch_size: 6}\noutput: {tensorboard: false}\n");
  const auto outcome = shell("\"$LACONIC\" launch --ranks=3 -- sft sft.yaml --output.folder=run");
  EXPECT_EQ(outcome.status, 0) << outcome.err;
}

TEST(LaunchMisuse, IsExplained) {
  EXPECT_THAT(run_cli({"launch", "-n", "2"}).err, HasSubstr("-- COMMAND"));
  EXPECT_THAT(run_cli({"launch", "-n", "0", "--", "train", "x"}).err,
              HasSubstr("--ranks: expected a whole number from 1"));
  EXPECT_THAT(run_cli({"launch", "--", "eval", "x"}).err, HasSubstr("expected `train` or `sft`"));
  EXPECT_THAT(run_cli({"launch", "--nodes", "2", "--", "train", "x"}).err, HasSubstr("--meet"));
}

}  // namespace
}  // namespace laconic::cli
