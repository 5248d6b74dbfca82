#include "laconic/core/distributed/activity.h"

#include <fmt/format.h>

namespace laconic::distributed {

double ActivityState::idle_seconds() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - progress).count();
}

void Activity::begin_phase(const std::string& phase) {
  const std::lock_guard lock(mutex_);
  state_.phase = phase;
  state_.progress = std::chrono::steady_clock::now();
}

void Activity::progress() {
  const std::lock_guard lock(mutex_);
  state_.progress = std::chrono::steady_clock::now();
}

void Activity::begin_collective(const char* name, uint64_t sequence) {
  const std::lock_guard lock(mutex_);
  state_.collective = name;
  state_.sequence = sequence;
  state_.waiting = true;
  state_.progress = std::chrono::steady_clock::now();
}

void Activity::end_collective() {
  const std::lock_guard lock(mutex_);
  state_.waiting = false;
  state_.progress = std::chrono::steady_clock::now();
}

ActivityState Activity::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

std::string describe(const ActivityState& state) {
  if (state.collective.empty()) return fmt::format("phase {}, before the first collective", state.phase);
  return fmt::format("phase {}, {} {} #{}", state.phase, state.waiting ? "waiting in" : "after", state.collective,
                     state.sequence);
}

}  // namespace laconic::distributed
