#include "laconic/sandbox/child.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <thread>

#include "laconic/core/base/descriptor.h"
#include "laconic/core/base/error.h"
#include "laconic/core/base/timer.h"

namespace laconic::sandbox {
namespace {

namespace fs = std::filesystem;

constexpr const char* kGuard = "laconic-guard";
constexpr double kEndSeconds = 3;  // that the guard has for killing the tree

// What posix_spawn is told, freed with its owner.
class SpawnPlan {
 public:
  SpawnPlan() {
    ::posix_spawn_file_actions_init(&actions_);
    ::posix_spawnattr_init(&attributes_);
    sigset_t none, all;
    ::sigemptyset(&none);
    ::sigfillset(&all);
    ::posix_spawnattr_setsigmask(&attributes_, &none);
    ::posix_spawnattr_setsigdefault(&attributes_, &all);
    ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  ~SpawnPlan() {
    ::posix_spawn_file_actions_destroy(&actions_);
    ::posix_spawnattr_destroy(&attributes_);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;

  // By way of a copy with a high number, so that no target is the source of a later one.
  void give(int ours, int theirs) {
    constexpr int kAboveTargets = 32;
    copies_.emplace_back(::fcntl(ours, F_DUPFD_CLOEXEC, kAboveTargets));
    if (!copies_.back().open())
      fail(ErrorKind::io, "cannot hand a descriptor to a child process: {}", std::strerror(errno));
    ::posix_spawn_file_actions_adddup2(&actions_, copies_.back().get(), theirs);
  }
  posix_spawn_file_actions_t* actions() { return &actions_; }
  posix_spawnattr_t* attributes() { return &attributes_; }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
  std::vector<Descriptor> copies_;
};

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> list;
  list.reserve(texts.size() + 1);
  for (auto& text : texts) list.push_back(text.data());
  list.push_back(nullptr);
  return list;
}

// The entries of this process whose names are not given anew, then those given.
std::vector<std::string> environment_of(const ChildCommand& command) {
  std::vector<std::string> all;
  for (char** entry = command.inherit_environment ? environ : nullptr; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string text = *entry;
    const auto name = text.substr(0, text.find('=') + 1);
    bool replaced = false;
    for (const auto& given : command.environment) replaced |= given.starts_with(name);
    if (!replaced) all.push_back(text);
  }
  all.insert(all.end(), command.environment.begin(), command.environment.end());
  return all;
}

}  // namespace

fs::path guard_program() {
  if (const char* set = std::getenv("LACONIC_GUARD")) {
    if (::access(set, X_OK) == 0) return set;
    fail(ErrorKind::io, "LACONIC_GUARD: {} is no program that can be run: {}", set, std::strerror(errno));
  }
  std::error_code error;
  const auto folder = fs::read_symlink("/proc/self/exe", error).parent_path();
  const fs::path beside = folder / kGuard, installed = fs::path(LACONIC_LIBEXEC) / kGuard;
  for (const auto& path : {beside, folder / ".." / "libexec" / kGuard, installed}) {
    if (::access(path.c_str(), X_OK) == 0) return path;
  }
  fail(ErrorKind::io, "the program {} is missing: it is neither {} nor {}; LACONIC_GUARD=PATH says where it is", kGuard,
       beside.string(), installed.string());
}

Child::Child(const std::string& mode, const ChildCommand& command) {
  std::vector<std::string> words = {guard_program().string(), mode, std::to_string(::getpid())};
  words.insert(words.end(), command.words.begin(), command.words.end());
  auto environment = environment_of(command);
  SpawnPlan plan;
  for (const auto& [ours, theirs] : command.descriptors) plan.give(ours, theirs);
  auto arguments = pointers(words), variables = pointers(environment);
  const int error = ::posix_spawn(&pid_, words.front().c_str(), plan.actions(), plan.attributes(), arguments.data(),
                                  variables.data());
  if (error != 0) fail(ErrorKind::io, "cannot start {}: {}", words.front(), std::strerror(error));
}

Child::~Child() {
  end();
}

bool Child::reap(bool block) {
  while (!ended_) {
    const pid_t pid = ::waitpid(pid_, &status_, block ? 0 : WNOHANG);
    if (pid == pid_) ended_ = true;
    if (pid == 0) return false;
    if (pid < 0 && errno != EINTR) {  // somebody else has waited for it
      ended_ = true;
      status_ = 0;
    }
  }
  return true;
}

bool Child::wait(double seconds) {
  using namespace std::chrono_literals;
  const Timer timer;
  while (!reap(/*block=*/false)) {
    if (timer.seconds() >= seconds) return false;
    std::this_thread::sleep_for(2ms);
  }
  return true;
}

void Child::end() {
  if (ended_ || pid_ < 0) return;
  ::kill(pid_, SIGTERM);  // the guard's sign to end the tree
  if (wait(kEndSeconds)) return;
  ::kill(pid_, SIGKILL);
  reap(/*block=*/true);
}

std::string Child::how_it_ended() const {
  if (WIFSIGNALED(status_)) {
    const int number = WTERMSIG(status_);
    return fmt::format("signal {} ({})", number, ::strsignal(number));
  }
  return fmt::format("exit status {}", WEXITSTATUS(status_));
}

}  // namespace laconic::sandbox
