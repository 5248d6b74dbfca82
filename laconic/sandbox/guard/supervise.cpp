#include "laconic/sandbox/guard/supervise.h"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <initializer_list>

#include "laconic/sandbox/guard/tree.h"

namespace laconic::guard {
namespace {

constexpr int kCannotRun = 127;
constexpr unsigned kFirstUnused = 5;  // descriptors 0..4 may be the command's

[[noreturn]] void become(char** command, pid_t guard, const sigset_t& before) {
  die_with_parent(guard, SIGKILL);
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
  ::execvp(command[0], command);
  std::fprintf(stderr, "cannot run %s: %s\n", command[0], std::strerror(errno));
  ::_exit(kCannotRun);
}

}  // namespace

void supervise(pid_t parent, char** command) {
  sigset_t watched, before;
  ::sigemptyset(&watched);
  for (const int number : {SIGTERM, SIGCHLD, SIGINT, SIGHUP}) ::sigaddset(&watched, number);
  ::sigprocmask(SIG_BLOCK, &watched, &before);
  ::setsid();  // Ctrl-C at the terminal is for the parent, which then ends us in its own way
  die_with_parent(parent, SIGTERM);
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  ::close_range(kFirstUnused, ~0U, 0);
  const pid_t guard = ::getpid();
  const pid_t child = ::fork();
  if (child == 0) become(command, guard, before);
  ::close_range(0, ~0U, 0);  // the ends of pipes are the command's alone
  if (child < 0) ::_exit(kCannotRun);
  for (;;) {
    const int number = ::sigwaitinfo(&watched, nullptr);
    if (number == SIGCHLD) {
      int status = 0;
      for (pid_t pid; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;) {
        if (pid != child) continue;
        kill_descendants();
        end_like(status);
      }
    } else if (number > 0) {
      kill_descendants();
      ::_exit(128 + SIGTERM);
    }
  }
}

}  // namespace laconic::guard
