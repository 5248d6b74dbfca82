// laconic slurm: the job script of a run, printed, written or submitted.
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <filesystem>

#include "laconic/cli/command_line.h"
#include "laconic/cli/commands.h"
#include "laconic/cli/config_kind.h"
#include "laconic/cli/program.h"
#include "laconic/cli/slurm_script.h"
#include "laconic/core/base/error.h"
#include "laconic/core/base/files.h"
#include "laconic/core/base/strings.h"
#include "laconic/core/config/config.h"

namespace laconic::cli {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kMostNodes = 1 << 16;
constexpr int64_t kMostRanks = 1 << 12;  // of a node
constexpr int64_t kMostCpus = 1 << 12;

CommandLine slurm_line() {
  CommandLine line(
      "slurm",
      "Writes the job script of a run for a SLURM cluster: one rank per GPU (or as told), logs per rank,\n"
      "a signal before the time limit on which the run saves itself, and a requeue that goes on from there.");
  line.positionals("CONFIG", 1, 1);
  line.take_overrides(top_level_keys());
  line.section("Size");
  line.option("nodes", "N", "machines");
  line.option("gpus-per-node", "M", "GPUs of each, one rank on each GPU; 0 = none");
  line.option("ranks-per-node", "R", "ranks of each machine; default: its GPUs");
  line.option("cpus-per-rank", "C", "cores of each rank; default 1");
  line.option("mem", "SIZE", "memory of each machine, as sbatch has it");
  line.section("Job");
  line.option("time", "LIMIT", "time limit of one job, as sbatch has it (HH:MM:SS)");
  line.option("grace", "SECONDS", "between the signal to save and the time limit; default 120");
  line.option("partition", "NAME", "partition");
  line.option("account", "NAME", "account");
  line.option("qos", "NAME", "quality of service");
  line.option("constraint", "FEATURES", "features that the machines must have");
  line.option("job-name", "NAME", "default: the run folder's name");
  line.option("container", "IMAGE", "container image (pyxis); the program must be in it");
  line.option("container-mounts", "LIST", "folders that the container sees");
  line.flag("no-requeue", "do not go back to the queue after the signal; for use with --chain");
  line.section("Result");
  line.option("kind", "KIND", "train or sft; default: by the configuration's sections");
  line.option("logs", "DIR", "folder of the logs; default: the run folder's name with .slurm");
  line.option("script", "FILE", "write the script there instead of to standard output");
  line.flag("submit", "submit it with sbatch, and print the job's number");
  line.option("chain", "K", "with --submit: K jobs, each after the end of the one before; default 1");
  line.epilogue(
      "Example:\n  laconic slurm run.yaml --nodes 2 --gpus-per-node 8 --time 04:00:00 --partition gpu --submit");
  return line;
}

template <typename Config>
std::string folder_of(const CommandLine& line) {
  Config config;
  config::read_from_file(line.words().front(), line.overrides(), config);
  return config.output.folder;
}

// Reads the configuration as the run will, so that a mistake shows now; returns the run folder.
template <typename Config>
std::string run_folder(const CommandLine& line) {
  Config config;
  config::read_from_file(line.words().front(), line.overrides(), config);
  return config.output.folder;
}

std::string run_folder(const std::string& kind, const CommandLine& line) {
  if (kind == "train") return run_folder<trainers::RlConfig>(line);
  if (kind == "sft") return run_folder<trainers::SftConfig>(line);
  fail(ErrorKind::usage, "expected a configuration of `laconic train` or `sft`, found one of `laconic {}`", kind);
}

SlurmJob job_of(const CommandLine& line) {
  const std::string kind =
      line.has("kind") ? line.choice("kind", {"train", "sft"}, "") : guess_kind(line.words().front(), line.overrides());
  const std::string folder = run_folder(kind, line);
  SlurmJob job;
  job.name = line.text("job-name", fs::path(folder).filename().string());
  job.directory = fs::current_path().string();
  job.logs = fs::absolute(line.text("logs", folder + ".slurm")).lexically_normal().string();
  job.command = {line.has("container") ? "laconic" : fs::read_symlink("/proc/self/exe").string(), kind,
                 fs::absolute(line.words().front()).lexically_normal().string()};
  job.command.insert(job.command.end(), line.overrides().begin(), line.overrides().end());
  job.nodes = line.whole("nodes", 1, kMostNodes, 1);
  job.gpus_per_node = line.whole("gpus-per-node", 0, kMostRanks, 0);
  if (job.gpus_per_node == 0 && !line.has("ranks-per-node"))
    fail(ErrorKind::usage, "expected --gpus-per-node M, or --ranks-per-node R for a run without GPUs");
  job.ranks_per_node = line.whole("ranks-per-node", 1, kMostRanks, job.gpus_per_node);
  job.cpus_per_rank = line.whole("cpus-per-rank", 1, kMostCpus, 1);
  job.grace_s = line.whole("grace", 1, 24 * 3600, job.grace_s);
  job.requeue = !line.has("no-requeue");
  job.time = line.text("time", "");
  job.partition = line.text("partition", "");
  job.account = line.text("account", "");
  job.qos = line.text("qos", "");
  job.constraint = line.text("constraint", "");
  job.memory = line.text("mem", "");
  job.container = line.text("container", "");
  job.container_mounts = line.text("container-mounts", "");
  return job;
}

// What sbatch prints: the job's number.
std::string submit(const fs::path& script, const std::string& after) {
  const std::string dependency = after.empty() ? "" : " --dependency=afterany:" + after;
  const std::string command = "sbatch --parsable" + dependency + " " + shell_word(script.string()) + " 2>&1";
  FILE* pipe = ::popen(command.c_str(), "re");
  if (pipe == nullptr) fail(ErrorKind::io, "cannot start sbatch");
  std::string output;
  std::array<char, 4096> buffer{};
  for (size_t n = 0; (n = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) output.append(buffer.data(), n);
  const int status = ::pclose(pipe);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
    fail(ErrorKind::io, "sbatch refused {}: {}", script.string(), trim(output));
  return std::string(trim(output.substr(0, output.find(';'))));  // "number;cluster"
}

int run_slurm(const Arguments& arguments, Streams& streams) {
  CommandLine line = slurm_line();
  if (!line.parse(arguments, streams.out)) return kSuccess;
  const SlurmJob job = job_of(line);
  const auto chain = line.whole("chain", 1, 1000, 1);
  if (line.has("chain") && !line.has("submit")) fail(ErrorKind::usage, "--chain needs --submit");
  const std::string script = slurm_script(job);
  if (!line.has("submit")) {
    if (line.has("script")) {
      write_file_atomic(line.text("script"), script);
    } else {
      write_checked(streams.out, script);
    }
    return kSuccess;
  }
  ensure_writable_folder(job.logs);
  const fs::path file = line.text("script", (fs::path(job.logs) / "job.sh").string());
  write_file_atomic(file, script);
  std::string number;
  for (int64_t i = 0; i < chain; ++i) {
    number = submit(file, number);
    write_checked(streams.out, number + "\n");
  }
  return kSuccess;
}

}  // namespace

Command slurm_command() {
  return {"slurm", "write or submit the job script of a run on a SLURM cluster", CommandGroup::runs, run_slurm};
}

}  // namespace laconic::cli
