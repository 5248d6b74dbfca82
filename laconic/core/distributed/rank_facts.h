// Which rank this process is, and where the ranks meet: from flags, or from the variables of whoever started it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace laconic::distributed {

struct RankFacts {
  int rank = 0;
  int world_size = 1;
  int local_rank = 0;        // among the ranks of this machine
  int local_world_size = 1;  // ranks of this machine
  std::string host;          // of rank 0, which listens on `port`; "" with a file
  int port = 0;
  std::string file;            // a file on a shared file system instead of host and port; "" = none
  std::string run_id;          // the same for all ranks of a run, different for other runs; "" = nobody said
  int listen_descriptor = -1;  // rank 0: the socket, listening already, that it inherited; -1 = none
  int cores = 0;               // cores that are this rank's own; 0 = it shares the machine with local_world_size - 1
  std::string source;          // "one process", "flags", "laconic launch", "torchrun's variables", "SLURM"

  bool alone() const { return world_size == 1; }
};

// Command-line flags; nothing where absent.
struct RankFlags {
  std::optional<int64_t> rank, world_size, local_rank;
  std::string meet;  // "HOST:PORT" or "file:PATH"
};

// Value of an environment variable, or nothing.
using Environment = std::function<std::optional<std::string>(const std::string&)>;
Environment process_environment();

// The first of these that says anything, alone and in full: flags; LACONIC_RANK, ... of `laconic launch`; RANK,
// WORLD_SIZE, LOCAL_RANK, MASTER_ADDR, MASTER_PORT; SLURM's variables of a job step (MASTER_ADDR and MASTER_PORT, where
// set, say where to meet). Else one process. What is missing, no number or contradictory is an Error of kind usage.
RankFacts rank_facts(const RankFlags& flags, const Environment& environment);

// The first host of a SLURM list: "n[03-05,9],m1" -> "n03".
std::string first_host(const std::string& hosts);

}  // namespace laconic::distributed
