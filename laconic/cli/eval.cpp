// laconic eval: accuracy and length of a model on a set of problems.
#include <fmt/format.h>

#include "laconic/cli/command_line.h"
#include "laconic/cli/commands.h"
#include "laconic/cli/config_kind.h"
#include "laconic/cli/program.h"
#include "laconic/core/base/log.h"
#include "laconic/core/base/strings.h"
#include "laconic/core/config/config.h"
#include "laconic/trainers/eval_run.h"
#include "laconic/trainers/stop_signal.h"

namespace laconic::cli {
namespace {

int run_eval(const Arguments& arguments, Streams& streams) {
  CommandLine line(
      "eval",
      "Samples a model on a set of problems and judges the answers: pass@1 (avg@k), pass@k, mean tokens,\n"
      "truncated share, with 95 % intervals. The answers are in output.folder/eval.jsonl, a line per problem as\n"
      "it ends; the same call again continues an interrupted one.");
  line.positionals("CONFIG", 1, 1);
  line.take_overrides(top_level_keys());
  line.epilogue("Any value of the file can be given here: --section.key=value.");
  if (!line.parse(arguments, streams.out)) return kSuccess;
  trainers::EvalConfig config;
  read_config(line, config);
  trainers::install_stop_signals();
  try {
    const auto report = trainers::run_evaluation(config, "laconic eval " + join(arguments, " "));
    write_checked(streams.out, trainers::describe(report) + "\n");
  } catch (const trainers::Stopped&) {
    log_info("stopped; the same call continues: {}/eval.jsonl holds what is done", config.output.folder);
    return trainers::stop_status();
  }
  return kSuccess;
}

}  // namespace

Command eval_command() {
  return {"eval", "measure accuracy and length of a model on a set of problems", CommandGroup::runs, run_eval};
}

}  // namespace laconic::cli
