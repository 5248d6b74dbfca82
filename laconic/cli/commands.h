// The commands of the program. To add one: a file that defines its function, the declaration here, the line in
// commands.cpp.
#pragma once

#include <vector>

#include "laconic/cli/command.h"

namespace laconic::cli {

Command train_command();
Command sft_command();
Command eval_command();
Command launch_command();
Command slurm_command();
Command tokenize_command();
Command detokenize_command();
Command render_command();
Command logprobs_command();
Command generate_command();
Command grade_command();
Command score_command();
Command config_command();
Command data_command();
Command doctor_command();
Command bench_command();
Command report_command();
Command suite_command();
Command export_command();
Command plan_command();

// All of them, in the order of the help page.
std::vector<Command> all_commands();

}  // namespace laconic::cli
