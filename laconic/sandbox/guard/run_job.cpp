#include "laconic/sandbox/guard/run_job.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string_view>

#include "laconic/sandbox/guard/root.h"
#include "laconic/sandbox/guard/syscall_filter.h"
#include "laconic/sandbox/guard/tree.h"
#include "laconic/sandbox/guard/usage.h"

namespace laconic::guard {
namespace {

using sandbox::Job;
using sandbox::JobEnd;
using sandbox::JobResult;
using sandbox::Limits;
using Clock = std::chrono::steady_clock;
namespace fs = std::filesystem;

constexpr int kLookMilliseconds = 5;  // between looks at time, processes and memory

struct Ends {
  int read = -1, write = -1;
  Ends() {
    int both[2];
    if (::pipe2(both, O_CLOEXEC) != 0) fail_with("cannot make a pipe", errno);
    read = both[0];
    write = both[1];
  }
  ~Ends() {
    close_read();
    close_write();
  }
  Ends(const Ends&) = delete;
  Ends& operator=(const Ends&) = delete;
  void close_read() { close_one(read); }
  void close_write() { close_one(write); }

 private:
  static void close_one(int& fd) {
    if (fd >= 0) ::close(fd);
    fd = -1;
  }
};

void set_limit(int which, uint64_t value) {
  rlimit limit{value, value};
  rlimit present{};
  ::getrlimit(static_cast<__rlimit_resource>(which), &present);
  limit.rlim_max = std::min<rlim_t>(value, present.rlim_max);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(static_cast<__rlimit_resource>(which), &limit);
}

bool counts_by_namespace() {
  utsname system{};
  int major = 0, minor = 0;
  ::uname(&system);
  if (std::sscanf(system.release, "%d.%d", &major, &minor) != 2) return false;
  return major > 5 || (major == 5 && minor >= 14);
}

void set_limits(const Limits& limits, bool isolated) {
  constexpr uint64_t kFiles = 256, kStack = 64UL << 20U;
  // SIGXCPU first; a second later SIGKILL for those who do not mind.
  const rlimit cpu{limits.cpu_seconds, limits.cpu_seconds + 1};
  ::setrlimit(RLIMIT_CPU, &cpu);
  set_limit(RLIMIT_AS, 2 * limits.memory_bytes);
  set_limit(RLIMIT_FSIZE, limits.file_bytes);
  set_limit(RLIMIT_NOFILE, kFiles);
  set_limit(RLIMIT_CORE, 0);
  set_limit(RLIMIT_MEMLOCK, 0);
  set_limit(RLIMIT_MSGQUEUE, 0);
  set_limit(RLIMIT_STACK, kStack);
  // Only a backstop for what is counted: from Linux 5.14 on processes are counted for each user namespace, before that
  // those of the user elsewhere would count as well.
  constexpr uint64_t kFactor = 4;
  if (isolated && counts_by_namespace()) set_limit(RLIMIT_NPROC, kFactor * limits.processes);
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> list;
  list.reserve(texts.size() + 1);
  for (auto& text : texts) list.push_back(text.data());
  list.push_back(nullptr);
  return list;
}

// In the new process.
[[noreturn]] void become(const Job& job, const World& world, int input, int output, int errors, int failure) {
  ::setsid();
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::dup2(input, STDIN_FILENO);
  ::dup2(output, STDOUT_FILENO);
  ::dup2(errors, STDERR_FILENO);
  std::vector<std::string> environment = {"PATH=/usr/local/bin:/usr/bin:/bin",
                                          "HOME=" + world.folder,
                                          "TMPDIR=" + world.folder + "/run",
                                          "LANG=C.UTF-8",
                                          "PYTHONDONTWRITEBYTECODE=1",
                                          "PYTHONHASHSEED=0",
                                          "OMP_NUM_THREADS=1",
                                          "OPENBLAS_NUM_THREADS=1"};
  auto words = job.words;
  auto arguments = pointers(words), variables = pointers(environment);
  ::signal(SIGPIPE, SIG_DFL);
  set_limits(job.limits, world.isolated);
  if (::chdir((world.folder + "/run").c_str()) == 0 && filter_syscalls())
    ::execvpe(arguments[0], arguments.data(), variables.data());
  const int error = errno;
  [[maybe_unused]] const auto written = ::write(failure, &error, sizeof error);
  ::_exit(EXIT_FAILURE);
}

// Gives its owner back the permissions that a program may have taken from a folder and from those in it.
void open_folders(const fs::path& folder) {
  std::error_code ignored;
  if (!fs::is_directory(fs::symlink_status(folder, ignored))) return;  // a link may lead to anywhere
  fs::permissions(folder, fs::perms::owner_all, fs::perm_options::add, ignored);
  for (const auto& entry : fs::directory_iterator(folder, ignored)) open_folders(entry.path());
}

bool empty_folder(const fs::path& folder) {
  std::error_code error;
  fs::remove_all(folder, error);
  if (error) {
    open_folders(folder.parent_path());
    fs::remove_all(folder, error);
  }
  return !error && fs::create_directory(folder, error) && !error;
}

// An empty folder to run in, and the job's files. False when the disk is full, or when an earlier program has left what
// cannot be removed.
bool prepare(const Job& job, const World& world) {
  if (!empty_folder(world.folder + "/run")) return false;
  for (const auto& file : job.files) {
    const std::string path = world.folder + "/" + file.name;
    ::unlink(path.c_str());  // an earlier program may have made it a link to elsewhere
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    const auto written = fd < 0 ? -1 : ::write(fd, file.content.data(), file.content.size());
    if (fd >= 0) ::close(fd);
    if (written != static_cast<ssize_t>(file.content.size())) return false;
  }
  return true;
}

bool too_many_files(const World& world) {
  struct statvfs status {};
  if (!world.isolated || ::statvfs(world.folder.c_str(), &status) != 0) return false;
  return status.f_files - status.f_ffree > kScratchInodes;
}

class Run {
 public:
  Run(const Job& job, const World& world, int master) : job_(job), world_(world), master_(master) {}

  JobResult run() {
    if (!prepare(job_, world_)) {
      result_.end = JobEnd::out_of_disk;
      return result_;
    }
    const auto begin = Clock::now();
    start();
    while (!finished(std::chrono::duration<double>(Clock::now() - begin).count())) look();
    kill_all();
    drain();
    result_.seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    return result_;
  }

 private:
  void start() {
    Ends failure;
    pid_ = ::fork();
    if (pid_ == 0) become(job_, world_, input_.read, output_.write, errors_.write, failure.write);
    if (pid_ < 0) fail_with("cannot start a process", errno);
    failure.close_write();
    input_.close_read();
    output_.close_write();
    errors_.close_write();
    for (const int fd : {input_.write, output_.read, errors_.read}) ::fcntl(fd, F_SETFL, O_NONBLOCK);
    int error = 0;
    if (::read(failure.read, &error, sizeof error) == sizeof error) end_with(JobEnd::not_started, error);
  }

  void end_with(JobEnd end, int code = 0) {
    if (ended_) return;
    ended_ = true;
    result_.end = end;
    result_.code = code;
  }

  // Waits a moment for something to do, and does it.
  void look() {
    std::array<pollfd, 4> watched = {{{output_.read, POLLIN, 0},
                                      {errors_.read, POLLIN, 0},
                                      {given_ < job_.input.size() ? input_.write : -1, POLLOUT, 0},
                                      {master_, 0, 0}}};
    ::poll(watched.data(), watched.size(), kLookMilliseconds);
    if ((watched[3].revents & (POLLHUP | POLLERR)) != 0) {
      kill_all();
      std::_Exit(EXIT_FAILURE);
    }
    feed();
    take(output_, result_.output);
    take(errors_, result_.errors);
  }

  void feed() {
    if (given_ < job_.input.size()) {
      const ssize_t n = ::write(input_.write, job_.input.data() + given_, job_.input.size() - given_);
      if (n > 0) given_ += static_cast<size_t>(n);
      if (n < 0 && errno != EAGAIN && errno != EINTR) given_ = job_.input.size();  // nobody reads it
    }
    if (given_ == job_.input.size()) input_.close_write();
  }

  void take(Ends& pipe, std::string& text) {
    std::array<char, 65536> buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init)
    while (pipe.read >= 0) {
      const ssize_t n = ::read(pipe.read, buffer.data(), buffer.size());
      if (n < 0) return;
      if (n == 0) {
        pipe.close_read();
        return;
      }
      text.append(buffer.data(), static_cast<size_t>(n));
      if (text.size() <= job_.limits.output_bytes) continue;
      text.resize(job_.limits.output_bytes);
      end_with(JobEnd::out_of_output);
      pipe.close_read();
    }
  }

  bool finished(double seconds) {
    if (ended_) return true;
    // One call for the program and for orphans alike: a program that ended between two calls would be taken for one.
    int status = 0;
    rusage used{};
    for (pid_t pid; (pid = ::wait4(-1, &status, WNOHANG, &used)) > 0;) {
      if (pid == pid_) end_as(status, used);
    }
    if (ended_) return true;
    if (seconds > job_.limits.wall_seconds) end_with(JobEnd::out_of_time);
    const auto usage = usage_of_descendants();
    if (usage.processes > job_.limits.processes) end_with(JobEnd::out_of_processes);
    if (usage.memory_bytes > job_.limits.memory_bytes) end_with(JobEnd::out_of_memory);
    if (too_many_files(world_)) end_with(JobEnd::out_of_disk);
    return ended_;
  }

  void end_as(int status, const rusage& used) {
    if (WIFEXITED(status)) {
      end_with(JobEnd::exited, WEXITSTATUS(status));
      return;
    }
    const auto cpu_seconds = static_cast<uint64_t>(used.ru_utime.tv_sec + used.ru_stime.tv_sec);
    const bool cpu =
        WTERMSIG(status) == SIGXCPU || (WTERMSIG(status) == SIGKILL && cpu_seconds >= job_.limits.cpu_seconds);
    end_with(cpu ? JobEnd::out_of_time : JobEnd::signalled, WTERMSIG(status));
  }

  void kill_all() {
    if (world_.isolated) ::kill(-1, SIGKILL);
    kill_descendants();
  }

  // What was written before the end. Too much is too much, whether it was read before the end was seen or is only now.
  void drain() {
    ended_ = result_.end != JobEnd::exited && result_.end != JobEnd::signalled;
    take(output_, result_.output);
    take(errors_, result_.errors);
  }

  const Job& job_;
  const World& world_;
  int master_;
  Ends input_, output_, errors_;
  size_t given_ = 0;  // bytes of the input
  pid_t pid_ = -1;
  bool ended_ = false;
  JobResult result_;
};

}  // namespace

JobResult run_job(const Job& job, const World& world, int master) {
  return Run(job, world, master).run();
}

}  // namespace laconic::guard
