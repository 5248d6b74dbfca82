// laconic launch: several ranks of a run on this machine.
#include <filesystem>

#include "laconic/cli/command_line.h"
#include "laconic/cli/commands.h"
#include "laconic/cli/program.h"
#include "laconic/core/base/error.h"
#include "laconic/core/distributed/local_ranks.h"

namespace laconic::cli {
namespace {

constexpr int64_t kMostRanks = 4096;  // on one machine

CommandLine launch_line() {
  CommandLine line("launch",
                   "Starts several ranks of a command on this machine: processes that train one model together.\n"
                   "Each line of their output begins with its rank. When one fails, the others are ended, and its\n"
                   "status is that of the launch. Signals are passed on to every rank.");
  line.positionals("-- COMMAND [ARGUMENTS...]", 1, 4096);
  line.section("Ranks");
  line.option("ranks,n", "N", "ranks on this machine; default 1");
  line.option("grace", "SECONDS", "between the end of one rank and the kill of the others; default 15");
  line.section("Several machines: the same command on each, with its own --node");
  line.option("nodes", "N", "machines; default 1");
  line.option("node", "I", "which of them this is, from 0; default 0");
  line.option("meet", "PLACE", "HOST:PORT of node 0, or file:PATH on a shared file system");
  line.option("run-id", "NAME",
              "the same on all of them, another for another run; default: PLACE where there are several machines");
  line.epilogue(
      "Example:\n  laconic launch -n 2 -- train configs/quickstart/rl.yaml --seed=1\n"
      "  laconic launch -n 8 --nodes 2 --node 1 --meet gpu01:29400 -- train run.yaml");
  return line;
}

std::string this_program() {
  std::error_code error;
  const auto path = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) fail(ErrorKind::io, "cannot find this program's file: {}", error.message());
  return path.string();
}

void check_command(const Arguments& words) {
  if (words.front() != "train" && words.front() != "sft")
    fail(ErrorKind::usage, "expected `train` or `sft` behind --, found `{}`", words.front());
}

int run_launch(const Arguments& arguments, Streams& streams) {
  CommandLine line = launch_line();
  if (!line.parse(arguments, streams.out)) return kSuccess;
  check_command(line.words());
  distributed::LocalRanksOptions options;
  options.ranks = static_cast<int>(line.whole("ranks", 1, kMostRanks, 1));
  const auto nodes = line.whole("nodes", 1, 1 << 16, 1);
  const auto node = line.whole("node", 0, nodes - 1, 0);
  options.first_rank = static_cast<int>(node * options.ranks);
  options.world_size = static_cast<int>(nodes * options.ranks);
  options.meet = line.text("meet", "");
  // Drawn at random where nobody else has to know it.
  options.run_id = line.text("run-id", nodes > 1 ? options.meet : "");
  options.grace_s = line.number("grace", options.grace_s);
  if (nodes > 1 && options.meet.empty())
    fail(ErrorKind::usage, "--nodes {} needs --meet HOST:PORT (or file:PATH), the same on every node", nodes);
  options.command = {this_program()};
  options.command.insert(options.command.end(), line.words().begin(), line.words().end());
  options.on_line = [&](int rank, bool error_output, const std::string& text) {
    auto& stream = error_output ? streams.err : streams.out;
    stream << "[" << rank << "] " << text << "\n";
    stream.flush();
  };
  const auto outcome = distributed::run_local_ranks(options);
  if (!outcome.reason.empty()) streams.err << "laconic launch: error: " << outcome.reason << "\n";
  return outcome.status;
}

}  // namespace

Command launch_command() {
  return {"launch", "start several ranks of train or sft on this machine", CommandGroup::runs, run_launch};
}

}  // namespace laconic::cli
