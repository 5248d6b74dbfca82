// Faults on purpose, for tests: what a cluster does to a run, at a known place.
//
// LACONIC_FAULT holds one or more of these, separated by `;`:
//   kill:rank=1,step=2,phase=rollout     SIGKILL to the process
//   stall:rank=1,step=2,phase=update     the rank's thread sleeps for ever
//   error:rank=0,step=1,phase=score      an exception
//   corrupt:rank=1,step=2,phase=update,collective=3   one bit of what the phase's third collective brings to the rank
//   nan_gradient:rank=0,step=1           the rank's gradient of that step's first update becomes NaN
//   desync:rank=1,step=2                 one weight of the rank changes by itself
//   fail_write:rank=0,step=2             what the rank writes of the checkpoint of that step cannot be written
//   slow_write:rank=0,step=2             it takes five seconds more
// Steps count from 1. Each fault happens once in a process.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace laconic::distributed {

class Faults {
 public:
  Faults() = default;
  // "" = none. A word that is not understood is an Error of kind usage.
  static Faults parse(const std::string& text);
  static Faults from_environment();

  // Begins `phase`: is killed, stalls or throws here where a fault says so. The number (from 1) of the collective in it
  // that is to be corrupted, 0 for none.
  uint64_t at(int rank, int64_t step, std::string_view phase);
  // Whether the caller is to do `kind` now: nan_gradient, desync, fail_write, slow_write.
  bool due(std::string_view kind, int rank, int64_t step);

 private:
  struct Fault {
    std::string kind, phase;
    int64_t rank = 0, step = 0, collective = 1;
  };
  static Fault parse_one(const std::string& text);
  std::vector<Fault> faults_;
};

}  // namespace laconic::distributed
