// Runs jobs (laconic/sandbox/job.h) one after the other: requests on descriptor 3, results on descriptor 4, each
// message with its length in front; the first message is the sandbox's folder.
#pragma once

#include <string>

namespace laconic::guard {

struct World {
  std::string folder;     // for files; programs are started in `run` below it
  bool isolated = false;  // this is process 1 of namespaces: all other processes are the job's
};

// Returns when the requests end.
void serve(const World& world);

}  // namespace laconic::guard
