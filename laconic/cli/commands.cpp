#include "laconic/cli/commands.h"

namespace laconic::cli {

std::vector<Command> all_commands() {
  return {
      train_command(),    sft_command(),        eval_command(),   launch_command(),   slurm_command(),
      tokenize_command(), detokenize_command(), render_command(), logprobs_command(), generate_command(),
      grade_command(),    score_command(),      config_command(), doctor_command(),   bench_command(),
      report_command(),   suite_command(),      export_command(), plan_command(),     data_command(),
  };
}

}  // namespace laconic::cli
