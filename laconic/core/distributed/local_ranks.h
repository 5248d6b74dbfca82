// Starts the ranks of one machine as processes, merges their output, and ends all of them when one fails.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace laconic::distributed {

struct LocalRanksOptions {
  std::vector<std::string> command;  // program and arguments, the same for every rank
  int ranks = 1;                     // on this machine
  int first_rank = 0;                // of those on this machine
  int world_size = 1;                // on all machines
  std::string meet;     // "HOST:PORT" of rank 0 or "file:PATH"; "" = a free port of this machine, handed to rank 0 open
  std::string run_id;   // "" = drawn here; several machines must be told the same
  double grace_s = 15;  // between SIGTERM and SIGKILL for the ranks that are left when one has failed
  // Hears each line of a rank, without its end, and of which of the two outputs it is.
  std::function<void(int rank, bool error_output, const std::string& line)> on_line;
};

struct LocalRanksOutcome {
  int status = 0;        // of the first rank that failed: its own, or 128 + the signal that ended it
  std::string reason;    // who failed first and why; "" where none did
  bool stopped = false;  // by a signal to this process, which was passed on, or to a rank; nothing else happened
};

// Runs to the end of every rank. SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGUSR1 and SIGUSR2 are passed on to all ranks; each
// rank is in a process group of its own, so that a terminal's Ctrl-C reaches it once, and dies with this process.
// Standard input is empty. The ranks find themselves by the variables LACONIC_RANK, ... (rank_facts.h). For a thread
// that owns the process's signals: no other thread may have them unblocked.
LocalRanksOutcome run_local_ranks(const LocalRanksOptions& options);

}  // namespace laconic::distributed
