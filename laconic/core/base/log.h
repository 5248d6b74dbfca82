// Lines for a person, on standard error. A progress display may register itself so that a log line does not tear it.
#pragma once

#include <fmt/format.h>

#include <functional>
#include <string>
#include <utility>

namespace laconic {

enum class LogLevel { debug, info, warning, error };

void set_log_level(LogLevel level);
// Whether lines of this level are written.
bool log_enabled(LogLevel level);

// Writes one line (a newline is added). info lines carry no prefix; warnings and errors say what they are.
void log_line(LogLevel level, const std::string& text);

// Called around each line, so that a progress bar can clear and redraw itself. Pass nullptr-like {} to remove.
void set_log_guard(std::function<void()> before, std::function<void()> after);

template <typename... Args>
void log_info(fmt::format_string<Args...> format, Args&&... args) {
  log_line(LogLevel::info, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void log_warning(fmt::format_string<Args...> format, Args&&... args) {
  log_line(LogLevel::warning, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void log_error(fmt::format_string<Args...> format, Args&&... args) {
  log_line(LogLevel::error, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace laconic
