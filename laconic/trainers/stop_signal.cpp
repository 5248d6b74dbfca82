#include "laconic/trainers/stop_signal.h"

#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <string_view>

namespace laconic::trainers {
namespace {

// What comes so soon after the first signal is the same request: timeout(1) signals its command and then the whole
// group, a service manager all processes at once while `laconic launch` passes its own signal on.
constexpr int64_t kSameRequestNanoseconds = 100'000'000;

// A signal handler can reach nothing but process-wide state.
std::atomic<int64_t> stopped_at{0};  // nanoseconds of the steady clock; 0 = no stop is requested
std::atomic<int> first_signal{SIGINT};

int64_t now() {
  constexpr int64_t kNanoseconds = 1'000'000'000;
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * kNanoseconds + time.tv_nsec;
}

void say(std::string_view text) {
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text.data(), text.size());
}

void on_signal(int number) {
  const int error = errno;
  const bool nobody_listens = number == SIGPIPE || number == SIGHUP;
  // Nobody reads our lines any more, and each of them, or the shell's own end, would bring the signal again.
  if (nobody_listens) ::signal(number, SIG_IGN);
  const int64_t time = now();
  int64_t before = 0;
  if (stopped_at.compare_exchange_strong(before, time)) {
    first_signal.store(number);
    if (!nobody_listens) say("\nsignal received: saving and ending (a second one ends at once)\n");
  } else if (!nobody_listens && time - before >= kSameRequestNanoseconds) {
    say("\nsecond signal: ending at once\n");
    ::_exit(128 + number);
  }
  errno = error;
}

}  // namespace

void install_stop_signals() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  ::sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
  for (const int number : {SIGHUP, SIGPIPE}) {
    struct sigaction present {};
    ::sigaction(number, nullptr, &present);
    if (present.sa_handler != SIG_IGN) ::sigaction(number, &action, nullptr);  // nohup ignores SIGHUP
  }
}

bool stop_requested() {
  return stopped_at.load(std::memory_order_relaxed) != 0;
}

int stop_status() {
  return 128 + first_signal.load();
}

void request_stop() {
  stopped_at.store(now());
}

void clear_stop_request() {
  stopped_at.store(0);
}

}  // namespace laconic::trainers
