#include "laconic/core/checkpoint/store.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <limits>
#include <thread>

#include "laconic/core/base/files.h"
#include "tests/core/checkpoint/content.h"
#include "tests/support/error_of.h"
#include "tests/support/temporary_folder.h"

namespace laconic::checkpoint {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

TEST(Store, GivesBackWhatWasSaved) {
  const TemporaryFolder folder;
  Store store(folder / "checkpoints", {3});
  EXPECT_TRUE(store.empty());
  EXPECT_FALSE(find_newest(store).loaded);
  auto content = content_of(1);
  content.rollout = {{"samples", {1, 2, 3}}};
  const auto written = store.save({12, 3}, content);
  EXPECT_EQ(written.filename(), "step-00000012.0003");
  EXPECT_FALSE(store.empty());
  const auto found = find_newest(store);
  ASSERT_TRUE(found.loaded);
  EXPECT_TRUE(found.passed_over.empty());
  EXPECT_EQ(found.loaded->position, (Position{12, 3}));
  EXPECT_EQ(found.loaded->folder, written);
  EXPECT_TRUE(same_content(*found.loaded, content));
  EXPECT_THAT(names_in(written), ElementsAre("manifest.json", "optimizer.safetensors", "rollout.cbor", "state.json",
                                             "weights.safetensors"));
}

TEST(Store, TensorsOfALoadedCheckpointAreReadInRanges) {
  const TemporaryFolder folder;
  Store store(folder.path(), {1});
  store.save({1, 0}, content_of(1));
  const auto loaded = find_newest(store).loaded;
  const auto whole = content_of(1).weights.front();
  auto range = at::zeros({9}, whole.values.options());
  loaded->weights.read(whole.name, 4, range);
  EXPECT_TRUE(at::equal(range, whole.values.view({-1}).narrow(0, 4, 9)));
  range.add_(1);  // not a view of the file
  EXPECT_TRUE(same_content(*find_newest(store).loaded, content_of(1)));
  fs::remove_all(loaded->folder);
  EXPECT_TRUE(same_content(*loaded, content_of(1))) << "deleted files stay readable";
  EXPECT_THAT(error_of([&] { loaded->weights.read("model.embed.wieght", 0, range); }),
              HasSubstr("did you mean `model.embed.weight`"));
  EXPECT_NE(error_of([&] { loaded->weights.read(whole.name, whole.values.numel() - 5, range); }), "");
}

TEST(Store, RolloutsAreExact) {
  const TemporaryFolder folder;
  Store store(folder.path(), {1});
  auto content = content_of(1);
  const double inf = std::numeric_limits<double>::infinity();
  const std::vector<double> numbers = {0.1, -0.0, 1e-310, 5e-324, 1e300, 1.0f / 3.0f, inf, -inf, 0.30000000000000004};
  const std::string bytes = "\xff\xfe not UTF-8 \x01";
  content.rollout = {{"numbers", numbers},
                     {"not_a_number", std::nan("")},
                     {"large", std::numeric_limits<uint64_t>::max()},
                     {"small", std::numeric_limits<int64_t>::min()},
                     {"bytes", bytes},
                     {"none", nullptr},
                     {"empty", nlohmann::json::array()}};
  store.save({1, 0}, content);
  const auto got = find_newest(store).loaded->content.rollout;
  const auto back = got.at("numbers").get<std::vector<double>>();
  ASSERT_EQ(back.size(), numbers.size());
  for (size_t i = 0; i < numbers.size(); ++i) {
    EXPECT_EQ(std::signbit(back[i]), std::signbit(numbers[i]));
    EXPECT_EQ(back[i], numbers[i]);
  }
  EXPECT_TRUE(std::isnan(got.at("not_a_number").get<double>()));
  EXPECT_EQ(got.at("large"), std::numeric_limits<uint64_t>::max());
  EXPECT_EQ(got.at("small"), std::numeric_limits<int64_t>::min());
  EXPECT_EQ(got.at("bytes"), bytes);
  EXPECT_TRUE(got.at("none").is_null() && got.at("empty").is_array());
}

TEST(Store, AStateThatJsonCannotHoldIsRefusedAtOnce) {
  const TemporaryFolder folder;
  Store store(folder.path(), {2});
  store.save({1, 0}, content_of(1));
  auto content = content_of(2);
  content.state["multiplier"] = std::nan("");
  EXPECT_THAT(error_of([&] { store.save({2, 0}, content); }), HasSubstr("not finite"));
  content.state["multiplier"] = "\xff";
  EXPECT_THAT(error_of([&] { store.save({2, 0}, content); }), HasSubstr("state cannot be written"));
  EXPECT_THAT(names_in(folder.path()), ElementsAre("step-00000001.0000"));
  content.state["multiplier"] = 0.1 + 0.2;
  store.save({2, 0}, content);
  EXPECT_EQ(find_newest(store).loaded->content.state["multiplier"].get<double>(), 0.1 + 0.2);
}

TEST(Store, KeepsTheNewest) {
  for (const int keep : {1, 2, 5}) {
    const TemporaryFolder folder;
    Store store(folder.path(), {keep});
    const std::vector<Position> positions = {{1, 0}, {1, 2}, {1, 10}, {2, 0}, {9, 0}, {10, 0}, {100000000, 12345}};
    for (size_t i = 0; i < positions.size(); ++i) {
      store.save(positions[i], content_of(i));
      EXPECT_EQ(names_in(folder.path()).size(), std::min(i + 1, static_cast<size_t>(keep)));
      EXPECT_EQ(find_newest(store).loaded->position, positions[i]);
    }
  }
  EXPECT_NE(error_of([] { const Store store("x", {0}); }), "");
}

// Steps 1 to 9 with the given accuracies (0 = not evaluated); returns the steps that are left.
std::vector<int> left_after(const Retention& retention, const std::vector<double>& accuracies) {
  const TemporaryFolder folder;
  Store store(folder.path(), retention);
  for (size_t i = 0; i < accuracies.size(); ++i) {
    auto content = content_of(i);
    if (accuracies[i] > 0) content.evaluation = {{"accuracy", accuracies[i]}, {"other", 1.0}};
    store.save({static_cast<int64_t>(i) + 1, 0}, content);
  }
  std::vector<int> steps;
  for (const auto& name : names_in(folder.path())) steps.push_back(std::stoi(name.substr(5)));
  return steps;
}

TEST(Store, KeepsMilestonesAndTheBest) {
  const std::vector<double> accuracies = {0.1, 0, 0.8, 0.2, 0.8, 0, 0.3, 0.7, 0};
  EXPECT_THAT(left_after({2, 4}, accuracies), ElementsAre(4, 8, 9));
  EXPECT_THAT(left_after({1, 0, "accuracy", true}, accuracies), ElementsAre(3, 9)) << "the earliest of equals";
  EXPECT_THAT(left_after({1, 0, "accuracy", false}, accuracies), ElementsAre(1, 9));
  EXPECT_THAT(left_after({2, 5, "accuracy", true}, accuracies), ElementsAre(3, 5, 8, 9));
}

TEST(Store, ADamagedBestIsNone) {
  const TemporaryFolder folder;
  Store store(folder.path(), {1, 0, "accuracy", true});
  for (const int64_t step : {1, 2, 3}) {
    auto content = content_of(1);
    content.evaluation = {{"accuracy", 1.0 / static_cast<double>(step)}};
    store.save({step, 0}, content);
  }
  EXPECT_EQ(store.best({3, 0})->folder.filename(), "step-00000001.0000");
  EXPECT_EQ(store.best({3, 0})->value, 1.0);
  fs::resize_file(folder / "step-00000001.0000/weights.safetensors", 10);
  EXPECT_EQ(store.best({3, 0})->folder.filename(), "step-00000003.0000");
  EXPECT_FALSE(store.best({2, 9})) << "nothing usable is left up to there";
}

// A stop between two updates of a step that happens to be a milestone.
TEST(Store, AMilestoneIsAWholeStep) {
  const TemporaryFolder folder;
  Store store(folder.path(), {1, 2});
  for (const Position position : {Position{2, 0}, Position{2, 1}, Position{3, 0}}) store.save(position, content_of(1));
  EXPECT_THAT(names_in(folder.path()), ElementsAre("step-00000002.0000", "step-00000003.0000"));
}

TEST(Store, EvaluationsComeBack) {
  const TemporaryFolder folder;
  Store store(folder.path(), {1});
  auto content = content_of(1);
  content.evaluation = {{"accuracy", 0.1 + 0.2}, {"mean_tokens", 1e-300}};
  store.save({1, 0}, content);
  EXPECT_EQ(find_newest(store).loaded->content.evaluation, content.evaluation);
}

TEST(Store, RemovesPartialFoldersAndNothingOfTheUsers) {
  const TemporaryFolder folder;
  Store store(folder.path(), {1});
  store.save({1, 0}, content_of(1));
  fs::copy(folder / "step-00000001.0000", folder / "step-00000001.0000.best");
  fs::copy(folder / "step-00000001.0000", folder / "step-00000002.0000.partial");
  fs::create_directory(folder / "notes");
  for (const char* copy : {"step-1.0", "step-000000001.0000", "step--0000001.0000"})
    fs::copy(folder / "step-00000001.0000", folder / copy);
  write_file_atomic(folder / "step-00000001.0001", "a file");
  const auto found = find_newest(store);
  EXPECT_EQ(found.loaded->folder.filename(), "step-00000001.0000");
  ASSERT_EQ(found.passed_over.size(), 1u);
  EXPECT_EQ(found.passed_over[0].first, "step-00000002.0000.partial");
  EXPECT_THAT(found.passed_over[0].second, HasSubstr("incomplete"));
  store.save({3, 0}, content_of(3));
  EXPECT_THAT(names_in(folder.path()),
              ElementsAre("notes", "step--0000001.0000", "step-000000001.0000", "step-00000001.0000.best",
                          "step-00000001.0001", "step-00000003.0000", "step-1.0"));
}

// A damaged checkpoint does not use up a place of those that are kept.
TEST(Store, DamagedOnesAreNotCounted) {
  const TemporaryFolder folder;
  Store store(folder.path(), {2});
  for (int64_t step : {1, 2}) store.save({step, 0}, content_of(static_cast<uint64_t>(step)));
  fs::remove(folder / "step-00000002.0000/manifest.json");
  store.save({3, 0}, content_of(3));
  EXPECT_THAT(names_in(folder.path()), ElementsAre("step-00000001.0000", "step-00000002.0000", "step-00000003.0000"));
  store.save({4, 0}, content_of(4));
  EXPECT_THAT(names_in(folder.path()), ElementsAre("step-00000003.0000", "step-00000004.0000"));
}

// A run that resumed before a damaged newer checkpoint must keep what it saves.
TEST(Store, ALaterDamagedOneDoesNotPushOutTheOneJustSaved) {
  const TemporaryFolder folder;
  Store store(folder.path(), {1});
  store.save({20, 0}, content_of(20));
  auto bytes = read_file(folder / "step-00000020.0000/weights.safetensors");
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  write_file_atomic(folder / "step-00000020.0000/weights.safetensors", bytes);
  for (int64_t step : {11, 12}) {
    store.save({step, 0}, content_of(static_cast<uint64_t>(step)));
    EXPECT_EQ(find_newest(store).loaded->position, (Position{step, 0}));
  }
}

TEST(Store, SavingAPositionAgainReplacesIt) {
  const TemporaryFolder folder;
  Store store(folder.path(), {2});
  for (uint64_t i = 1; i <= 3; ++i) {
    store.save({7, 0}, content_of(i));
    EXPECT_THAT(names_in(folder.path()), ElementsAre("step-00000007.0000"));
    EXPECT_TRUE(same_content(*find_newest(store).loaded, content_of(i)));
  }
}

// At no moment is there no complete checkpoint under the name: another thread looks for its last file all the time.
TEST(Store, ReplacingIsOneStep) {
  const TemporaryFolder folder;
  Store store(folder.path(), {1});
  store.save({7, 0}, content_of(0));
  std::atomic<bool> done{false};
  std::atomic<int> looks{0}, absent{0};
  std::thread watcher([&] {
    const auto manifest = folder / "step-00000007.0000/manifest.json";
    while (!done) {
      ++looks;
      absent += ::access(manifest.c_str(), R_OK) == 0 ? 0 : 1;
    }
  });
  for (uint64_t i = 0; i < 25; ++i) store.save({7, 0}, content_of(i));
  done = true;
  watcher.join();
  EXPECT_GT(looks.load(), 100);
  EXPECT_EQ(absent.load(), 0);
}

// What a crash between the two renames of a file system without exchange leaves is loaded, and cleared away later.
TEST(Store, AReplacedOneStandsInForItsSuccessor) {
  const TemporaryFolder folder;
  Store store(folder.path(), {1});
  store.save({7, 0}, content_of(1));
  fs::rename(folder / "step-00000007.0000", folder / "step-00000007.0000.replaced");
  EXPECT_EQ(find_newest(store).loaded->position, (Position{7, 0}));
  store.save({7, 0}, content_of(2));
  EXPECT_THAT(names_in(folder.path()), ElementsAre("step-00000007.0000"));
  EXPECT_TRUE(same_content(*find_newest(store).loaded, content_of(2)));
}

}  // namespace
}  // namespace laconic::checkpoint
