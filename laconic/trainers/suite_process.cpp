#include "laconic/trainers/suite_process.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <thread>

#include "laconic/core/base/error.h"
#include "laconic/core/base/files.h"
#include "laconic/core/base/strings.h"
#include "laconic/trainers/stop_signal.h"

namespace laconic::trainers {
namespace {

namespace fs = std::filesystem;

// Holds all signals back from this thread. A child forked meanwhile would lose one that comes before its exec to this
// process's handlers: it drops them first.
class HeldSignals {
 public:
  HeldSignals() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~HeldSignals() { release(); }
  HeldSignals(const HeldSignals&) = delete;
  HeldSignals& operator=(const HeldSignals&) = delete;
  void release() const { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_{};
};

// Between fork and exec only async-signal-safe calls are allowed, so everything is made ready before.
[[noreturn]] void become(char* const* arguments, int output, pid_t parent, const HeldSignals& held) {
  for (const int number : {SIGINT, SIGTERM}) ::signal(number, SIG_DFL);
  held.release();
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != parent) ::_exit(127);  // the parent ended before it could be watched
  const int nothing = ::open("/dev/null", O_RDONLY);
  ::dup2(nothing, STDIN_FILENO);
  ::dup2(output, STDOUT_FILENO);
  ::dup2(output, STDERR_FILENO);
  ::execv("/proc/self/exe", arguments);
  ::_exit(127);
}

// PR_SET_PDEATHSIG follows the thread that forked, so the thread stays until the child has ended.
ChildOutcome wait_for(pid_t child) {
  using namespace std::chrono_literals;
  ChildOutcome outcome;
  for (;;) {
    int status = 0;
    const pid_t ended = ::waitpid(child, &status, WNOHANG);
    if (ended == child) {
      outcome.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
      return outcome;
    }
    if (ended < 0 && errno != EINTR) fail(ErrorKind::io, "cannot wait for a child process: {}", std::strerror(errno));
    if (stop_requested() && !outcome.stopped) {
      outcome.stopped = true;
      ::kill(child, SIGTERM);
    }
    std::this_thread::sleep_for(20ms);
  }
}

// From what was written behind the first `begin` bytes.
std::string reason_from(const fs::path& log, size_t begin, int status) {
  std::string last, error;
  for (const auto& line : split(read_file(log).substr(begin), '\n')) {
    if (trim(line).empty()) continue;
    last = line;
    if (line.find("error:") != std::string::npos) error = line;
  }
  return fmt::format("status {}: {}", status, error.empty() ? last : error);
}

}  // namespace

ChildOutcome run_laconic(const std::vector<std::string>& arguments, const fs::path& log) {
  fs::create_directories(log.parent_path());
  const size_t begin = fs::exists(log) ? fs::file_size(log) : 0;
  const int output = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (output < 0) fail(ErrorKind::io, "{}: {}", log.string(), std::strerror(errno));
  std::vector<std::string> words = {"laconic"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> pointers;
  pointers.reserve(words.size() + 1);
  for (auto& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  const pid_t parent = ::getpid();
  pid_t child = -1;
  {
    const HeldSignals held;
    child = ::fork();
    if (child == 0) become(pointers.data(), output, parent, held);
  }
  ::close(output);
  if (child < 0) fail(ErrorKind::io, "cannot start `laconic {}`: {}", arguments.front(), std::strerror(errno));
  auto outcome = wait_for(child);
  if (outcome.status != 0) outcome.reason = reason_from(log, begin, outcome.status);
  return outcome;
}

}  // namespace laconic::trainers
