// One program under its limits.
#pragma once

#include "laconic/sandbox/guard/serve.h"
#include "laconic/sandbox/job.h"

namespace laconic::guard {

// Nothing of the program is left when this returns. Ends this process when nobody is left at the other end of the
// descriptor `master`.
sandbox::JobResult run_job(const sandbox::Job& job, const World& world, int master);

}  // namespace laconic::guard
