// This program again, as a child process.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace laconic::trainers {

struct ChildOutcome {
  int status = 0;        // exit status, or 128 + the signal that ended it
  bool stopped = false;  // a stop was requested and handed on
  std::string reason;    // of a failure: its last error line, or the last line that it wrote
};

// Runs `laconic ARGUMENTS` to its end; both outputs are appended to `log`. The child is in a process group of its own
// and hears of a requested stop (stop_signal.h) by one SIGTERM; it dies with this process. Safe to call from several
// threads. A child that cannot be started is an Error of kind io.
ChildOutcome run_laconic(const std::vector<std::string>& arguments, const std::filesystem::path& log);

}  // namespace laconic::trainers
