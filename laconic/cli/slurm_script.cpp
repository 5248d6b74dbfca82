#include "laconic/cli/slurm_script.h"

#include <fmt/format.h>

#include "laconic/core/base/error.h"
#include "laconic/core/base/strings.h"

namespace laconic::cli {
namespace {

// sbatch divides these lines into words as a shell does, but an end of line ends them whatever the quotes.
std::string directive(const char* name, const std::string& value) {
  if (value.find_first_of("\r\n") != std::string::npos)
    fail(ErrorKind::usage, "--{}: expected one line, found a value with an end of line in it", name);
  return value.empty() ? "" : fmt::format("#SBATCH --{}={}\n", name, shell_word(value));
}

std::string directives(const SlurmJob& job) {
  std::string text = directive("job-name", job.name) + directive("nodes", std::to_string(job.nodes)) +
                     directive("ntasks-per-node", std::to_string(job.ranks_per_node)) +
                     directive("cpus-per-task", std::to_string(job.cpus_per_rank));
  if (job.gpus_per_node > 0) text += directive("gpus-per-node", std::to_string(job.gpus_per_node));
  text += directive("mem", job.memory) + directive("time", job.time) + directive("partition", job.partition) +
          directive("account", job.account) + directive("qos", job.qos) + directive("constraint", job.constraint) +
          directive("chdir", job.directory) + directive("output", job.logs + "/%j.log") +
          "#SBATCH --open-mode=append\n";
  // To the ranks, not to this script: they save a checkpoint and end.
  text += fmt::format("#SBATCH --signal=TERM@{}\n", job.grace_s);
  return text + (job.requeue ? "#SBATCH --requeue\n" : "#SBATCH --no-requeue\n");
}

std::string variables(const SlurmJob& job) {
  std::string text =
      "# This script runs on the first node, where rank 0 will be.\n"
      "export MASTER_ADDR=${MASTER_ADDR:-$(hostname)}\n"
      "export MASTER_PORT=${MASTER_PORT:-$((20000 + SLURM_JOB_ID % 20000))}\n"
      "export OMP_NUM_THREADS=1 OMP_WAIT_POLICY=passive\n";
  if (job.gpus_per_node > 0) {
    text +=
        "# NCCL: what it chose is in the logs at INFO; name the network only where it chooses wrongly.\n"
        "export NCCL_DEBUG=${NCCL_DEBUG:-WARN}\n"
        "# export NCCL_SOCKET_IFNAME=ib0 NCCL_IB_HCA=mlx5\n";
  }
  return text;
}

std::string step(const SlurmJob& job) {
  std::string text = fmt::format(
      "srun --kill-on-bad-exit=1 --distribution=block --cpus-per-task={} --open-mode=append \\\n"
      "  --output={}/%j.rank-%t.log",
      job.cpus_per_rank, shell_word(job.logs));
  if (!job.container.empty()) text += " --container-image=" + shell_word(job.container);
  if (!job.container_mounts.empty()) text += " --container-mounts=" + shell_word(job.container_mounts);
  text += " \\\n ";
  for (const auto& word : job.command) text += " " + shell_word(word);
  return text + " --resume\nstatus=$?\n";
}

std::string requeue() {
  return "# 143: the ranks were told to stop, and have saved.\n"
         "if [ $status -eq 143 ]; then\n"
         "  echo \"stopped by signal in attempt ${SLURM_RESTART_COUNT:-0}; the job goes back to the queue\"\n"
         "  scontrol requeue \"$SLURM_JOB_ID\" && sleep 60\n"
         "fi\n";
}

}  // namespace

std::string shell_word(const std::string& text) {
  constexpr std::string_view kPlain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-+=./:,@%";
  if (!text.empty() && text.find_first_not_of(kPlain) == std::string::npos) return text;
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

std::string slurm_script(const SlurmJob& job) {
  std::string text =
      "#!/bin/bash\n" + directives(job) + "\n" +
      fmt::format("echo \"$(date -Is) attempt ${{SLURM_RESTART_COUNT:-0}} on $SLURM_JOB_NODELIST: {} ranks\"\n",
                  job.nodes * job.ranks_per_node) +
      variables(job) + step(job);
  if (job.requeue) text += requeue();
  return text + "echo \"$(date -Is) ended with status $status\"\nexit $status\n";
}

}  // namespace laconic::cli
