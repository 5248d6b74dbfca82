// laconic-guard: the process between laconic and programs that it starts. A program of its own, since a process that is
// about to leave its namespaces must have one thread, and one that waits for its parent's death should share no memory
// with a parent of many gigabytes.
//
//   laconic-guard supervise PARENT COMMAND...                              a program as it is (supervise.h)
//   laconic-guard serve PARENT bubblewrap|namespaces SCRATCH [FOLDER...]   jobs in a sandbox (serve.h), which is made
//   laconic-guard serve PARENT none SCRATCH ROOT [FOLDER...]               jobs in the folder ROOT, not isolated
//   laconic-guard inside PARENT ROOT                                       jobs, by bwrap
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "laconic/sandbox/guard/root.h"
#include "laconic/sandbox/guard/serve.h"
#include "laconic/sandbox/guard/supervise.h"

namespace {

namespace guard = laconic::guard;

void make_sandbox(pid_t parent, std::vector<std::string> words) {
  const std::string mechanism = words.at(0);
  const uint64_t scratch = std::strtoull(words.at(1).c_str(), nullptr, 10);
  words.erase(words.begin(), words.begin() + 2);
  if (mechanism == "none") {
    guard::serve({words.at(0), /*isolated=*/false});  // ends when the parent's end of the requests does
    return;
  }
  if (mechanism == "bubblewrap") guard::become_bubblewrap(parent, scratch, words);
  guard::enter_namespaces(parent, scratch, words);
  guard::serve({guard::kWork, /*isolated=*/true});
}

}  // namespace

int main(int count, char** words) {
  constexpr int kLeast = 4;
  const std::string_view mode = count < kLeast ? "" : words[1];
  if (mode.empty()) {
    std::fputs("laconic-guard is started by laconic\n", stderr);
    return EXIT_FAILURE;
  }
  const auto parent = static_cast<pid_t>(std::atol(words[2]));
  if (mode == "supervise") guard::supervise(parent, words + 3);
  if (mode == "inside") {
    guard::serve({words[3], /*isolated=*/true});
  } else {
    make_sandbox(parent, {words + 3, words + count});
  }
  return EXIT_SUCCESS;
}
