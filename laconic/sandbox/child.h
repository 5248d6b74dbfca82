// A child process that never outlives this one: laconic-guard stands between the two and ends the child, with
// everything that the child has started, as soon as the child or this process is gone, however it went.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace laconic::sandbox {

// The program laconic-guard: $LACONIC_GUARD, else beside this program, else where laconic was installed. An Error of
// kind io when it is in none of these places.
std::filesystem::path guard_program();

struct ChildCommand {
  std::vector<std::string> words;                // of the guard's command line
  std::vector<std::pair<int, int>> descriptors;  // (ours, the child's number), numbers 0..4; others are closed there
  std::vector<std::string> environment = {};     // NAME=value, over those of this process
  bool inherit_environment = true;
};

// The guard dies with the *thread* that started it (prctl(2), PR_SET_PDEATHSIG): start children from threads that stay.
class Child {
 public:
  // `words` behind the guard's own: `laconic-guard MODE PARENT WORDS...`.
  Child(const std::string& mode, const ChildCommand& command);
  ~Child();  // ends it
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  // Waits up to so long for the child to end by itself. True when it has ended.
  bool wait(double seconds);
  // Ends the child and its descendants, at once.
  void end();
  // "exit status 3", "signal 9 (Killed)"; only once it has ended.
  std::string how_it_ended() const;
  pid_t pid() const { return pid_; }

 private:
  bool reap(bool block);

  pid_t pid_ = -1;
  bool ended_ = false;
  int status_ = 0;
};

}  // namespace laconic::sandbox
