#include "laconic/sandbox/sandbox.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "laconic/core/base/descriptor.h"
#include "laconic/core/base/error.h"
#include "laconic/core/base/strings.h"
#include "laconic/core/base/timer.h"
#include "laconic/sandbox/child.h"
#include "laconic/sandbox/wire.h"

namespace laconic::sandbox {
namespace {

namespace fs = std::filesystem;

constexpr double kStartSeconds = 20;
// Beyond a job's own limit: for its files, its end, and a machine that is busy.
constexpr double kGraceSeconds = 20;
constexpr double kEndSeconds = 1;  // that a guard has for its own end
constexpr const char* kVariable = "LACONIC_SANDBOX";

// A folder on the disk, gone with its owner.
class ScratchFolder {
 public:
  ScratchFolder() {
    std::string name = (fs::temp_directory_path() / "laconic-sandbox-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) fail(ErrorKind::io, "cannot make {}: {}", name, std::strerror(errno));
    path_ = name;
  }
  ~ScratchFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  std::string path() const { return path_.string(); }

 private:
  fs::path path_;
};

}  // namespace

const char* to_string(Mechanism mechanism) {
  constexpr std::array<const char*, 3> kNames = {"bubblewrap", "namespaces", "none"};
  return kNames.at(static_cast<size_t>(mechanism));
}

std::vector<std::string> mechanism_names() {
  return {"bubblewrap", "namespaces", "none"};
}

std::optional<Mechanism> mechanism_of(std::string_view name) {
  for (const auto mechanism : {Mechanism::bubblewrap, Mechanism::namespaces, Mechanism::none}) {
    if (name == to_string(mechanism)) return mechanism;
  }
  return std::nullopt;
}

struct Sandbox::State {
  std::optional<ScratchFolder> scratch;
  std::unique_ptr<Child> child;
  Descriptor requests, answers, errors;
  std::string folder;

  // What the guard has said of itself.
  std::string complaints() {
    std::array<char, 4096> buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init)
    const ssize_t n = ::read(errors.get(), buffer.data(), buffer.size());
    return n > 0 ? std::string(trim({buffer.data(), static_cast<size_t>(n)})) : std::string();
  }

  [[noreturn]] void fail_broken(const std::string& what) {
    requests.close();  // a guard that can still hear it ends the job's processes, which not all mechanisms do at a kill
    child->wait(kEndSeconds);
    child->end();
    const auto said = complaints();
    fail(ErrorKind::io, "the sandbox {} ({}){}", what, child->how_it_ended(), said.empty() ? "" : ": " + said);
  }

  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto n = write_quietly(requests.get(), bytes.data(), bytes.size());
      if (n > 0) bytes.remove_prefix(static_cast<size_t>(n));
      if (n < 0 && errno != EINTR) fail_broken("ended");
    }
  }

  std::string receive(size_t size, double seconds, const Timer& timer) {
    std::string bytes(size, '\0');
    for (size_t have = 0; have < size;) {
      pollfd ready{answers.get(), POLLIN, 0};
      constexpr int kMilliseconds = 1000;
      const double left = seconds - timer.seconds();
      if (left <= 0) fail_broken("does not answer");
      if (::poll(&ready, 1, static_cast<int>(left * kMilliseconds) + 1) <= 0) continue;
      const auto n = ::read(answers.get(), bytes.data() + have, size - have);
      if (n == 0 || (n < 0 && errno != EINTR)) fail_broken("ended");
      if (n > 0) have += static_cast<size_t>(n);
    }
    return bytes;
  }

  // A message with its length in front.
  std::string receive_message(double seconds) {
    const Timer timer;
    const auto size = wire::Reader(receive(sizeof(uint64_t), seconds, timer)).take<uint64_t>();
    return receive(size, seconds, timer);
  }
};

Sandbox::Sandbox(const SandboxOptions& options) : state_(std::make_unique<State>()) {
  auto requests = make_pipe(), answers = make_pipe(), errors = make_pipe();
  const Descriptor nothing(::open("/dev/null", O_RDWR | O_CLOEXEC));
  constexpr int kIn = 3, kOut = 4;
  ChildCommand command{.words = {to_string(options.mechanism), std::to_string(options.scratch_bytes)},
                       .descriptors = {{nothing.get(), STDIN_FILENO},
                                       {nothing.get(), STDOUT_FILENO},
                                       {errors.write.get(), STDERR_FILENO},
                                       {requests.read.get(), kIn},
                                       {answers.write.get(), kOut}},
                       .environment = {"PATH=/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"},
                       .inherit_environment = false};
  if (options.mechanism == Mechanism::none) {
    state_->scratch.emplace();
    command.words.push_back(state_->scratch->path());
  }
  command.words.insert(command.words.end(), options.readable.begin(), options.readable.end());
  state_->child = std::make_unique<Child>("serve", command);
  state_->requests = std::move(requests.write);
  state_->answers = std::move(answers.read);
  state_->errors = std::move(errors.read);
  state_->errors.make_nonblocking();
  requests.read.close();
  answers.write.close();
  state_->folder = state_->receive_message(kStartSeconds);
}

Sandbox::~Sandbox() {
  state_->requests.close();
  state_->child->end();
}

const std::string& Sandbox::folder() const {
  return state_->folder;
}

JobResult Sandbox::run(const Job& job) {
  std::string message;
  wire::put_text(message, wire::encode(job));
  state_->send(message);
  JobResult result;
  if (!wire::decode(state_->receive_message(job.limits.wall_seconds + kGraceSeconds), result))
    state_->fail_broken("answers with something else");
  return result;
}

std::string describe(const JobResult& result, const Limits& limits) {
  const auto bytes = [](uint64_t value) { return human_bytes(static_cast<double>(value)); };
  switch (result.end) {
    case JobEnd::exited:
      return fmt::format("exit status {}", result.code);
    case JobEnd::signalled:
      return fmt::format("signal {} ({})", result.code, ::strsignal(result.code));
    case JobEnd::out_of_time:
      return fmt::format("more than {:.3g} s", limits.wall_seconds);
    case JobEnd::out_of_memory:
      return fmt::format("more than {} of memory", bytes(limits.memory_bytes));
    case JobEnd::out_of_processes:
      return fmt::format("more than {} processes", limits.processes);
    case JobEnd::out_of_output:
      return fmt::format("more than {} of output", bytes(limits.output_bytes));
    case JobEnd::out_of_disk:
      return "too many files";
    case JobEnd::not_started:
      return fmt::format("cannot be started: {}", std::strerror(result.code));
  }
  return "?";
}

MechanismState look_at(Mechanism mechanism) {
  MechanismState state{mechanism, ""};
  try {
    SandboxOptions options;
    options.mechanism = mechanism;
    Sandbox sandbox(options);
    Job job;
    job.words = {"/bin/sh", "-c", "echo inside"};
    const auto result = sandbox.run(job);
    if (!result.good() || result.output != "inside\n")
      state.problem = fmt::format("a program in it ended with {}: {}", describe(result, job.limits), result.errors);
  } catch (const Error& error) {
    state.problem = error.what();
  }
  return state;
}

std::vector<MechanismState> look_at_mechanisms() {
  return {look_at(Mechanism::bubblewrap), look_at(Mechanism::namespaces)};
}

Mechanism choose_mechanism(std::string_view wanted) {
  std::vector<Mechanism> candidates = {Mechanism::bubblewrap, Mechanism::namespaces};
  const char* set = std::getenv(kVariable);
  if (wanted == "auto" && set != nullptr) {
    const auto given = mechanism_of(set);
    if (!given || given == Mechanism::none)
      fail(ErrorKind::usage, "{}: expected bubblewrap or namespaces, found `{}`; none stands in the options or nowhere",
           kVariable, set);
    candidates = {*given};
  } else if (wanted != "auto") {
    const auto given = mechanism_of(wanted);
    LACONIC_CHECK(given.has_value(), "`{}` is no mechanism", wanted);
    if (given == Mechanism::none) return Mechanism::none;
    candidates = {*given};
  }
  std::string problems;
  for (const auto mechanism : candidates) {
    const auto state = look_at(mechanism);
    if (state.problem.empty()) return mechanism;
    problems += fmt::format("\n  {}: {}", to_string(mechanism), state.problem);
  }
  fail(ErrorKind::unsupported,
       "code cannot be run in isolation here, and is not run without:{}\nInstalling bubblewrap may help; where this "
       "machine has nothing to lose, `sandbox: none` runs code with limits alone",
       problems);
}

}  // namespace laconic::sandbox
