// Checkpoints of any number of ranks and anything divided, read by any other: nobody ever has more than its part.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "laconic/core/base/files.h"
#include "laconic/core/distributed/thread_group.h"
#include "laconic/core/ops/parallel.h"
#include "laconic/trainers/run_checkpoints.h"
#include "laconic/trainers/shared_folder.h"
#include "tests/support/counting_allocator.h"
#include "tests/support/error_of.h"
#include "tests/support/given_tensors.h"
#include "tests/support/temporary_folder.h"
#include "tests/trainers/fixed_batches.h"

namespace laconic::trainers {
namespace {

namespace fs = std::filesystem;
using distributed::Communicator;
using distributed::NamedTensors;
using distributed::Shard;
using distributed::ThreadGroup;
using testing::AllOf;
using testing::HasSubstr;

constexpr int kBefore = 2, kAfter = 2;  // updates

struct Setting {
  int ranks = 1;
  Shard shard = Shard::none;
  bool operator==(const Setting&) const = default;
};

std::string describe(const Setting& s) {
  const char* names[] = {"none", "optimizer", "gradients", "parameters"};
  return fmt::format("{} ranks, {}", s.ranks, names[static_cast<size_t>(s.shard)]);
}

std::vector<Setting> all_settings() {
  std::vector<Setting> all = {{1, Shard::none}};
  for (int ranks = 2; ranks <= 4; ++ranks) {
    for (const auto shard : {Shard::none, Shard::optimizer, Shard::gradients, Shard::parameters})
      all.push_back({ranks, shard});
  }
  return all;
}

// Weights and state, and what the updates after them lead to.
struct Passage {
  NamedTensors weights, state;
  std::vector<double> losses;
  NamedTensors weights_after;
};

ParallelSection section_of(const Setting& setting) {
  ParallelSection parallel;
  parallel.shard = setting.shard;
  return parallel;
}

void look(Learner& learner, Communicator& c, Passage& passage) {
  passage.weights = whole_tensors(c, learner.optimizer->weight_parts());
  passage.state = whole_tensors(c, learner.optimizer->state_parts());
}

void go_on(Learner& learner, Communicator& c, Passage& passage) {
  for (uint64_t update = kBefore; update < kBefore + kAfter; ++update)
    passage.losses.push_back(learner.learn(random_groups(update, 3, 3, 12)).loss.policy_loss);
  passage.weights_after = whole_tensors(c, learner.optimizer->weight_parts());
}

model::Model start_model(at::ScalarType dtype) {
  static const bool one_thread = (ops::set_threads(1), true);
  static_cast<void>(one_thread);
  return tiny_model(model::Architecture::qwen3, dtype);
}

// Bytes that a rank sent and allocated since.
class Expense {
 public:
  Expense(Communicator& c, MemoryAccount& account)
      : communicator_(c), account_(account), sent_(c.traffic().payload_bytes), live_(account.live()) {
    account.reset_peak();
  }
  double sent() const { return communicator_.traffic().payload_bytes - sent_; }
  double allocated() const { return static_cast<double>(account_.peak() - live_); }

 private:
  Communicator& communicator_;
  MemoryAccount& account_;
  double sent_;
  int64_t live_;
};

// Learns, saves and goes on; what rank 0 sees of it.
Passage write_under(const Setting& setting, const fs::path& folder, at::ScalarType dtype, bool asynchronous) {
  Passage passage;
  ThreadGroup(setting.ranks).run([&](Communicator& c) {
    CountedThread counted;
    Passage own;
    Learner learner(c, start_model(dtype), section_of(setting), 40);
    for (uint64_t update = 0; update < kBefore; ++update) learner.learn(random_groups(update, 3, 3, 12));
    look(learner, c, own);
    CheckpointSection section;
    section.asynchronous = asynchronous;
    RunCheckpoints checkpoints(section, section_of(setting), learner.ranks);
    EXPECT_FALSE(checkpoints.open(folder, false));
    checkpoint::Content content;
    content.state = {{"steps", learner.optimizer->steps_taken()}};
    content.weights = learner.optimizer->weight_parts();
    content.optimizer = learner.optimizer->state_parts();
    const auto part = static_cast<double>(learner.optimizer->state_bytes());
    const Expense expense(c, counted.account());
    checkpoints.save({kBefore, 0}, std::move(content));
    if (asynchronous) {
      go_on(learner, c, own);
    } else {
      EXPECT_LT(expense.allocated(), 0.1 * part) << "nothing is copied or gathered";
      EXPECT_LT(expense.sent(), 0.1 * part) << "no tensor travels";
    }
    checkpoints.finish();
    if (!asynchronous) go_on(learner, c, own);
    if (c.first()) passage = std::move(own);
  });
  return passage;
}

Passage read_under(const Setting& setting, const fs::path& folder, at::ScalarType dtype) {
  Passage passage;
  ThreadGroup(setting.ranks).run([&](Communicator& c) {
    CountedThread counted;
    Passage own;
    Learner learner(c, start_model(dtype), section_of(setting), 40);
    RunCheckpoints checkpoints({}, section_of(setting), learner.ranks);
    const auto part = static_cast<double>(learner.optimizer->state_bytes());
    const Expense expense(c, counted.account());
    const auto loaded = checkpoints.open(folder, true);
    ASSERT_TRUE(loaded);
    learner.optimizer->restore_weights(*loaded->weights);
    learner.optimizer->restore_state(*loaded->optimizer, loaded->content.state.at("steps"));
    EXPECT_LT(expense.allocated(), 0.2 * part) << "values go where they belong";
    if (learner.optimizer->divided()) {
      EXPECT_LT(expense.sent(), 0.2 * part);
    }
    learner.optimizer->check_weights("after reading");
    look(learner, c, own);
    go_on(learner, c, own);
    if (c.first()) passage = std::move(own);
  });
  return passage;
}

void expect_equal(const NamedTensors& got, const NamedTensors& want, const std::string& what) {
  ASSERT_EQ(got.size(), want.size()) << what;
  for (size_t i = 0; i < want.size(); ++i) {
    ASSERT_EQ(got[i].first, want[i].first) << what;
    EXPECT_TRUE(at::equal(got[i].second, want[i].second)) << what << " " << want[i].first;
  }
}

TEST(CheckpointSweep, WrittenAndReadByAnyRanks) {
  for (const auto dtype : {at::kFloat, at::kBFloat16}) {
    bool asynchronous = false;
    for (const auto& writing : all_settings()) {
      const TemporaryFolder folder;
      const auto want = write_under(writing, folder.path(), dtype, asynchronous);
      for (const auto& reading : all_settings()) {
        const auto what =
            fmt::format("{}, written by {}, read by {}", c10::toString(dtype), describe(writing), describe(reading));
        const auto got = read_under(reading, folder.path(), dtype);
        expect_equal(got.weights, want.weights, what);
        expect_equal(got.state, want.state, what);
        if (reading != writing) continue;
        EXPECT_EQ(got.losses, want.losses) << what;
        expect_equal(got.weights_after, want.weights_after, what);
      }
      asynchronous = !asynchronous;
    }
  }
}

// What each rank was told, "" where nothing.
std::vector<std::string> told_on(int ranks, const std::function<void(Communicator&)>& body) {
  std::vector<std::string> told(static_cast<size_t>(ranks));
  ThreadGroup(ranks).run([&](Communicator& c) { told[static_cast<size_t>(c.rank())] = error_of([&] { body(c); }); });
  return told;
}

TEST(SharedFolder, IsFoundAndLeftAsItWas) {
  const TemporaryFolder folder;
  fs::create_directories(folder / "a/b");
  write_file_atomic(folder / "a/b/.seen-by-all-ranks-0", "of a start that was killed");
  EXPECT_THAT(told_on(3, [&](Communicator& c) { check_shared_folder(c, folder / "a/b", "why"); }), testing::Each(""));
  EXPECT_TRUE(fs::is_empty(folder / "a/b"));
}

TEST(SharedFolder, OneThatIsNotSharedIsToldOnAllRanks) {
  const TemporaryFolder folder;
  const auto told = told_on(3, [&](Communicator& c) {
    check_shared_folder(c, folder / (c.rank() == 2 ? "other" : "one"), "Because.", std::chrono::milliseconds(60));
  });
  EXPECT_THAT(told, testing::Each(AllOf(HasSubstr("rank 2 on "), HasSubstr("other what rank 0 has written there"),
                                        HasSubstr("rank 0 is on"), HasSubstr("Because."))));
  EXPECT_TRUE(fs::is_empty(folder / "one"));
}

// A run whose ranks divide something says so before it trains; one whose ranks do not needs no such folder.
TEST(SharedFolder, IsWantedWhereAnythingIsDivided) {
  for (const auto shard : {Shard::none, Shard::optimizer}) {
    const TemporaryFolder folder;
    const auto told = told_on(2, [&](Communicator& c) {
      Ranks ranks(c);
      ParallelSection parallel;
      parallel.shard = shard;
      RunCheckpoints checkpoints({}, parallel, ranks);
      if (c.first() || shard == Shard::none) {
        checkpoints.open(folder / std::to_string(c.rank()), false);
      } else {
        check_shared_folder(c, folder / "1", "", std::chrono::milliseconds(50));
      }
    });
    if (shard == Shard::none) {
      EXPECT_THAT(told, testing::Each(""));
    } else {
      EXPECT_THAT(told.front(), AllOf(HasSubstr("rank 1"), HasSubstr("parallel.shard")));
    }
  }
}

}  // namespace
}  // namespace laconic::trainers
