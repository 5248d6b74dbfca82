#include "laconic/core/checkpoint/writer.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "laconic/core/base/error.h"
#include "tests/core/checkpoint/content.h"
#include "tests/support/error_of.h"
#include "tests/support/temporary_folder.h"

namespace laconic::checkpoint {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr WriterOptions kBehind = {true, OnError::fail};

Store::BeforeManifest failing(ErrorKind kind = ErrorKind::io) {
  return [kind](const fs::path&) { fail(kind, "the disk says no"); };
}

int folders_in(const fs::path& folder) {
  return static_cast<int>(std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

TEST(Writer, WritesWhatWasThereAtTheCall) {
  for (const bool asynchronous : {false, true}) {
    const TemporaryFolder folder;
    Writer writer(Store(folder.path(), {9}), {asynchronous, OnError::fail});
    for (uint64_t i = 1; i <= 5; ++i) {
      auto content = content_of(i, 20000);
      writer.save({static_cast<int64_t>(i), 0}, content);
      for (auto* tensors : {&content.weights, &content.optimizer})
        for (auto& entry : *tensors) entry.values.fill_(7);  // training goes on
    }
    writer.finish();
    EXPECT_EQ(writer.newest(), (Position{5, 0}));
    for (uint64_t i = 1; i <= 5; ++i) {
      const auto loaded = Store::load(folder / fmt::format("step-{:08}.0000", i));
      EXPECT_TRUE(same_content(loaded, content_of(i, 20000))) << asynchronous << " " << i;
    }
  }
}

TEST(Writer, ShapesMayChangeBetweenSaves) {
  const TemporaryFolder folder;
  Writer writer(Store(folder.path(), {9}), kBehind);
  for (const int64_t width : {3, 50, 2}) {
    auto content = content_of(1, width);
    if (width == 50) content.optimizer.clear();
    writer.save({width, 0}, content);
    writer.finish();
    const auto loaded = Store::load(folder / fmt::format("step-{:08}.0000", width));
    EXPECT_TRUE(same_content(loaded, content));
  }
}

TEST(Writer, OneIsInFlightAtMost) {
  const TemporaryFolder folder;
  Writer writer(Store(folder.path(), {9}), kBehind);
  std::promise<void> go;
  writer.save({1, 0}, content_of(1), [&](const fs::path&) { go.get_future().wait(); });
  writer.poll();
  EXPECT_FALSE(writer.newest()) << "it cannot be finished yet, and poll() does not wait";
  auto second = std::async(std::launch::async, [&] { writer.save({2, 0}, content_of(2)); });
  EXPECT_EQ(second.wait_for(std::chrono::milliseconds(30)), std::future_status::timeout);
  EXPECT_FALSE(fs::exists(folder / "step-00000001.0000"));
  go.set_value();
  second.get();
  EXPECT_TRUE(fs::exists(folder / "step-00000001.0000"));
  writer.finish();
  EXPECT_EQ(writer.newest(), (Position{2, 0}));
}

TEST(Writer, AFailureIsToldAtTheNextOccasion) {
  using Call = std::function<void(Writer&)>;
  const std::vector<Call> occasions = {[](Writer& w) { w.finish(); },
                                       [](Writer& w) {
                                         w.save({3, 0}, content_of(3));
                                       },
                                       [](Writer& w) {
                                         for (;;) {  // until it is known
                                           w.poll();
                                           std::this_thread::yield();
                                         }
                                       }};
  for (const auto& occasion : occasions) {
    const TemporaryFolder folder;
    Writer writer(Store(folder.path(), {9}), kBehind);
    writer.save({1, 0}, content_of(1));
    writer.save({2, 0}, content_of(2), failing());
    EXPECT_THAT(error_of([&] { occasion(writer); }), HasSubstr("the disk says no"));
    EXPECT_EQ(folders_in(folder.path()), 1) << "the partial folder is gone";
    EXPECT_EQ(find_newest(writer.store()).loaded->position, (Position{1, 0}));
    writer.finish();  // told once
  }
}

TEST(Writer, ARunMayGoOnWithoutIt) {
  for (const bool asynchronous : {false, true}) {
    const TemporaryFolder folder;
    Writer writer(Store(folder.path(), {9}), {asynchronous, OnError::go_on});
    for (int64_t step = 1; step <= 4; ++step)
      writer.save({step, 0}, content_of(1), step % 2 == 0 ? failing() : Store::BeforeManifest());
    writer.finish();
    EXPECT_EQ(writer.failures(), 2);
    EXPECT_EQ(writer.newest(), (Position{3, 0}));
    EXPECT_EQ(folders_in(folder.path()), 2);
  }
}

TEST(Writer, AMistakeOfOursEndsTheRunInAnyCase) {
  const TemporaryFolder folder;
  Writer writer(Store(folder.path(), {9}), {true, OnError::go_on});
  writer.save({1, 0}, content_of(1), failing(ErrorKind::internal));
  EXPECT_THAT(error_of([&] { writer.finish(); }), HasSubstr("the disk says no"));
}

TEST(Writer, IsWaitedFor) {
  const TemporaryFolder folder;
  {
    Writer writer(Store(folder.path(), {9}), kBehind);
    writer.save({1, 0}, content_of(1, 20000));
  }
  EXPECT_TRUE(same_content(Store::load(folder / "step-00000001.0000"), content_of(1, 20000)));
  {
    Writer writer(Store(folder.path(), {9}), kBehind);
    writer.save({2, 0}, content_of(1), failing());  // a warning
  }
  EXPECT_EQ(folders_in(folder.path()), 1);
}

}  // namespace
}  // namespace laconic::checkpoint
