// The progress of one loop, for a person: a bar with rate and time left in a terminal, plain lines now and then in a
// log file. A loop that ends within two seconds shows nothing.
//
// Safe to call from several threads. While it lives it is registered as the log's guard, so that a log line neither
// tears the bar nor is overwritten by it; there is one guard, so one Progress at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>

#include "laconic/core/metrics/console_style.h"

namespace laconic::metrics {

struct ProgressOptions {
  ConsoleStyle style = ConsoleStyle::of_standard_error();
  double quiet_s = 2.0;                         // nothing is shown for a loop shorter than this
  double redraw_s = 0.1;                        // terminal: at most one redraw per so many seconds
  double line_s = 10.0;                         // otherwise: at most one line per so many seconds
  std::function<double()> clock;                // seconds; default: the steady clock
  std::function<void(std::string_view)> write;  // default: standard error
};

class Progress {
 public:
  // total: how many units the loop will do, 0 when that is unknown. unit: plural, for "47 prompts/s".
  Progress(std::string label, int64_t total, std::string unit, ProgressOptions options = {});
  ~Progress();  // finish()
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // `done` units so far; the note stands at the end of the line until the next note ("loss 1.23").
  void update(int64_t done, std::string_view note = {});
  void advance(int64_t units = 1);
  // Removes the bar and leaves one closing line, when anything was or would have been shown.
  void finish();

 private:
  void show(double now);
  void write(std::string_view text);
  std::string line(double elapsed) const;
  std::string bar(int width) const;
  std::string closing_line(double elapsed) const;
  bool worth_showing(double elapsed) const;

  std::mutex mutex_;
  ProgressOptions options_;
  std::string label_;
  std::string unit_;
  std::string note_;
  int64_t total_;
  int64_t done_ = 0;
  double start_;
  double last_shown_;
  bool shown_ = false;
  bool finished_ = false;
};

}  // namespace laconic::metrics
