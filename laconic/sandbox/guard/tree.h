// The descendants of this process. It must be their reaper (PR_SET_CHILD_SUBREAPER, or process 1 of a namespace), so
// that none can leave by losing its parent.
#pragma once

#include <sys/types.h>

namespace laconic::guard {

// Ends when the parent ends: at once, or with SIGTERM where that has been blocked to be waited for. Exits when the
// parent, which must be `expected`, is gone already.
void die_with_parent(pid_t expected, int signal);

// Kills every descendant and waits for all of them.
void kill_descendants();

// Ends as the child with this status of wait(2) did: with its exit status, or by its signal.
[[noreturn]] void end_like(int status);

}  // namespace laconic::guard
