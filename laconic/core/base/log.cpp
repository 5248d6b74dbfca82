#include "laconic/core/base/log.h"

#include <cstdio>
#include <mutex>

namespace laconic {
namespace {

// The one piece of process-wide state: standard error is one stream, so lines are serialised here.
struct LogState {
  std::mutex mutex;
  LogLevel level = LogLevel::info;
  std::function<void()> before;
  std::function<void()> after;
};

LogState& state() {
  static LogState instance;
  return instance;
}

}  // namespace

void set_log_level(LogLevel level) {
  const std::lock_guard lock(state().mutex);
  state().level = level;
}

bool log_enabled(LogLevel level) {
  const std::lock_guard lock(state().mutex);
  return level >= state().level;
}

void set_log_guard(std::function<void()> before, std::function<void()> after) {
  const std::lock_guard lock(state().mutex);
  state().before = std::move(before);
  state().after = std::move(after);
}

void log_line(LogLevel level, const std::string& text) {
  const std::lock_guard lock(state().mutex);
  if (level < state().level) return;
  const char* prefix = level == LogLevel::warning ? "warning: " : level == LogLevel::error ? "error: " : "";
  if (state().before) state().before();
  std::fprintf(stderr, "%s%s\n", prefix, text.c_str());
  std::fflush(stderr);
  if (state().after) state().after();
}

}  // namespace laconic
