#include "laconic/sandbox/guard/tree.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <string>

namespace laconic::guard {
namespace {

// The pids of the direct children, separated by spaces.
std::string children() {
  std::string text;
  const int fd = ::open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return text;
  char buffer[4096];
  for (ssize_t n; (n = ::read(fd, buffer, sizeof buffer)) > 0;) text.append(buffer, static_cast<size_t>(n));
  ::close(fd);
  return text;
}

}  // namespace

void die_with_parent(pid_t expected, int signal) {
  ::prctl(PR_SET_PDEATHSIG, signal);
  if (::getppid() != expected) ::_exit(EXIT_FAILURE);
}

void kill_descendants() {
  // A killed child's children become ours, and are killed in the next turn.
  for (;;) {
    const std::string pids = children();
    for (const char* at = pids.c_str(); *at != '\0';) {
      char* end = nullptr;
      const long pid = std::strtol(at, &end, 10);
      if (pid > 0) ::kill(static_cast<pid_t>(pid), SIGKILL);
      at = end + (*end == ' ');
      if (pid <= 0) break;
    }
    while (::waitpid(-1, nullptr, WNOHANG) > 0) {
    }
    if (::waitpid(-1, nullptr, WNOHANG) < 0 && errno == ECHILD) return;
    constexpr timespec kPause{0, 1000000};
    ::nanosleep(&kPause, nullptr);
  }
}

void end_like(int status) {
  if (WIFEXITED(status)) ::_exit(WEXITSTATUS(status));
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  const int number = WTERMSIG(status);
  sigset_t one;
  ::sigemptyset(&one);
  ::sigaddset(&one, number);
  ::signal(number, SIG_DFL);
  ::sigprocmask(SIG_UNBLOCK, &one, nullptr);
  ::raise(number);
  ::_exit(128 + number);
}

}  // namespace laconic::guard
