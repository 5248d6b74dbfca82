// What `train` and `sft` share: the configuration file with overrides, --resume, --overwrite, --dry-run, signals, and
// the ranks of a run of several processes.
#pragma once

#include <exception>
#include <memory>
#include <string>
#include <utility>

#include "laconic/cli/command_line.h"
#include "laconic/cli/config_kind.h"
#include "laconic/cli/program.h"
#include "laconic/core/config/config.h"
#include "laconic/core/distributed/rank_facts.h"
#include "laconic/trainers/dry_run.h"
#include "laconic/trainers/ranks.h"
#include "laconic/trainers/rl_trainer.h"
#include "laconic/trainers/stop_signal.h"

namespace laconic::cli {

class RunCommand {
 public:
  RunCommand(std::string name, const std::string& about);

  // False when only the help page was wanted.
  template <typename Config>
  [[nodiscard]] bool read(const Arguments& arguments, Streams& streams, Config& config) {
    if (!parse(arguments, streams)) return false;
    read_config(line_, config);
    check_kind();
    return true;
  }

  bool dry_run() const { return line_.has("dry-run"); }
  // Prints what the run would do and need: once, where the ranks of a launch are asked.
  template <typename Config>
  void describe(const Config& config, Streams& streams) const {
    const auto facts = planned_ranks();
    if (facts.rank == 0) write_checked(streams.out, trainers::describe_plan(config, facts.world_size));
  }

  // Joins the other ranks, where there are any, and trains to the end or to a signal; false: stopped.
  template <typename Trainer, typename Config>
  bool run(Config config) {
    join(config::dump_json(config), config.parallel, config.model.device, config.threads);
    try {
      Trainer trainer(std::move(config), options_);
      trainers::install_stop_signals();
      const bool completed = trainer.run();
      if (!completed) agree_on_stop_status();
      ranks_->finish();
      return completed;
    } catch (const std::exception& error) {
      ranks_->fail_run(error);
      throw;
    }
  }
  // Exit status of a run that was stopped: that of the signal, on every rank, whichever of them it came to.
  int stop_status() const { return stop_status_; }
  // Whether this process speaks for the run.
  bool first() const { return ranks_->first(); }

 private:
  bool parse(const Arguments& arguments, Streams& streams);
  // A file that was read without an error may still be meant for another command.
  void check_kind() const;
  distributed::RankFacts ranks_told() const;
  // Of a dry run, for which --world-size alone is enough.
  distributed::RankFacts planned_ranks() const;
  void join(const config::Json& configuration, const trainers::ParallelSection& section, trainers::ComputeDevice device,
            int& threads);

  void agree_on_stop_status();

  CommandLine line_;
  int stop_status_ = kSuccess;
  trainers::RunOptions options_;
  std::unique_ptr<trainers::Ranks> ranks_;
};

}  // namespace laconic::cli
