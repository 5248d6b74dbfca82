// Ranks as processes of this machine: what they are told, how they end.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <map>

#include "laconic/core/base/timer.h"
#include "laconic/core/distributed/local_ranks.h"

namespace laconic::distributed {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct Run {
  LocalRanksOutcome outcome;
  std::map<int, std::vector<std::string>> out, error;
  double seconds = 0;
};

Run run_shell(const std::string& script, LocalRanksOptions options) {
  Run run;
  options.command = {"/bin/sh", "-c", script};
  options.on_line = [&](int rank, bool error_output, const std::string& line) {
    (error_output ? run.error : run.out)[rank].push_back(line);
  };
  const Timer timer;
  run.outcome = run_local_ranks(options);
  run.seconds = timer.seconds();
  return run;
}

LocalRanksOptions ranks_of(int ranks) {
  LocalRanksOptions options;
  options.ranks = options.world_size = ranks;
  return options;
}

TEST(LocalRanks, TheyKnowWhoTheyAre) {
  auto options = ranks_of(2);
  options.first_rank = 4;
  options.world_size = 6;
  options.meet = "host:77";
  options.run_id = "a run";
  const auto run = run_shell(
      "echo $LACONIC_RANK/$LACONIC_WORLD_SIZE $LACONIC_LOCAL_RANK/$LACONIC_LOCAL_WORLD_SIZE $LACONIC_MEET "
      "$LACONIC_RUN_ID; cat; echo whole >&2; printf half >&2",
      options);
  EXPECT_EQ(run.outcome.status, 0);
  EXPECT_EQ(run.outcome.reason, "");
  EXPECT_THAT(run.out.at(4), ElementsAre("4/6 0/2 host:77 a run"));
  EXPECT_THAT(run.out.at(5), ElementsAre("5/6 1/2 host:77 a run"));
  EXPECT_THAT(run.error.at(5), ElementsAre("whole", "half"));
}

TEST(LocalRanks, RankZeroInheritsTheSocket) {
  const auto run =
      run_shell("echo $LACONIC_MEET; test -S /proc/self/fd/$LACONIC_LISTEN_FD && echo socket; true", ranks_of(2));
  EXPECT_THAT(run.out.at(0), ElementsAre(HasSubstr("127.0.0.1:"), "socket"));
  EXPECT_THAT(run.out.at(1), ElementsAre(run.out.at(0).front()));
}

TEST(LocalRanks, TheFirstFailureEndsAllAndIsTheStatus) {
  const auto run = run_shell(
      "test $LACONIC_RANK = 1 && { echo 'laconic train: error: no luck' >&2; exit 7; }; exec sleep 60", ranks_of(3));
  EXPECT_EQ(run.outcome.status, 7);
  EXPECT_EQ(run.outcome.reason, "rank 1 ended with status 7: laconic train: error: no luck");
  EXPECT_LT(run.seconds, 10);
}

TEST(LocalRanks, AKilledRankIsNamed) {
  const auto run = run_shell("test $LACONIC_RANK = 0 && kill -9 $$; exec sleep 60", ranks_of(2));
  EXPECT_EQ(run.outcome.status, 128 + 9);
  EXPECT_THAT(run.outcome.reason, HasSubstr("rank 0 was ended by signal 9 (Killed)"));
}

TEST(LocalRanks, RanksThatDoNotHearAreKilled) {
  auto options = ranks_of(2);
  options.grace_s = 0.5;
  const auto run = run_shell("test $LACONIC_RANK = 0 && exit 3; trap '' TERM; while :; do sleep 0.1; done", options);
  EXPECT_EQ(run.outcome.status, 3);
  EXPECT_LT(run.seconds, 10);
}

TEST(LocalRanks, SignalsArePassedOnOnce) {
  auto options = ranks_of(2);
  options.command = {"/bin/sh", "-c", "trap 'echo stopping; exit 143' TERM; echo ready; while :; do sleep 0.05; done"};
  int ready = 0;
  std::map<int, std::vector<std::string>> lines;
  options.on_line = [&](int rank, bool, const std::string& line) {
    lines[rank].push_back(line);
    if (line == "ready" && ++ready == 2) ::raise(SIGTERM);  // to this thread: others may not have it blocked
  };
  const auto outcome = run_local_ranks(options);
  EXPECT_EQ(outcome.status, 143);
  EXPECT_TRUE(outcome.stopped);
  EXPECT_EQ(outcome.reason, "");
  for (int rank = 0; rank < 2; ++rank) EXPECT_THAT(lines[rank], ElementsAre("ready", "stopping"));
}

// A rank that has not begun to listen is ended by the signal: a stop all the same.
TEST(LocalRanks, ASignalBeforeTheRanksListen) {
  auto options = ranks_of(2);
  options.command = {"/bin/sh", "-c",
                     "test $LACONIC_RANK = 1 && trap '' TERM; echo ready; while :; do sleep 0.05; done"};
  options.grace_s = 0.2;  // rank 1 would go on
  int ready = 0;
  options.on_line = [&](int, bool, const std::string&) {
    if (++ready == 2) ::raise(SIGTERM);
  };
  const auto outcome = run_local_ranks(options);
  EXPECT_EQ(outcome.status, 128 + SIGTERM);
  EXPECT_TRUE(outcome.stopped);
  EXPECT_EQ(outcome.reason, "");
}

// The others stop with it, and are given the time to save.
TEST(LocalRanks, ASignalToOneRankAlone) {
  const auto run = run_shell(
      "test $LACONIC_RANK = 1 && exit 143; trap 'exit 9' TERM; for i in 1 2 3 4 5; do sleep 0.1; done; exit 143",
      ranks_of(2));
  EXPECT_EQ(run.outcome.status, 143);
  EXPECT_TRUE(run.outcome.stopped);
  EXPECT_EQ(run.outcome.reason, "");
  EXPECT_GT(run.seconds, 0.4);
}

TEST(LocalRanks, AProgramThatCannotBeStarted) {
  auto options = ranks_of(1);
  options.command = {"/nonexistent/program"};
  const auto outcome = run_local_ranks(options);
  EXPECT_EQ(outcome.status, 127);
  EXPECT_THAT(outcome.reason, HasSubstr("cannot be started"));
}

}  // namespace
}  // namespace laconic::distributed
