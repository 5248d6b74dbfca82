#include "laconic/trainers/stop_signal.h"

#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstring>

namespace laconic::trainers {
namespace {

// A signal handler can reach nothing but process-wide state.
std::atomic<int> signals_seen{0};
std::atomic<int> first_signal{SIGINT};

void on_signal(int number) {
  if (number == SIGPIPE || number == SIGHUP) {
    // Nobody reads our lines any more, and each of them, or the shell's own end, would bring the signal again.
    ::signal(number, SIG_IGN);
    if (signals_seen.fetch_add(1) == 0) first_signal.store(number);
    return;
  }
  if (signals_seen.fetch_add(1) > 0) {
    constexpr char kMessage[] = "\nsecond signal: ending at once\n";
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, kMessage, sizeof kMessage - 1);
    ::_exit(128 + number);
  }
  first_signal.store(number);
  constexpr char kMessage[] = "\nsignal received: saving and ending (a second one ends at once)\n";
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, kMessage, sizeof kMessage - 1);
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
  return signals_seen.load(std::memory_order_relaxed) > 0;
}

int stop_status() {
  return 128 + first_signal.load();
}

void request_stop() {
  signals_seen.store(1);
}

void clear_stop_request() {
  signals_seen.store(0);
}

}  // namespace laconic::trainers
