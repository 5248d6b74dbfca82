#include "laconic/trainers/stop_signal.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <initializer_list>
#include <thread>

namespace laconic::trainers {
namespace {

class StopSignal : public testing::Test {
 protected:
  void SetUp() override { install_stop_signals(); }
  void TearDown() override {
    for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) ::signal(number, SIG_DFL);
    clear_stop_request();
  }
};

// As timeout(1) sends it: to its command, and then to the whole group.
TEST_F(StopSignal, TwoAtOnceAreOneRequest) {
  ::raise(SIGTERM);
  ::raise(SIGTERM);
  EXPECT_TRUE(stop_requested());
  EXPECT_EQ(stop_status(), 128 + SIGTERM);
}

TEST_F(StopSignal, ASecondOneEndsTheProcess) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");  // LibTorch has threads
  EXPECT_EXIT(
      {
        ::raise(SIGINT);
        std::this_thread::sleep_for(std::chrono::milliseconds(200));
        ::raise(SIGTERM);
      },
      testing::ExitedWithCode(128 + SIGTERM), "second signal: ending at once");
}

TEST_F(StopSignal, TheEndOfWhoeverReadsIsARequestOnce) {
  for (int i = 0; i < 3; ++i) ::raise(SIGPIPE);
  EXPECT_TRUE(stop_requested());
  EXPECT_EQ(stop_status(), 128 + SIGPIPE);
}

// A signal may come between a system call and the look at what it said.
TEST_F(StopSignal, ErrnoIsLeftAlone) {
  const int standard_error = ::dup(STDERR_FILENO);
  ::close(STDERR_FILENO);  // the message cannot be written
  errno = ENOSPC;
  ::raise(SIGTERM);
  const int after = errno;
  ::dup2(standard_error, STDERR_FILENO);
  ::close(standard_error);
  EXPECT_EQ(after, ENOSPC);
}

}  // namespace
}  // namespace laconic::trainers
