// Saving where the system refuses: the earlier checkpoint stays, and nothing half-written is left.
#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>

#include "laconic/core/base/files.h"
#include "laconic/core/checkpoint/writer.h"
#include "tests/core/checkpoint/content.h"
#include "tests/support/error_of.h"
#include "tests/support/temporary_folder.h"

namespace laconic::checkpoint {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

void expect_only(const Store& store, const fs::path& folder, const Position& position, uint64_t seed) {
  EXPECT_EQ(names_in(folder).size(), 1u);
  const auto found = find_newest(store);
  ASSERT_TRUE(found.loaded);
  EXPECT_TRUE(found.passed_over.empty());
  EXPECT_EQ(found.loaded->position, position);
  EXPECT_TRUE(same_content(*found.loaded, content_of(seed)));
}

// A file system of its own, in memory and small; not mounted where the test may not.
class SmallDisk {
 public:
  explicit SmallDisk(const char* options) {
    mounted_ = ::mount("tmpfs", folder_.path().c_str(), "tmpfs", 0, options) == 0;
  }
  ~SmallDisk() {
    if (mounted_) ::umount2(folder_.path().c_str(), MNT_DETACH);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  bool mounted() const { return mounted_; }
  bool make_read_only() const {
    return ::mount("tmpfs", folder_.path().c_str(), "tmpfs", MS_REMOUNT | MS_RDONLY, nullptr) == 0;
  }
  const fs::path& path() const { return folder_.path(); }

 private:
  TemporaryFolder folder_;
  bool mounted_ = false;
};

TEST(StoreFailure, AFullDisk) {
  const SmallDisk disk("size=256k");
  if (!disk.mounted()) GTEST_SKIP() << "this user may not mount a file system";
  Store store(disk.path() / "checkpoints", {2});
  store.save({1, 0}, content_of(1));
  for (const Position position : {Position{2, 0}, Position{1, 0}}) {  // another one, and the same again
    const auto problem = error_of([&] { store.save(position, content_of(2, 50000)); });
    EXPECT_THAT(problem, HasSubstr("No space left on device"));
    EXPECT_THAT(problem, HasSubstr((disk.path() / "checkpoints").string()));
    expect_only(store, disk.path() / "checkpoints", {1, 0}, 1);
  }
  store.save({3, 0}, content_of(3));  // there is room again
  EXPECT_EQ(find_newest(store).loaded->position, (Position{3, 0}));
}

// Behind the caller's back, and with a run that goes on.
TEST(StoreFailure, AFullDiskOfAnAsynchronousWriter) {
  const SmallDisk disk("size=256k");
  if (!disk.mounted()) GTEST_SKIP() << "this user may not mount a file system";
  Writer writer(Store(disk.path() / "checkpoints", {2}), {true, OnError::go_on});
  writer.save({1, 0}, content_of(1));
  writer.save({2, 0}, content_of(2, 50000));
  writer.finish();
  EXPECT_EQ(writer.failures(), 1);
  EXPECT_EQ(writer.newest(), (Position{1, 0}));
  expect_only(writer.store(), disk.path() / "checkpoints", {1, 0}, 1);
  writer.save({3, 0}, content_of(3));
  writer.finish();
  EXPECT_EQ(writer.newest(), (Position{3, 0}));
}

// The same without privileges: files may not grow beyond a limit.
TEST(StoreFailure, ALimitOfTheFileSize) {
  const TemporaryFolder folder;
  Store store(folder.path(), {2});
  store.save({1, 0}, content_of(1));
  rlimit old{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &old), 0);
  rlimit small = old;
  small.rlim_cur = 64 << 10;
  const auto handler = ::signal(SIGXFSZ, SIG_IGN);  // the write then fails instead
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const auto problem = error_of([&] { store.save({2, 0}, content_of(2, 50000)); });
  ::setrlimit(RLIMIT_FSIZE, &old);
  ::signal(SIGXFSZ, handler);
  EXPECT_THAT(problem, HasSubstr("File too large"));
  expect_only(store, folder.path(), {1, 0}, 1);
}

TEST(StoreFailure, AReadOnlyFolder) {
  const SmallDisk disk("size=256k");
  if (!disk.mounted()) GTEST_SKIP() << "this user may not mount a file system";
  Store store(disk.path(), {2});
  store.save({1, 0}, content_of(1));
  ASSERT_TRUE(disk.make_read_only());
  const auto problem = error_of([&] { store.save({2, 0}, content_of(2)); });
  EXPECT_THAT(problem, HasSubstr(disk.path().string()));
  EXPECT_THAT(problem, HasSubstr("Read-only file system"));
  expect_only(store, disk.path(), {1, 0}, 1);
}

TEST(StoreFailure, AFolderWithoutPermission) {
  if (::geteuid() == 0) GTEST_SKIP() << "permissions do not bind this user";
  const TemporaryFolder folder;
  Store store(folder.path(), {2});
  store.save({1, 0}, content_of(1));
  fs::permissions(folder.path(), fs::perms::owner_read | fs::perms::owner_exec);
  EXPECT_THAT(error_of([&] { store.save({2, 0}, content_of(2)); }), HasSubstr("Permission denied"));
  fs::permissions(folder.path(), fs::perms::owner_all);
  expect_only(store, folder.path(), {1, 0}, 1);
}

TEST(StoreFailure, AFileInThePlaceOfTheFolder) {
  const TemporaryFolder folder;
  write_file_atomic(folder / "checkpoints", "a file");
  Store store(folder / "checkpoints", {1});
  EXPECT_THAT(error_of([&] { store.save({1, 0}, content_of(1)); }), HasSubstr("checkpoints"));
  EXPECT_THAT(error_of([&] { find_newest(store); }), HasSubstr("expected the folder of the checkpoints"));
  EXPECT_EQ(read_file(folder / "checkpoints"), "a file");
}

TEST(StoreFailure, TensorsThatCannotBeWritten) {
  const TemporaryFolder folder;
  Store store(folder.path(), {1});
  store.save({1, 0}, content_of(1));
  auto content = content_of(2);
  content.optimizer.emplace_back("x", at::ones({1}, at::kComplexFloat));
  EXPECT_THAT(error_of([&] { store.save({2, 0}, content); }), HasSubstr("cannot be written"));
  expect_only(store, folder.path(), {1, 0}, 1);
}

}  // namespace
}  // namespace laconic::checkpoint
