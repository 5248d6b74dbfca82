// laconic score: rewards, advantages, loss and gradient of an objective on a recorded step.
#include "laconic/algorithms/recorded_step.h"
#include "laconic/cli/commands.h"
#include "laconic/cli/filter.h"
#include "laconic/cli/program.h"
#include "laconic/core/ops/parallel.h"

namespace laconic::cli {
namespace {

int run_score(const Arguments& arguments, Streams& streams) {
  CommandLine line("score",
                   "Applies an objective to recorded steps: what it would reward, and which way it would push.");
  declare_filter_options(line);
  line.epilogue(
      "Fields read: objective (the section of a configuration); groups; state; updates; max_completion_tokens; seed; "
      "step.\n"
      "Fields added: kept; rewards; advantages; loss and grad (with logp), grad_entropy; metrics; state.\n"
      "`laconic config explain objective` lists what an objective may hold.\n\n"
      "Example (advantages of two completions, one of them right):\n"
      "  echo '{\"objective\": {\"name\": \"grpo\"}, \"groups\": [{\"completions\": [{\"reward\": 1, \"length\": 5}, "
      "{\"reward\": 0, \"length\": 9}]}]}' | laconic score");
  if (!line.parse(arguments, streams.out)) return kSuccess;
  ops::set_threads(1);
  return run_line_filter(
      line, streams, {"objective", "groups", "state", "updates", "max_completion_tokens", "seed", "step"},
      /*threads=*/1, [](const Fields& fields) { return algorithms::score_recorded_step(fields.object()); });
}

}  // namespace

Command score_command() {
  return {"score", "an objective applied to recorded steps", CommandGroup::filters, run_score};
}

}  // namespace laconic::cli
