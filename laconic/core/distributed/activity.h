// What a rank is doing at this moment: its phase, the collective that it is in, and when it last made progress. Written
// by the rank's own thread, read by its watchdog.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>

namespace laconic::distributed {

struct ActivityState {
  std::string phase = "start";
  std::string collective;  // name of the one begun last; "" = none yet
  uint64_t sequence = 0;   // its number, from 1; equal on all ranks where they are in step
  bool waiting = false;    // inside of it
  std::chrono::steady_clock::time_point progress = std::chrono::steady_clock::now();

  double idle_seconds() const;
};

class Activity {
 public:
  void begin_phase(const std::string& phase);
  // Something was finished within the phase: a decoding step, a micro-batch.
  void progress();
  void begin_collective(const char* name, uint64_t sequence);
  void end_collective();
  ActivityState state() const;

 private:
  mutable std::mutex mutex_;
  ActivityState state_;
};

// "phase rollout, waiting in all_gather #12", "phase rollout, after all_gather #12".
std::string describe(const ActivityState& state);

}  // namespace laconic::distributed
