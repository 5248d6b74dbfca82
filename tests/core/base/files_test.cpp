// Files appear whole or not at all.
#include "laconic/core/base/files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "tests/support/error_of.h"
#include "tests/support/temporary_folder.h"

namespace laconic {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

// Whether the file system of the tests has files without a name.
bool nameless_files(const fs::path& folder) {
  AtomicFile file(folder / "probe");
  return names_in(folder).empty();
}

TEST(AtomicFile, AppearsAtTheCommit) {
  const TemporaryFolder folder;
  {
    AtomicFile file(folder / "a");
    file.write("first");
    EXPECT_FALSE(fs::exists(folder / "a"));
    file.commit();
    EXPECT_EQ(read_file(folder / "a"), "first");
  }
  {
    AtomicFile file(folder / "a");
    file.write("second");
    EXPECT_EQ(read_file(folder / "a"), "first");
    file.commit();
  }
  {
    AtomicFile abandoned(folder / "a");
    abandoned.write("third");
  }
  EXPECT_EQ(read_file(folder / "a"), "second");
  EXPECT_THAT(names_in(folder.path()), ElementsAre("a"));
}

TEST(AtomicFile, AKilledProcessLeavesNothing) {
  const TemporaryFolder folder;
  if (!nameless_files(folder.path())) GTEST_SKIP() << "this file system has no files without a name";
  write_file_atomic(folder / "a", "old");
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    AtomicFile file(folder / "a");
    file.write(std::string(1 << 20, 'x'));
    ::_exit(9);  // as by a signal: nothing is cleared up
  }
  ::waitpid(child, nullptr, 0);
  EXPECT_EQ(read_file(folder / "a"), "old");
  EXPECT_THAT(names_in(folder.path()), ElementsAre("a"));
}

TEST(AtomicFile, WhatCannotBeWrittenIsAnError) {
  const TemporaryFolder folder;
  EXPECT_THAT(error_of([&] { AtomicFile(folder / "nowhere/a"); }), HasSubstr("nowhere/a: No such file or directory"));
  fs::create_directory(folder / "taken");
  const auto problem = error_of([&] { write_file_atomic(folder / "taken", "x"); });
  EXPECT_THAT(problem, HasSubstr("taken"));
  EXPECT_THAT(names_in(folder / "taken"), IsEmpty());
  EXPECT_THAT(names_in(folder.path()), ElementsAre("taken"));
}

}  // namespace
}  // namespace laconic
