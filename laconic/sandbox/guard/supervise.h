// laconic-guard supervise PARENT COMMAND...: runs the command as it is, and ends it with all its descendants when the
// command itself or the parent has ended, or on SIGTERM.
#pragma once

#include <sys/types.h>

namespace laconic::guard {

[[noreturn]] void supervise(pid_t parent, char** command);

}  // namespace laconic::guard
