#include "laconic/core/metrics/progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <utility>

#include "laconic/core/base/log.h"
#include "laconic/core/base/strings.h"

namespace laconic::metrics {
namespace {

constexpr const char* kClearLine = "\r\x1b[K";

double steady_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

void write_standard_error(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fflush(stderr);
}

std::string repeat(std::string_view piece, int times) {
  std::string text;
  for (int i = 0; i < times; ++i) text += piece;
  return text;
}

}  // namespace

Progress::Progress(std::string label, int64_t total, std::string unit, ProgressOptions options)
    : options_(std::move(options)), label_(std::move(label)), unit_(std::move(unit)), total_(total) {
  if (!options_.clock) options_.clock = steady_seconds;
  if (!options_.write) {
    const bool silent = !log_enabled(LogLevel::info);
    options_.write = [silent](std::string_view text) {
      if (!silent) write_standard_error(text);
    };
  }
  start_ = last_shown_ = options_.clock();
  if (!options_.style.terminal) return;
  // The lock is held from `before` to `after`, so that no other thread redraws the bar between the two.
  set_log_guard(
      [this] {
        mutex_.lock();
        if (shown_) write(kClearLine);
      },
      [this] {
        if (shown_) write(line(options_.clock() - start_));
        mutex_.unlock();
      });
}

Progress::~Progress() {
  finish();
}

void Progress::update(int64_t done, std::string_view note) {
  const std::lock_guard lock(mutex_);
  done_ = done;
  if (!note.empty()) note_ = note;
  show(options_.clock());
}

void Progress::advance(int64_t units) {
  const std::lock_guard lock(mutex_);
  done_ += units;
  show(options_.clock());
}

void Progress::finish() {
  // The guard goes first and without our lock: the log takes its own lock and then ours.
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(finished_, true)) return;
  }
  if (options_.style.terminal) set_log_guard({}, {});
  const std::lock_guard lock(mutex_);
  const double elapsed = options_.clock() - start_;
  if (!shown_ && elapsed < options_.quiet_s) return;
  write((shown_ && options_.style.terminal ? kClearLine : "") + closing_line(elapsed) + "\n");
}

bool Progress::worth_showing(double elapsed) const {
  if (shown_ || elapsed >= options_.quiet_s) return true;
  // A terminal sees a long loop early: as soon as its pace says that it will not end soon.
  if (!options_.style.terminal || total_ <= 0 || done_ <= 0 || elapsed < 0.25 * options_.quiet_s) return false;
  return elapsed * static_cast<double>(total_) / static_cast<double>(done_) >= 2.0 * options_.quiet_s;
}

void Progress::show(double now) {
  const double elapsed = now - start_;
  if (finished_ || !worth_showing(elapsed)) return;
  const double interval = options_.style.terminal ? options_.redraw_s : options_.line_s;
  if (shown_ && now - last_shown_ < interval) return;
  shown_ = true;
  last_shown_ = now;
  write(options_.style.terminal ? kClearLine + line(elapsed) : line(elapsed) + "\n");
}

void Progress::write(std::string_view text) {
  options_.write(text);
}

std::string Progress::line(double elapsed) const {
  std::string counts = human_count(static_cast<double>(done_));
  if (total_ > 0 && total_ < 100000) counts = fmt::format("{}/{}", done_, total_);
  if (total_ >= 100000) counts += "/" + human_count(static_cast<double>(total_));
  std::string tail = total_ > 0 ? counts : fmt::format("{} {}", counts, unit_);
  const double rate = elapsed > 0.0 ? static_cast<double>(done_) / elapsed : 0.0;
  if (rate > 0.0) tail += fmt::format("  {} {}/s", human_count(rate), unit_);
  if (rate > 0.0 && total_ > done_) {
    tail += fmt::format("  {} left", human_duration(static_cast<double>(total_ - done_) / rate));
  }
  if (!note_.empty()) tail += "  " + note_;
  if (!options_.style.terminal) return fmt::format("{}: {}", label_, tail);

  const int room = options_.style.width - 1 - display_width(label_) - display_width(tail) - 4;
  const int width = std::min(room - 6, 32);
  std::string text = label_ + "  ";
  if (total_ > 0 && width >= 8) text += bar(width) + "  ";
  text += tail;
  if (display_width(text) < options_.style.width) return text;
  // Too narrow for all of it: cut, so that the line never wraps (a wrapped line cannot be redrawn). A character of
  // several bytes is kept or dropped whole.
  int columns = 0;
  size_t end = 0;
  for (; end < text.size(); ++end) {
    if ((static_cast<unsigned char>(text[end]) & 0xc0) != 0x80 && ++columns >= options_.style.width) break;
  }
  return text.substr(0, end);
}

std::string Progress::bar(int width) const {
  const double share = std::clamp(static_cast<double>(done_) / static_cast<double>(total_), 0.0, 1.0);
  const int filled = static_cast<int>(std::floor(share * width));
  const bool utf8 = options_.style.utf8;
  const std::string left = repeat(utf8 ? "\u2501" : "#", filled);
  const std::string right = repeat(utf8 ? "\u2500" : "-", width - filled);
  return fmt::format("{}{} {:>3.0f} %", styled(options_.style, "36", left), styled(options_.style, "2", right),
                     std::floor(100.0 * share));
}

std::string Progress::closing_line(double elapsed) const {
  const std::string time = human_duration(elapsed);
  if (total_ > 0 && done_ < total_) return fmt::format("{}: stopped at {}/{} after {}", label_, done_, total_, time);
  const double rate = elapsed > 0.0 ? static_cast<double>(done_) / elapsed : 0.0;
  return fmt::format("{}: {} {} in {} ({}/s){}", label_, done_, unit_, time, human_count(rate),
                     note_.empty() ? "" : "  " + note_);
}

}  // namespace laconic::metrics
