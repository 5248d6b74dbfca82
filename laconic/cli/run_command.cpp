#include "laconic/cli/run_command.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "laconic/core/base/error.h"
#include "laconic/core/base/log.h"
#include "laconic/core/base/strings.h"
#include "laconic/core/distributed/bytes.h"
#include "laconic/core/distributed/rank_facts.h"

namespace laconic::cli {
namespace {

constexpr int64_t kMostRanks = 1 << 20;

// "optimizer.lr: 0.001" for every value, so that a difference between ranks is named by its key.
std::string dotted_lines(const config::Json& configuration) {
  std::string text;
  const auto flat = configuration.flatten();
  for (const auto& [pointer, value] : flat.items()) {
    std::string key = pointer.substr(std::min<size_t>(1, pointer.size()));
    std::replace(key.begin(), key.end(), '/', '.');
    text += key + ": " + value.dump() + "\n";
  }
  return text;
}

std::optional<int64_t> whole_if_given(const CommandLine& line, const std::string& name, int64_t least) {
  if (!line.has(name)) return std::nullopt;
  return line.whole(name, least, kMostRanks, least);
}

}  // namespace

RunCommand::RunCommand(std::string name, const std::string& about) : line_(std::move(name), about) {
  line_.positionals("CONFIG", 1, 1);
  line_.take_overrides(top_level_keys());
  line_.section("Run");
  line_.flag("resume",
             "continue the run in output.folder from its newest complete checkpoint; a new folder starts a new run");
  line_.flag("overwrite", "delete the earlier run in output.folder first");
  line_.flag("dry-run", "check everything, say what the run would do and need, write nothing");
  line_.section("One rank of several (`laconic launch`, torchrun's variables and SLURM say the same)");
  line_.option("rank", "R", "which rank this process is, from 0");
  line_.option("world-size", "N", "ranks of the run; enough by itself for --dry-run");
  line_.option("local-rank", "L", "which rank of this machine; default 0");
  line_.option("meet", "PLACE", "HOST:PORT of rank 0, or file:PATH on a shared file system");
  line_.epilogue(fmt::format(
      "Any value of the file can be given here: --section.key=value.\n`laconic config explain` lists them.\n"
      "Ctrl-C saves a checkpoint and ends; a second one ends at once.\n\n"
      "Example:\n  laconic {} configs/quickstart/{}.yaml --seed=1 --output.folder=runs/mine",
      line_.command(), line_.command() == "train" ? "rl" : line_.command()));
}

bool RunCommand::parse(const Arguments& arguments, Streams& streams) {
  if (!line_.parse(arguments, streams.out)) return false;
  if (line_.has("resume") && line_.has("overwrite"))
    fail(ErrorKind::usage, "--resume and --overwrite contradict each other; give one of them");
  if (line_.has("resume")) options_.existing = metrics::ExistingRun::resume;
  if (line_.has("overwrite")) options_.existing = metrics::ExistingRun::overwrite;
  options_.command = "laconic " + line_.command() + " " + laconic::join(arguments, " ");
  return true;
}

void RunCommand::check_kind() const {
  // The keys of an evaluation are keys of training as well.
  const std::string& path = line_.words().front();
  if (line_.command() != "train" || kind_by_sections(path, line_.overrides()) != "eval") return;
  fail(ErrorKind::usage,
       "{}: a configuration of `laconic eval`: it has none of the sections objective, optimizer, train and checkpoint; "
       "a training run names at least its objective (objective: {{name: grpo}})",
       path);
}

distributed::RankFacts RunCommand::ranks_told() const {
  distributed::RankFlags flags;
  flags.rank = whole_if_given(line_, "rank", 0);
  flags.world_size = whole_if_given(line_, "world-size", 1);
  flags.local_rank = whole_if_given(line_, "local-rank", 0);
  flags.meet = line_.text("meet", "");
  return distributed::rank_facts(flags, distributed::process_environment());
}

distributed::RankFacts RunCommand::planned_ranks() const {
  if (!line_.has("world-size") || line_.has("rank")) return ranks_told();
  distributed::RankFacts facts;
  facts.world_size = static_cast<int>(*whole_if_given(line_, "world-size", 1));
  return facts;
}

void RunCommand::agree_on_stop_status() {
  stop_status_ = trainers::stop_status();
  if (ranks_->alone()) return;
  const double mine = trainers::stop_requested() ? stop_status_ : 0;
  for (const auto& told : distributed::all_gather_values(ranks_->communicator(), {mine})) {
    if (told.front() == 0) continue;
    stop_status_ = static_cast<int>(told.front());
    return;
  }
}

void RunCommand::join(const config::Json& configuration, const trainers::ParallelSection& section,
                      trainers::ComputeDevice device, int& threads) {
  const auto facts = ranks_told();
  threads = trainers::threads_of_rank(threads, facts);
  if (facts.alone()) {
    ranks_ = std::make_unique<trainers::Ranks>();
  } else {
    if (facts.rank > 0) set_log_level(LogLevel::warning);
    // The rank's own thread may be waiting for ever: nothing but the end of the process helps.
    const auto end = [who = line_.command()](const std::string& text) {
      std::fprintf(stderr, "laconic %s: error: %s\n", who.c_str(), text.c_str());
      std::fflush(stderr);
      ::_exit(kFailure);
    };
    ranks_ = std::make_unique<trainers::Ranks>(facts, dotted_lines(configuration), section, device, end);
    log_info("{} ranks, by {}", facts.world_size, facts.source);
  }
  options_.ranks = ranks_.get();
}

}  // namespace laconic::cli
