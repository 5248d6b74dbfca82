// Ranks that do not belong together find it out at the start, all of them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "laconic/core/base/error.h"
#include "laconic/core/base/files.h"
#include "laconic/core/base/timer.h"
#include "laconic/core/distributed/introduction.h"
#include "tests/core/distributed/ranks.h"

namespace laconic::distributed {
namespace {

using testing::AllOf;
using testing::Each;
using testing::HasSubstr;

constexpr auto kTimeout = std::chrono::milliseconds(400);

// Every process of `facts` introduces itself; what each of them hears.
std::vector<std::string> introduced(const std::vector<RankFacts>& facts, const std::vector<Identity>& identities = {}) {
  LocalStore store;
  return in_threads(static_cast<int>(facts.size()), [&](int i) {
    const auto index = static_cast<size_t>(i);
    introduce(store, facts[index], identities.empty() ? Identity() : identities[index], "process " + std::to_string(i),
              kTimeout);
  });
}

TEST(Introduction, RanksThatBelongTogether) {
  EXPECT_THAT(introduced({facts_of(2, 3, 0), facts_of(0, 3, 0), facts_of(1, 3, 0)}), Each(""));
}

TEST(Introduction, TwoProcessesOfOneRank) {
  const auto heard = introduced({facts_of(0, 3, 0), facts_of(1, 3, 0), facts_of(1, 3, 0)});
  EXPECT_THAT(heard, Each(HasSubstr("rank 1 was started twice")));
  EXPECT_THAT(heard, Each(AllOf(HasSubstr("process 1"), HasSubstr("process 2"))));
}

TEST(Introduction, AnotherWorldSize) {
  const auto heard = introduced({facts_of(0, 3, 0), facts_of(1, 3, 0), facts_of(2, 4, 0)});
  EXPECT_THAT(heard, Each(AllOf(HasSubstr("a world size of"), HasSubstr("process 2"))));
}

TEST(Introduction, SomebodyDoesNotCome) {
  const Timer timer;
  const auto heard = introduced({facts_of(0, 4, 0), facts_of(2, 4, 0)});
  EXPECT_THAT(heard, Each(AllOf(HasSubstr("rank 1, 3 did not come within"), HasSubstr("rank 0 (process 0)"),
                                HasSubstr("rank 2 (process 1)"))));
  EXPECT_LT(timer.seconds(), 5.0);
}

// A store that is gone when the ranks part.
class LostStore final : public KeyValueStore {
 public:
  void set(const std::string& key, const std::string& text) override { store_.set(key, text); }
  std::optional<std::string> get(const std::string& key) override { return store_.get(key); }
  std::string set_if_absent(const std::string& key, const std::string& text) override {
    return store_.set_if_absent(key, text);
  }
  int64_t add(const std::string& key, int64_t amount) override {
    if (key == "heard") fail(ErrorKind::io, "the connection was reset");
    return store_.add(key, amount);
  }

 private:
  LocalStore store_;
};

TEST(Introduction, TheProblemIsToldThoughTheStoreIsGone) {
  LostStore store;
  const auto heard = in_threads(1, [&](int) { introduce(store, facts_of(0, 2, 0), {}, "alone", kTimeout); });
  EXPECT_THAT(heard.front(), HasSubstr("rank 1 did not come within"));
}

TEST(Introduction, AnotherRunInThisPlace) {
  LocalStore store;
  introduce(store, facts_of(0, 1, 0), {}, "the first", kTimeout);
  auto stranger = facts_of(1, 2, 0);
  stranger.run_id = "mine";
  const auto heard = in_threads(1, [&](int) { introduce(store, stranger, {}, "the second", kTimeout); });
  EXPECT_THAT(heard.front(),
              AllOf(HasSubstr("another run"), HasSubstr("`test`"), HasSubstr("the first"), HasSubstr("`mine`")));
}

TEST(Introduction, DifferencesAreShownOnEveryRank) {
  const Identity first = {{"program", "a"}, {"configuration", "seed: 1\noptimizer.lr: 0.1\ntrain.steps: 5"}};
  Identity other = first;
  other[1].second = "seed: 1\noptimizer.lr: 0.2\ntrain.steps: 5";
  const auto heard = introduced({facts_of(0, 3, 0), facts_of(1, 3, 0), facts_of(2, 3, 0)}, {first, first, other});
  EXPECT_THAT(heard, Each(HasSubstr("rank 2 (process 2) has another configuration than rank 0 (process 0): "
                                    "`optimizer.lr: 0.2` instead of `optimizer.lr: 0.1`")));
  for (const auto& text : heard) EXPECT_THAT(text, testing::Not(HasSubstr("steps")));
  other[0].second = "b";
  EXPECT_THAT(introduced({facts_of(0, 2, 0), facts_of(1, 2, 0)}, {first, other}), Each(HasSubstr("another program")));
}

TEST(Rendezvous, AnotherRunOnThePort) {
  Port port;
  JoinOptions options;
  options.start_timeout = std::chrono::seconds(5);
  const auto joined = join_ranks(port.facts_of(0, 1), {}, options);
  const auto heard = in_threads(1, [&](int) { join_ranks(facts_of(0, 2, port.number()), {}, options); });
  EXPECT_THAT(heard.front(),
              AllOf(HasSubstr("rank 0 of 2"), HasSubstr("cannot listen on port " + std::to_string(port.number()))));
  auto stranger = port.facts_of(1, 2);
  stranger.run_id = "other";
  EXPECT_THAT(in_threads(1, [&](int) { join_ranks(stranger, {}, options); }).front(), HasSubstr("another run"));
}

TEST(Rendezvous, NobodyListens) {
  JoinOptions options;
  options.start_timeout = std::chrono::seconds(1);
  Port port(/*listening=*/false);
  const auto heard = in_threads(1, [&](int) { join_ranks(port.facts_of(1, 2), {}, options); });
  EXPECT_THAT(heard.front(), AllOf(HasSubstr("rank 1 of 2"), HasSubstr("does not answer")));
}

TEST(Rendezvous, TheProgramHasAnIdentity) {
  const auto identity = program_identity();
  ASSERT_EQ(identity.size(), 2u);
  EXPECT_THAT(identity[0].second, HasSubstr("bytes"));
  EXPECT_EQ(identity, program_identity());
}

// Else a run would end because of the failure of an earlier one in the same place.
TEST(Rendezvous, AnEarlierRunsBoardIsForgotten) {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder / "meet.ranks");
  for (const char* file : {"meet.ranks/rank-0", "meet.ranks/rank-1"}) write_file_atomic(folder / file, "it has failed");
  const auto heard = in_threads(2, [&](int rank) {
    auto facts = facts_of(rank, 2, 0);
    facts.file = (folder / "meet").string();
    const auto joined = join_ranks(facts, {}, {});
    EXPECT_EQ(joined->blackboard()->read(1 - rank), "");
    joined->communicator().barrier();
  });
  EXPECT_THAT(heard, Each(""));
}

TEST(Rendezvous, BlackboardsAreShared) {
  for (const bool by_file : {false, true}) {
    const TemporaryFolder folder;
    Port port;
    const auto heard = in_threads(2, [&](int rank) {
      auto facts = by_file ? facts_of(rank, 2, 0) : port.facts_of(rank, 2);
      if (by_file) facts.file = (folder / "meet").string();
      const auto joined = join_ranks(facts, {}, {});
      const auto board = joined->blackboard();
      board->post(rank, "first");
      board->post(rank, "mine " + std::to_string(rank));
      joined->communicator().barrier();
      EXPECT_EQ(board->read(1 - rank), "mine " + std::to_string(1 - rank));
      EXPECT_EQ(board->read(7), "");
      joined->communicator().barrier();
    });
    EXPECT_THAT(heard, Each(""));
  }
}

}  // namespace
}  // namespace laconic::distributed
