// A rank that stands still, fails or vanishes is noticed by the others, and named; faults on purpose.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <utility>

#include "laconic/core/base/timer.h"
#include "laconic/core/distributed/faults.h"
#include "laconic/core/distributed/watchdog.h"
#include "tests/support/error_of.h"

namespace laconic::distributed {
namespace {

using testing::AllOf;
using testing::HasSubstr;

// A rank's watchdog with times for tests, and what it reported.
struct Watched {
  Activity activity;
  std::promise<std::string> report;
  std::future<std::string> reported = report.get_future();
  std::unique_ptr<Watchdog> dog;

  Watched(int rank, int ranks, const LocalBlackboard& board, double timeout_s, double dead_after_s = 60) {
    WatchdogOptions options;
    options.timeout_s = timeout_s;
    options.dead_after_s = dead_after_s;
    options.interval_s = 0.02;
    options.courtesy_s = 0.1;
    options.on_failure = [this](const std::string& text) { report.set_value(text); };
    dog = std::make_unique<Watchdog>(activity, rank, ranks, std::make_unique<LocalBlackboard>(board), options);
  }
  bool quiet() { return reported.wait_for(std::chrono::milliseconds(0)) != std::future_status::ready; }
  std::string text() {
    if (reported.wait_for(std::chrono::seconds(20)) != std::future_status::ready) return "";
    return reported.get();
  }
};

TEST(Watchdog, APhaseWithoutProgressIsNamedOnEveryRank) {
  const LocalBlackboard board;
  Watched first(0, 2, board, 60), second(1, 2, board, 0.3);
  first.activity.begin_phase("update");
  first.activity.begin_collective("all_reduce", 17);
  second.activity.begin_phase("rollout");
  second.activity.begin_collective("barrier", 16);
  second.activity.end_collective();
  EXPECT_THAT(second.text(),
              AllOf(HasSubstr("rank 1 of 2: no progress for"), HasSubstr("phase rollout, after barrier #16"),
                    HasSubstr("rank 0: phase update, waiting in all_reduce #17")));
  EXPECT_THAT(first.text(), AllOf(HasSubstr("rank 0 of 2: rank 1 has failed"), HasSubstr("phase rollout"),
                                  HasSubstr("this rank was in phase update, waiting in all_reduce #17")));
}

TEST(Watchdog, ProgressIsEnough) {
  const LocalBlackboard board;
  Watched only(0, 1, board, 0.3);
  for (const Timer timer; timer.seconds() < 0.8;) {
    only.activity.progress();
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_TRUE(only.quiet());
}

TEST(Watchdog, WaitingForARankThatMakesProgressIsNoFailure) {
  const LocalBlackboard board;
  Watched first(0, 2, board, 0.3), second(1, 2, board, 0.3);
  first.activity.begin_collective("all_gather", 3);
  for (const Timer timer; timer.seconds() < 0.9;) {
    second.activity.progress();
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_TRUE(first.quiet());
  second.activity.begin_collective("barrier", 3);  // now both wait
  EXPECT_THAT(first.text(), HasSubstr("all_gather #3"));
}

TEST(Watchdog, ARankThatVanishesIsMissed) {
  LocalBlackboard board;
  Watched first(0, 2, board, 60, 0.3);
  board.post(1, R"({"beat": 4, "state": 0, "text": "phase score, after all_gather #3, for 0.1 s", "idle_s": 0.1})");
  EXPECT_THAT(first.text(),
              AllOf(HasSubstr("rank 1 gave no sign of life"), HasSubstr("phase score, after all_gather #3")));
}

TEST(Watchdog, AFailureIsToldToTheOthers) {
  const LocalBlackboard board;
  Watched first(0, 3, board, 60), second(1, 3, board, 60), third(2, 3, board, 60);
  second.dog->failed("the disk is full");
  EXPECT_THAT(first.text(), HasSubstr("rank 1 has failed (the disk is full)"));
  EXPECT_THAT(third.text(), HasSubstr("has failed"));
  EXPECT_TRUE(second.quiet());
}

TEST(Watchdog, WhoSuffersEndsAfterTheCauseWhichIsNamed) {
  const LocalBlackboard board;
  Watched first(0, 3, board, 60), second(1, 3, board, 60), third(2, 3, board, 60);
  second.dog->failed("the disk is full");
  const Timer timer;
  EXPECT_EQ(first.dog->suffered("a connection was closed"), "rank 1 has failed: the disk is full");
  EXPECT_GE(timer.seconds(), 0.1);
  EXPECT_THAT(third.text(), HasSubstr("rank 1 has failed (the disk is full)"));
}

TEST(Watchdog, WhoSuffersFromNobodyKnownIsNamed) {
  const LocalBlackboard board;
  Watched first(0, 2, board, 60), second(1, 2, board, 60);
  second.dog->suffered("a connection was closed");
  EXPECT_THAT(first.text(), HasSubstr("rank 1 has failed (a connection was closed)"));
}

TEST(Watchdog, WhoSuffersNamesTheRankThatIsSilent) {
  const LocalBlackboard board;
  Watched first(0, 3, board, 60), third(2, 3, board, 60);  // of rank 1 nothing is heard
  EXPECT_THAT(first.dog->suffered("a connection was closed"),
              AllOf(HasSubstr("rank 1 has given no sign of life for"), HasSubstr("probably gone")));
}

TEST(Watchdog, AnEndWithoutAWordIsAFailure) {
  const LocalBlackboard board;
  Watched first(0, 2, board, 60);
  { const Watched second(1, 2, board, 60); }
  EXPECT_THAT(first.text(), HasSubstr("rank 1 has failed (it ended without a word)"));
}

TEST(Watchdog, ARankThatHasFinishedIsNotMissed) {
  const LocalBlackboard board;
  Watched first(0, 2, board, 60, 0.2), second(1, 2, board, 60, 60);
  second.dog->finished();
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  EXPECT_TRUE(first.quiet());
  first.dog->finished();
}

class GoneBlackboard final : public Blackboard {
 public:
  void post(int /*rank*/, const std::string& /*text*/) override { throw std::runtime_error("connection refused"); }
  std::string read(int /*rank*/) override { return ""; }
};

// Answers until it has been told that the rank has finished, and no more until `end`.
class StuckBlackboard final : public Blackboard {
 public:
  StuckBlackboard(std::promise<void>& stuck, std::shared_future<void> end) : stuck_(stuck), end_(std::move(end)) {}
  void post(int /*rank*/, const std::string& text) override {
    if (std::exchange(finished_, text.find("\"state\":1") != std::string::npos)) {
      stuck_.set_value();
      end_.wait();
    }
  }
  std::string read(int /*rank*/) override { return ""; }

 private:
  std::promise<void>& stuck_;
  std::shared_future<void> end_;
  bool finished_ = false;
};

TEST(Watchdog, AStoreThatAnswersNoMoreDoesNotHoldUpTheEnd) {
  std::promise<void> stuck, end;
  {
    const Activity activity;
    WatchdogOptions options;
    options.interval_s = 0.01;
    options.courtesy_s = 0.1;
    Watchdog dog(activity, 0, 1, std::make_unique<StuckBlackboard>(stuck, end.get_future().share()), options);
    dog.finished();
    stuck.get_future().wait();
  }
  end.set_value();
}

TEST(Watchdog, AReasonMayBeNoUtf8) {
  const LocalBlackboard board;
  Watched first(0, 2, board, 60), second(1, 2, board, 60);
  second.dog->failed("cannot read \xff.txt");
  EXPECT_THAT(first.text(), AllOf(HasSubstr("rank 1 has failed (cannot read "), HasSubstr(".txt)")));
}

TEST(Watchdog, AStoreThatIsGoneMeansRankZero) {
  Activity activity;
  std::promise<std::string> report;
  WatchdogOptions options;
  options.interval_s = 0.02;
  options.courtesy_s = 0.1;
  options.on_failure = [&](const std::string& text) { report.set_value(text); };
  const Watchdog dog(activity, 1, 2, std::make_unique<GoneBlackboard>(), options);
  EXPECT_THAT(report.get_future().get(), HasSubstr("rank 0, which the ranks meet at, is gone"));
}

TEST(Faults, HappenOnceAtTheirPlace) {
  auto faults = Faults::parse("error:rank=1,step=2,phase=score; nan_gradient:rank=0,step=3");
  faults.at(0, 2, "score");
  faults.at(1, 1, "score");
  faults.at(1, 2, "update");
  EXPECT_THAT(error_of([&] { faults.at(1, 2, "score"); }), AllOf(HasSubstr("rank 1"), HasSubstr("phase score")));
  EXPECT_EQ(faults.at(1, 2, "score"), 0);
  EXPECT_EQ(Faults::parse("corrupt:rank=1,step=2,phase=score").at(1, 2, "score"), 1);
  EXPECT_FALSE(faults.due("nan_gradient", 0, 2));
  EXPECT_TRUE(faults.due("nan_gradient", 0, 3));
  EXPECT_FALSE(faults.due("nan_gradient", 0, 3));
}

TEST(Faults, WhatIsNotUnderstoodIsAnError) {
  const auto message = [](const std::string& text) { return error_of([&] { Faults::parse(text); }); };
  EXPECT_EQ(message(""), "");
  EXPECT_THAT(message("kil:rank=1"), HasSubstr("did you mean `kill`"));
  EXPECT_THAT(message("kill:rank=1,step=1"), HasSubstr("phase"));
  EXPECT_THAT(message("kill:rank=x,step=1,phase=a"), HasSubstr("`x`"));
  EXPECT_THAT(message("desync:rank=1,step=1,phase=a"), HasSubstr("phase=a"));
  EXPECT_THAT(message("desync:rank=1"), HasSubstr("step"));
  EXPECT_EQ(message("corrupt:rank=1,step=1,phase=a,collective=2"), "");
  EXPECT_THAT(message("corrupt:rank=1,step=1,phase=a,collective=0"), HasSubstr("from 1"));
  EXPECT_THAT(message("kill:rank=1,step=1,phase=a,collective=2"), HasSubstr("collective=2"));
}

}  // namespace
}  // namespace laconic::distributed
