// What `train` and `sft` share: the configuration file with overrides, --resume, --overwrite, --dry-run, signals.
#pragma once

#include <string>

#include "laconic/cli/command_line.h"
#include "laconic/cli/config_kind.h"
#include "laconic/cli/program.h"
#include "laconic/core/config/config.h"
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
    config::read_from_file(line_.words().front(), line_.overrides(), config);
    return true;
  }

  bool dry_run() const { return line_.has("dry-run"); }
  trainers::RunOptions options() const { return options_; }

  // Runs to the end or to a signal; false: stopped.
  template <typename Trainer>
  bool run(Trainer& trainer) {
    trainers::install_stop_signals();
    return trainer.run();
  }

 private:
  bool parse(const Arguments& arguments, Streams& streams);

  CommandLine line_;
  trainers::RunOptions options_;
};

}  // namespace laconic::cli
