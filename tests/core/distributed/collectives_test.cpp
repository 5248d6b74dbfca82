// Every collective of every back end over world sizes, sizes and dtypes.
#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <future>

#include "laconic/core/distributed/bytes.h"
#include "laconic/core/distributed/single_process.h"
#include "tests/core/distributed/ranks.h"
#include "tests/support/error_of.h"

namespace laconic::distributed {
namespace {

using testing::AllOf;
using testing::HasSubstr;

// Small whole numbers, exact in every dtype: rank r holds r + 1, r + 2, ...
at::Tensor values_of(int rank, int64_t size, at::ScalarType type) {
  return (at::arange(size, at::kLong).remainder(5) + rank + 1).to(type);
}

at::Tensor sum_of(int ranks, int64_t size, at::ScalarType type) {
  auto sum = at::zeros({size}, at::kLong);
  for (int r = 0; r < ranks; ++r) sum += values_of(r, size, at::kLong);
  return sum.to(type);
}

void check_collectives(Communicator& c, int64_t size, at::ScalarType type) {
  const int ranks = c.world_size();
  auto reduced = values_of(c.rank(), size, type);
  c.all_reduce(reduced).wait();
  EXPECT_TRUE(at::equal(reduced, sum_of(ranks, size, type))) << "all_reduce";

  auto largest = values_of(c.rank(), size, type);
  c.all_reduce(largest, Reduction::max).wait();
  EXPECT_TRUE(at::equal(largest, values_of(ranks - 1, size, type))) << "maximum";

  const int root = ranks - 1;
  auto sent = values_of(c.rank(), size, type);
  c.broadcast(sent, root).wait();
  EXPECT_TRUE(at::equal(sent, values_of(root, size, type))) << "broadcast";

  const auto all = at::empty({ranks, size}, type);
  c.all_gather(values_of(c.rank(), size, type), all).wait();
  for (int r = 0; r < ranks; ++r) EXPECT_TRUE(at::equal(all[r], values_of(r, size, type))) << "all_gather of " << r;

  const auto whole = values_of(c.rank(), size * ranks, type), shard = at::empty({size}, type);
  c.reduce_scatter(whole, shard).wait();
  EXPECT_TRUE(at::equal(shard, sum_of(ranks, size * ranks, type).narrow(0, size * c.rank(), size))) << "reduce_scatter";
  c.barrier();
}

class Collectives : public testing::TestWithParam<Backend> {};

TEST_P(Collectives, WorldSizesSizesAndDtypes) {
  for (int ranks = 1; ranks <= 4; ++ranks) {
    on_ranks(GetParam(), ranks, [](Communicator& c) {
      for (const int64_t size : {1, 3, 64, 1001}) {
        for (const auto type : {at::kFloat, at::kBFloat16, at::kDouble, at::kLong}) check_collectives(c, size, type);
      }
    });
  }
}

TEST_P(Collectives, SeveralInFlightInOrder) {
  on_ranks(GetParam(), 3, [](Communicator& c) {
    std::vector<at::Tensor> tensors;
    std::vector<Pending> pending;
    for (int i = 0; i < 8; ++i) {
      tensors.push_back(at::full({1 + 100 * i}, static_cast<double>(i), at::kFloat));
      pending.push_back(c.all_reduce(tensors.back()));
    }
    for (int i = 0; i < 8; ++i) {
      pending[static_cast<size_t>(i)].wait();
      EXPECT_EQ(tensors[static_cast<size_t>(i)][0].item<float>(), 3.0f * static_cast<float>(i));
    }
    EXPECT_EQ(c.traffic().collectives, 8u);
  });
}

TEST_P(Collectives, SumsHaveTheSameBitsOnAllRanks) {
  on_ranks(GetParam(), 3, [](Communicator& c) {
    const auto mine = at::arange(1, 1000, at::kFloat).reciprocal() * (c.rank() + 0.37);
    c.all_reduce(mine).wait();
    const auto all = at::empty({3, mine.numel()}, at::kFloat);
    c.all_gather(mine, all).wait();
    EXPECT_TRUE(at::equal(all[0], all[1]) && at::equal(all[0], all[2]));
  });
}

TEST_P(Collectives, Bytes) {
  on_ranks(GetParam(), 3, [](Communicator& c) {
    const std::string mine(static_cast<size_t>(c.rank()) * 1000, static_cast<char>('a' + c.rank()));
    EXPECT_THAT(all_gather_bytes(c, mine), testing::ElementsAre("", std::string(1000, 'b'), std::string(2000, 'c')));
    EXPECT_THAT(all_gather_bytes(c, ""), testing::Each(""));
    EXPECT_EQ(broadcast_bytes(c, mine, 2), std::string(2000, 'c'));
    EXPECT_EQ(broadcast_bytes(c, mine, 0), "");
    EXPECT_FALSE(any_rank(c, false));
    EXPECT_TRUE(any_rank(c, c.rank() == 1));
    EXPECT_EQ(sum_over_ranks(c, {1.0, static_cast<double>(c.rank())}), (std::vector<double>{3.0, 3.0}));
    EXPECT_EQ(max_over_ranks(c, {-1.0 - c.rank()}), std::vector<double>{-1.0});
  });
}

// A bit of what arrives at rank 1 changes: in what is told of a message, and in the message. Rank 1 says so and leaves.
TEST_P(Collectives, ACorruptedMessageIsNamed) {
  const auto gathered = [](Communicator& c) { all_gather_bytes(c, "some bytes"); };
  const auto sent = [](Communicator& c) { broadcast_bytes(c, "some bytes", 0); };
  const auto summed = [](Communicator& c) { sum_over_ranks(c, {0.0, 1.0}); };
  struct Exchange {
    std::function<void(Communicator&)> run;
    uint64_t collectives;
  };
  for (const auto& exchange : std::vector<Exchange>{{gathered, 2}, {sent, 2}, {summed, 1}}) {
    for (uint64_t number = 1; number <= exchange.collectives; ++number) {
      std::string told;
      const auto run = [&] {
        on_ranks(GetParam(), 3, [&](Communicator& c) {
          c.activity().begin_phase("rollout");
          if (c.rank() != 1) return exchange.run(c);
          c.corrupt(number);
          told = error_of([&] { exchange.run(c); });
          fail(ErrorKind::io, "{}", told);
        });
      };
      EXPECT_THROW(run(), std::exception);
      EXPECT_THAT(told, AllOf(HasSubstr("rank 1 of 3: a message of rank "), HasSubstr("phase rollout")));
    }
  }
}

TEST_P(Collectives, OneBitOfAResult) {
  on_ranks(GetParam(), 2, [&](Communicator& c) {
    const auto values = at::zeros({8}, at::kInt);
    if (c.rank() == 1) c.corrupt(1);
    c.all_reduce(values).wait();
    EXPECT_EQ(at::count_nonzero(values).item<int>(), c.rank());
  });
}

std::string name_of(const testing::TestParamInfo<Backend>& test) {
  switch (test.param) {
    case Backend::threads:
      return "Threads";
    case Backend::gloo_tcp:
      return "GlooTcp";
    case Backend::gloo_file:
      return "GlooFile";
  }
  return "";
}

INSTANTIATE_TEST_SUITE_P(Backends, Collectives,
                         testing::Values(Backend::threads, Backend::gloo_tcp, Backend::gloo_file), name_of);

TEST(SingleProcess, CopiesAndCounts) {
  SingleProcess c;
  check_collectives(c, 7, at::kFloat);
  EXPECT_EQ(c.traffic().wire_bytes, 0.0);
  EXPECT_EQ(all_gather_bytes(c, "x"), std::vector<std::string>{"x"});
}

TEST(ThreadGroup, RanksOutOfStepAreToldSo) {
  const auto message = error_of([] {
    ThreadGroup(2).run([](Communicator& c) {
      c.activity().begin_phase("update");
      c.barrier();
      const auto tensor = at::zeros({c.rank() == 0 ? 4 : 5});
      c.all_reduce(tensor).wait();
    });
  });
  EXPECT_THAT(message, AllOf(HasSubstr("all_reduce #2 in phase update"), HasSubstr("4 values"), HasSubstr("5 values"),
                             HasSubstr("out of step")));
}

TEST(ThreadGroup, ARankThatDoesNotComeIsNamed) {
  const auto message = error_of([] {
    ThreadGroup(3, std::chrono::milliseconds(50)).run([](Communicator& c) {
      if (c.rank() != 1) c.barrier();
    });
  });
  EXPECT_THAT(message, AllOf(HasSubstr("barrier #1"), HasSubstr("it was not joined by rank 1")));
}

TEST(ThreadGroup, AFailureEndsTheOthers) {
  std::atomic<int> ended = 0;
  const auto message = error_of([&] {
    ThreadGroup(3).run([&](Communicator& c) {
      if (c.rank() == 2) fail(ErrorKind::input, "rank 2 says no");
      try {
        c.barrier();
      } catch (const Error& error) {
        EXPECT_THAT(error.what(), HasSubstr("rank 2 has failed"));
        ++ended;
        throw;
      }
    });
  });
  EXPECT_EQ(ended, 2);
  EXPECT_EQ(message, "rank 2 says no");
}

TEST(Gloo, ACollectiveThatHangsNamesRankPhaseAndNumber) {
  Port port;
  std::promise<void> given_up;
  const auto messages = in_threads(2, [&](int rank) {
    JoinOptions options;
    options.collective_timeout = std::chrono::seconds(1);
    const auto joined = join_ranks(port.facts_of(rank, 2), {}, options);
    auto& c = joined->communicator();
    c.activity().begin_phase("score");
    c.barrier();
    if (rank == 1) return given_up.get_future().wait();
    try {
      c.barrier();
    } catch (...) {
      given_up.set_value();
      throw;
    }
  });
  EXPECT_THAT(messages[0], AllOf(HasSubstr("rank 0 of 2"), HasSubstr("barrier #2"), HasSubstr("phase score")));
  EXPECT_EQ(messages[1], "");
}

TEST(Gloo, ALostRankEndsTheOthersAtOnce) {
  Port port;
  const auto messages = in_threads(2, [&](int rank) {
    JoinOptions options;
    options.collective_timeout = std::chrono::minutes(5);
    auto joined = join_ranks(port.facts_of(rank, 2), {}, options);
    joined->communicator().barrier();
    if (rank == 0) joined->communicator().barrier();
  });
  EXPECT_THAT(messages[0], AllOf(HasSubstr("rank 0 of 2"), HasSubstr("barrier #2")));
}

}  // namespace
}  // namespace laconic::distributed
