// Runs programs that nobody trusts: without a network, without files but the system's and those of a scratch folder,
// within limits of time, memory, processes and output.
//
// laconic-guard is process 1 of namespaces of its own, made by bubblewrap or by itself, and runs one program after
// another in them; between two of them everything that the first has left behind is killed. What each mechanism
// guarantees stands in docs/rewards.md.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "laconic/sandbox/job.h"

namespace laconic::sandbox {

enum class Mechanism {
  bubblewrap,  // namespaces by the program bwrap
  namespaces,  // namespaces by laconic-guard itself
  none,        // limits alone: files can be read and written, processes of the user be seen and killed
};
const char* to_string(Mechanism mechanism);
std::vector<std::string> mechanism_names();
std::optional<Mechanism> mechanism_of(std::string_view name);

// Whether a mechanism works on this machine, found out by running a program in it.
struct MechanismState {
  Mechanism mechanism = Mechanism::none;
  std::string problem;  // "" when it works
};
MechanismState look_at(Mechanism mechanism);
// bubblewrap and namespaces.
std::vector<MechanismState> look_at_mechanisms();

// The mechanism that is asked for by name, or for `auto` the first that works of bubblewrap and namespaces; the
// environment variable LACONIC_SANDBOX narrows `auto` to one of the two. An Error of kind unsupported when it does not
// work, with what each lacks; it names `none`, which is never taken unless it is asked for.
Mechanism choose_mechanism(std::string_view wanted);

struct SandboxOptions {
  Mechanism mechanism = Mechanism::bubblewrap;
  uint64_t scratch_bytes = 64 << 20;  // of the folder; not with `none`
  std::vector<std::string> readable;  // folders beside the system's
};

// One at a time; used by one thread.
class Sandbox {
 public:
  // An Error of kind io when it cannot be made.
  explicit Sandbox(const SandboxOptions& options);
  ~Sandbox();
  Sandbox(const Sandbox&) = delete;
  Sandbox& operator=(const Sandbox&) = delete;

  // Where a job's files are written, as programs inside see it; they are started in a folder `run` in it, which is
  // empty for each.
  const std::string& folder() const;

  // An Error of kind io when the sandbox itself is broken; whatever the program does is in the result.
  JobResult run(const Job& job);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace laconic::sandbox
