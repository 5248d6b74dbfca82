// The program around its commands: finds the command, prints help and version, and turns whatever is thrown into one
// readable paragraph and an exit status.
#pragma once

#include <vector>

#include "laconic/cli/command.h"

namespace laconic::cli {

// Exit statuses: 0 success, 1 failure, 2 an unusable argument or configuration (an Error of kind usage), 141 when the
// reader of the output has gone away (what a shell shows for a program that SIGPIPE ended).
inline constexpr int kSuccess = 0;
inline constexpr int kFailure = 1;
inline constexpr int kUsage = 2;
inline constexpr int kOutputClosed = 141;

// `arguments` are those behind the program's name. Never throws.
int run_main(const Arguments& arguments, const std::vector<Command>& commands, Streams& streams);

}  // namespace laconic::cli
