#include "laconic/cli/run_command.h"

#include "laconic/core/base/error.h"
#include "laconic/core/base/strings.h"

namespace laconic::cli {

RunCommand::RunCommand(std::string name, const std::string& about) : line_(std::move(name), about) {
  line_.positionals("CONFIG", 1, 1);
  line_.take_overrides(top_level_keys());
  line_.section("Run");
  line_.flag("resume",
             "continue the run in output.folder from its newest complete checkpoint; a new folder starts a new run");
  line_.flag("overwrite", "delete the earlier run in output.folder first");
  line_.flag("dry-run", "check everything, say what the run would do and need, write nothing");
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
  options_.command = "laconic " + line_.command() + " " + join(arguments, " ");
  return true;
}

}  // namespace laconic::cli
