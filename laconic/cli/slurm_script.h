// The job script of a run on a SLURM cluster, as text.
#pragma once

#include <cstdint>
#include <string>

#include "laconic/cli/command.h"

namespace laconic::cli {

struct SlurmJob {
  std::string name;       // of the job
  Arguments command;      // program, command, configuration and its overrides; --resume is added
  std::string logs;       // folder of the logs; made by whoever submits
  std::string directory;  // where the job starts
  int64_t nodes = 1;
  int64_t ranks_per_node = 1;
  int64_t gpus_per_node = 0;
  int64_t cpus_per_rank = 1;
  int64_t grace_s = 120;  // between the signal and the time limit
  bool requeue = true;    // after the signal, until the run has finished
  // Passed on as they are; "" = the cluster's default.
  std::string time, partition, account, qos, constraint, memory;
  std::string container, container_mounts;  // of the pyxis plug-in
};

// A script for sbatch. One task per rank; the run stops itself when the signal comes, and the requeued job goes on.
std::string slurm_script(const SlurmJob& job);

// One word of a shell command, quoted where it has to be.
std::string shell_word(const std::string& text);

}  // namespace laconic::cli
