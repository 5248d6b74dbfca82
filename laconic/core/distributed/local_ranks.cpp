#include "laconic/core/distributed/local_ranks.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <optional>
#include <random>
#include <set>
#include <utility>

#include "laconic/core/base/descriptor.h"
#include "laconic/core/base/error.h"
#include "laconic/core/base/strings.h"

namespace laconic::distributed {
namespace {

using Clock = std::chrono::steady_clock;

// SIGPIPE: whoever read our lines is gone, and the ranks are to save as one process would.
constexpr std::array<int, 6> kPassedOn = {SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGUSR1, SIGUSR2};

[[noreturn]] void fail_system(const char* what) {
  fail(ErrorKind::io, "cannot {}: {}", what, std::strerror(errno));
}

// A listening socket on a port that was free.
std::pair<Descriptor, int> listen_on_free_port() {
  Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (socket.get() < 0 || ::bind(socket.get(), generic, size) != 0 || ::listen(socket.get(), SOMAXCONN) != 0 ||
      ::getsockname(socket.get(), generic, &size) != 0)
    fail_system("listen for the ranks");
  return {std::move(socket), ntohs(address.sin_port)};
}

std::string random_id() {
  std::random_device device;
  return fmt::format("{:08x}{:08x}", device(), device());
}

// The signals that this process is told of through a descriptor instead of being interrupted; as before at the end.
class Signals {
 public:
  Signals() {
    ::sigemptyset(&set_);
    ::sigaddset(&set_, SIGCHLD);
    for (const int number : kPassedOn) ::sigaddset(&set_, number);
    ::pthread_sigmask(SIG_BLOCK, &set_, &before_);
    descriptor_ = Descriptor(::signalfd(-1, &set_, SFD_CLOEXEC | SFD_NONBLOCK));
    if (descriptor_.get() < 0) fail_system("watch for signals");
  }
  ~Signals() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  int descriptor() const { return descriptor_.get(); }
  const sigset_t& before() const { return before_; }

  // The next signal that has come, if one has.
  std::optional<int> next() const {
    signalfd_siginfo info{};
    if (::read(descriptor_.get(), &info, sizeof info) != sizeof info) return std::nullopt;
    return static_cast<int>(info.ssi_signo);
  }

 private:
  sigset_t set_{}, before_{};
  Descriptor descriptor_;
};

// One of a rank's two outputs, cut into lines.
struct Output {
  Descriptor pipe;
  std::string rest;
};

struct Child {
  int rank = 0;
  pid_t process = -1;             // -1: has ended
  std::array<Output, 2> outputs;  // standard output, standard error
  std::string last_error;         // the last line that says `error:`
};

std::vector<std::string> environment_of(const LocalRanksOptions& options, int local_rank, const std::string& meet,
                                        const std::string& run_id, int listen_fd) {
  std::vector<std::string> variables;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    if (!std::string_view(*entry).starts_with("LACONIC_LISTEN_FD=")) variables.emplace_back(*entry);
  }
  const std::vector<std::pair<std::string, std::string>> own = {
      {"LACONIC_RANK", std::to_string(options.first_rank + local_rank)},
      {"LACONIC_WORLD_SIZE", std::to_string(options.world_size)},
      {"LACONIC_LOCAL_RANK", std::to_string(local_rank)},
      {"LACONIC_LOCAL_WORLD_SIZE", std::to_string(options.ranks)},
      {"LACONIC_MEET", meet},
      {"LACONIC_RUN_ID", run_id}};
  for (const auto& [name, value] : own) {
    std::erase_if(variables, [&, prefix = name + "="](const std::string& entry) { return entry.starts_with(prefix); });
    variables.push_back(name + "=" + value);
  }
  if (listen_fd >= 0) variables.push_back(fmt::format("LACONIC_LISTEN_FD={}", listen_fd));
  return variables;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  result.reserve(texts.size() + 1);
  for (auto& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

class LocalRanks {
 public:
  explicit LocalRanks(const LocalRanksOptions& options) : options_(options) {}
  ~LocalRanks() {
    send(SIGKILL);  // where starting or reporting has failed
    for (const auto& child : children_) {
      if (child.process > 0) ::waitpid(child.process, nullptr, 0);
    }
  }
  LocalRanks(const LocalRanks&) = delete;
  LocalRanks& operator=(const LocalRanks&) = delete;

  LocalRanksOutcome run() {
    start();
    while (running_ > 0) {
      wait_for_news();
      read_outputs();
      while (const auto signal = signals_.next()) {
        if (*signal != SIGCHLD) pass_on(*signal);
      }
      reap();
      end_the_late();
    }
    drain();
    return outcome();
  }

 private:
  void start() {
    Descriptor listener;
    std::string meet = options_.meet;
    if (meet.empty()) {
      auto [socket, port] = listen_on_free_port();
      listener = std::move(socket);
      meet = fmt::format("127.0.0.1:{}", port);
    }
    const std::string run_id = options_.run_id.empty() ? random_id() : options_.run_id;
    children_.resize(static_cast<size_t>(options_.ranks));
    for (int i = 0; i < options_.ranks; ++i) {
      const int listen_fd = options_.first_rank + i == 0 ? listener.get() : -1;
      auto variables = environment_of(options_, i, meet, run_id, listen_fd);
      start_child(children_[static_cast<size_t>(i)], options_.first_rank + i, variables, listen_fd);
      ++running_;
    }
  }

  void start_child(Child& child, int rank, std::vector<std::string>& variables, int listen_fd) {
    auto command = options_.command;
    const auto arguments = pointers(command), environment = pointers(variables);
    auto out = make_pipe(), error = make_pipe();
    const pid_t parent = ::getpid();
    const pid_t process = ::fork();
    if (process < 0) fail_system("start a process");
    if (process == 0) {
      // Only async-signal-safe calls from here on.
      ::setpgid(0, 0);
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (::getppid() != parent) ::_exit(1);
      const int null = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
      ::dup2(null, STDIN_FILENO);
      ::dup2(out.write.get(), STDOUT_FILENO);
      ::dup2(error.write.get(), STDERR_FILENO);
      if (listen_fd >= 0) ::fcntl(listen_fd, F_SETFD, 0);
      ::sigprocmask(SIG_SETMASK, &signals_.before(), nullptr);
      ::execve(arguments[0], arguments.data(), environment.data());
      constexpr char kMessage[] = "error: the program cannot be started\n";
      [[maybe_unused]] const auto written = ::write(STDERR_FILENO, kMessage, sizeof kMessage - 1);
      ::_exit(127);
    }
    child.rank = rank;
    child.process = process;
    child.outputs[0].pipe = std::move(out.read);
    child.outputs[1].pipe = std::move(error.read);
    for (const auto& output : child.outputs) output.pipe.make_nonblocking();
  }

  void wait_for_news() {
    std::vector<pollfd> watched = {{signals_.descriptor(), POLLIN, 0}};
    for (const auto& child : children_) {
      for (const auto& output : child.outputs) {
        if (output.pipe.open()) watched.push_back({output.pipe.get(), POLLIN, 0});
      }
    }
    constexpr int kMilliseconds = 200;  // to notice that the grace time is over
    ::poll(watched.data(), watched.size(), kMilliseconds);
  }

  // False when nothing came.
  bool read_outputs() {
    bool any = false;
    for (auto& child : children_) {
      for (size_t i = 0; i < child.outputs.size(); ++i) any |= read_output(child, i);
    }
    return any;
  }

  bool read_output(Child& child, size_t index) {
    Output& output = child.outputs[index];
    if (!output.pipe.open()) return false;
    char buffer[1 << 16];
    const ssize_t n = ::read(output.pipe.get(), buffer, sizeof buffer);
    if (n < 0) return false;
    if (n == 0) {
      if (!output.rest.empty()) take_line(child, index, std::exchange(output.rest, {}));
      output.pipe.close();
      return false;
    }
    output.rest.append(buffer, static_cast<size_t>(n));
    size_t begin = 0;
    for (size_t end = 0; (end = output.rest.find_first_of("\n\r", begin)) != std::string::npos; begin = end + 1)
      take_line(child, index, output.rest.substr(begin, end - begin));
    output.rest.erase(0, begin);
    return true;
  }

  void take_line(Child& child, size_t index, const std::string& line) {
    if (index == 1 && line.find("error: ") != std::string::npos) child.last_error = line;
    if (options_.on_line) options_.on_line(child.rank, index == 1, line);
  }

  void pass_on(int signal) {
    passed_on_.insert(signal);
    send(signal);
  }

  void send(int signal) {
    for (const auto& child : children_) {
      if (child.process > 0) ::kill(child.process, signal);
    }
  }

  void reap() {
    int status = 0;
    for (pid_t process; (process = ::waitpid(-1, &status, WNOHANG)) > 0;) {
      for (auto& child : children_) {
        if (child.process == process) take_end(child, status);
      }
    }
  }

  static bool ends_runs(int signal) {
    return signal == SIGINT || signal == SIGTERM || signal == SIGHUP || signal == SIGPIPE;
  }

  static std::string reason_of(const Child& child, int status) {
    const std::string how = WIFSIGNALED(status) ? fmt::format("was ended by signal {} ({})", WTERMSIG(status),
                                                              ::strsignal(WTERMSIG(status)))
                                                : fmt::format("ended with status {}", WEXITSTATUS(status));
    return fmt::format("rank {} {}{}", child.rank, how, child.last_error.empty() ? "" : ": " + child.last_error);
  }

  void take_end(Child& child, int status) {
    child.process = -1;
    --running_;
    while (read_output(child, 1) || read_output(child, 0)) {
    }
    const bool signalled = WIFSIGNALED(status);
    const int own = signalled ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    if (own == 0 || status_ != 0) return;
    status_ = own;
    // A rank that hears of a signal before it listens to it ends at once: the others are not to wait for it. One that
    // says that it was stopped may have been signalled by itself: the others stop with it, and are not to be disturbed.
    stopped_ = signalled ? ends_runs(WTERMSIG(status)) && passed_on_.contains(WTERMSIG(status))
                         : own > 128 && (ends_runs(own - 128) || !passed_on_.empty());
    if (!stopped_) reason_ = reason_of(child, status);
    if ((stopped_ && !signalled) || running_ == 0) return;
    send(SIGTERM);
    deadline_ =
        Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(options_.grace_s));
  }

  void end_the_late() {
    if (!deadline_ || Clock::now() < *deadline_) return;
    deadline_.reset();
    send(SIGKILL);
  }

  // What is still in the pipes; a process that a rank left behind may hold them open for ever.
  void drain() {
    while (read_outputs()) {
    }
    for (auto& child : children_) {
      for (size_t i = 0; i < child.outputs.size(); ++i) {
        if (!child.outputs[i].rest.empty()) take_line(child, i, std::exchange(child.outputs[i].rest, {}));
      }
    }
  }

  LocalRanksOutcome outcome() const { return {status_, reason_, stopped_}; }

  const LocalRanksOptions& options_;
  Signals signals_;
  std::vector<Child> children_;
  int running_ = 0;
  std::set<int> passed_on_;  // signals
  bool stopped_ = false;
  int status_ = 0;
  std::string reason_;
  std::optional<Clock::time_point> deadline_;
};

}  // namespace

LocalRanksOutcome run_local_ranks(const LocalRanksOptions& options) {
  LACONIC_CHECK(options.ranks >= 1 && !options.command.empty(), "{} ranks of an empty command", options.ranks);
  return LocalRanks(options).run();
}

}  // namespace laconic::distributed
