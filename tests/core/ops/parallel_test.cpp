#include "laconic/core/ops/parallel.h"

#include <gtest/gtest.h>

#include <atomic>
#include <numeric>
#include <stdexcept>
#include <thread>
#include <vector>

#include "laconic/core/ops/linear.h"
#include "tests/support/error_of.h"
#include "tests/support/tensors.h"

namespace laconic::ops {
namespace {

class Parallel : public testing::Test {
 protected:
  void TearDown() override { set_threads(0); }
};

TEST_F(Parallel, EveryTaskRunsOnce) {
  for (const int count : {1, 2, 3, 5}) {
    set_threads(count);
    EXPECT_EQ(threads(), count);
    for (const int64_t tasks : {0, 1, 2, 3, 7, 1000}) {
      std::vector<std::atomic<int>> runs(static_cast<size_t>(tasks));
      parallel_tasks(tasks, [&](int64_t i) { ++runs[static_cast<size_t>(i)]; });
      for (const auto& r : runs) ASSERT_EQ(r.load(), 1);
    }
  }
  EXPECT_NE(error_of([] { set_threads(-1); }), "");
}

TEST_F(Parallel, PiecesCoverTheRangeAndDoNotDependOnTheThreads) {
  for (const int64_t n : {0, 1, 7, 8, 9, 100}) {
    for (const int64_t piece : {1, 8, 1000}) {
      std::vector<std::vector<std::pair<int64_t, int64_t>>> seen;
      for (const int count : {1, 3}) {
        set_threads(count);
        std::mutex mutex;
        std::vector<std::pair<int64_t, int64_t>> pieces;
        parallel_pieces(n, piece, [&](int64_t begin, int64_t end) {
          const std::lock_guard lock(mutex);
          pieces.emplace_back(begin, end);
        });
        std::sort(pieces.begin(), pieces.end());
        int64_t at = 0;
        for (const auto& [begin, end] : pieces) {
          EXPECT_EQ(begin, at);
          EXPECT_GT(end, begin);
          at = end;
        }
        EXPECT_EQ(at, n);
        seen.push_back(std::move(pieces));
      }
      EXPECT_EQ(seen[0], seen[1]);
    }
  }
}

TEST_F(Parallel, ManyTinyJobs) {
  set_threads(3);
  std::atomic<int64_t> sum{0};
  for (int job = 0; job < 100'000; ++job) parallel_tasks(2 + job % 3, [&](int64_t i) { sum += i + 1; });
  EXPECT_EQ(sum.load(), 33334 * 3 + 33333 * 6 + 33333 * 10);
}

TEST_F(Parallel, ExceptionsReachTheCallerAndTheTeamSurvives) {
  for (const int count : {1, 3}) {
    set_threads(count);
    for (int round = 0; round < 200; ++round) {
      const auto work = [&] {
        parallel_tasks(20, [&](int64_t i) {
          if (i % 5 == round % 5) throw std::runtime_error("task");
        });
      };
      EXPECT_THROW(work(), std::runtime_error);
      std::atomic<int> ran{0};
      parallel_tasks(4, [&](int64_t) { ++ran; });
      ASSERT_EQ(ran.load(), 4);
    }
  }
}

TEST_F(Parallel, NestedJobsRunInPlace) {
  set_threads(3);
  std::atomic<int> ran{0};
  parallel_tasks(8, [&](int64_t) {
    const auto self = std::this_thread::get_id();
    parallel_tasks(8, [&](int64_t) {
      EXPECT_EQ(std::this_thread::get_id(), self);
      ++ran;
    });
  });
  EXPECT_EQ(ran.load(), 64);
}

// An operation inside a task asks for the number of threads; that must not wait for the job that it is part of.
TEST_F(Parallel, OperationsMayBeCalledInsideTasks) {
  set_threads(3);
  const auto x = normal_tensor({200, 64}, 1), w = normal_tensor({96, 64}, 2);
  const auto expected = ops::linear(x, w, {});
  std::atomic<int> same{0};
  parallel_tasks(6, [&](int64_t) {
    EXPECT_EQ(threads(), 3);
    if (at::equal(ops::linear(x, w, {}), expected)) ++same;
  });
  EXPECT_EQ(same.load(), 6);
}

TEST_F(Parallel, ConcurrentCallers) {
  set_threads(3);
  const auto x = normal_tensor({150, 48}, 3), w = normal_tensor({80, 48}, 4);
  const auto expected = ops::linear(x, w, {});
  std::atomic<int64_t> sum{0}, different{0};
  std::vector<std::thread> callers;
  callers.reserve(4);
  for (int caller = 0; caller < 4; ++caller) {
    callers.emplace_back([&, caller] {
      for (int job = 0; job < 2000; ++job) {
        parallel_tasks(5, [&](int64_t i) { sum += i; });
        if (job % 200 == 0 && !at::equal(ops::linear(x, w, {}), expected)) ++different;
        if (job % 100 != 0) continue;
        try {
          parallel_tasks(5, [&](int64_t i) {
            if (i == 4) throw caller;
          });
          ADD_FAILURE() << "the exception is lost";
        } catch (int thrown) {
          EXPECT_EQ(thrown, caller) << "an exception reached another caller";
        }
      }
    });
  }
  for (auto& caller : callers) caller.join();
  EXPECT_EQ(sum.load(), 4 * 2000 * 10);
  EXPECT_EQ(different.load(), 0);
}

TEST_F(Parallel, TheNumberOfThreadsMayChangeBetweenJobs) {
  for (int round = 0; round < 60; ++round) {
    set_threads(1 + round % 4);
    std::atomic<int> ran{0};
    parallel_tasks(10, [&](int64_t) { ++ran; });
    ASSERT_EQ(ran.load(), 10);
  }
  set_threads(0);
  EXPECT_GE(threads(), 1);
}

}  // namespace
}  // namespace laconic::ops
