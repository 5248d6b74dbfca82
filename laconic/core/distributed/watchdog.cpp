#include "laconic/core/distributed/watchdog.h"

#include <fmt/format.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <utility>

#include "laconic/core/base/strings.h"

namespace laconic::distributed {
namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point time) {
  return std::chrono::duration<double>(Clock::now() - time).count();
}

}  // namespace

Watchdog::Watchdog(const Activity& activity, int rank, int world_size, std::unique_ptr<Blackboard> board,
                   WatchdogOptions options)
    : activity_(activity),
      rank_(rank),
      world_size_(world_size),
      board_(std::move(board)),
      options_(std::move(options)),
      ranks_(static_cast<size_t>(world_size)),
      thread_([this] { watch(); }) {}

Watchdog::~Watchdog() {
  end(last_state_, last_text_);
}

void Watchdog::finished() {
  end(State::finished, "");
}

void Watchdog::failed(const std::string& reason) {
  end(State::failed, reason);
}

void Watchdog::end(State state, const std::string& text) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    stopping_ = true;
    last_state_ = state;
    last_text_ = text;
  }
  wake_.notify_all();
  thread_.join();
}

void Watchdog::watch() {
  for (bool well = true;;) {
    {
      std::unique_lock lock(mutex_);
      wake_.wait_for(lock, std::chrono::duration<double>(options_.interval_s), [&] { return stopping_; });
      if (stopping_) {
        if (well) post(last_state_, last_text_);
        return;
      }
    }
    if (well) well = look();
  }
}

bool Watchdog::look() {
  const auto state = activity_.state();
  post(State::running, fmt::format("{}, for {:.1f} s", describe(state), state.idle_seconds()), state.idle_seconds());
  hear();
  std::string text = failure_of_others();
  if (!text.empty()) {
    std::unique_lock lock(mutex_);
    if (wake_.wait_for(lock, std::chrono::duration<double>(options_.courtesy_s), [&] { return stopping_; }))
      return true;
  } else {
    text = own_failure();
  }
  if (text.empty()) return true;
  report(text);
  return false;
}

void Watchdog::report(const std::string& failure) {
  post(State::failed, failure);
  if (options_.on_failure) options_.on_failure(failure);
}

void Watchdog::post(State state, const std::string& text, double idle_s) {
  const json sign = {{"beat", ++beat_}, {"state", static_cast<int>(state)}, {"text", text}, {"idle_s", idle_s}};
  try {
    board_->post(rank_, sign.dump());
  } catch (const std::exception&) {
    board_gone_ = true;
  }
}

void Watchdog::hear() {
  for (int r = 0; r < world_size_ && !board_gone_; ++r) {
    if (r == rank_) continue;
    std::string text;
    try {
      text = board_->read(r);
    } catch (const std::exception&) {
      board_gone_ = true;
      return;
    }
    if (text.empty()) continue;
    const auto sign = json::parse(text);
    auto& other = ranks_[static_cast<size_t>(r)];
    if (sign.at("beat") == other.sign.beat) continue;
    other.sign = {sign.at("beat"), static_cast<State>(sign.at("state").get<int>()), sign.at("text"), sign.at("idle_s")};
    other.heard = Clock::now();
  }
}

std::string Watchdog::failure_of_others() const {
  const auto with_place = [&](const std::string& text) {
    return fmt::format("rank {} of {}: {}; this rank was in {}{}", rank_, world_size_, text,
                       describe(activity_.state()), others());
  };
  for (size_t r = 0; r < ranks_.size(); ++r) {
    const auto& sign = ranks_[r].sign;
    if (sign.state == State::failed) return with_place(fmt::format("rank {} has failed ({})", r, sign.text));
  }
  if (board_gone_) return with_place("rank 0, which the ranks meet at, is gone");
  for (size_t r = 0; r < ranks_.size(); ++r) {
    const double silence = seconds_since(ranks_[r].heard);
    if (static_cast<int>(r) == rank_ || ranks_[r].sign.state == State::finished || silence < options_.dead_after_s)
      continue;
    return with_place(fmt::format("rank {} gave no sign of life for {:.0f} s", r, silence));
  }
  return "";
}

std::string Watchdog::own_failure() const {
  const auto here = activity_.state();
  const double limit = options_.timeout_s + (here.waiting ? options_.courtesy_s : 0);
  if (here.idle_seconds() < limit || (here.waiting && others_make_progress())) return "";
  return fmt::format("rank {} of {}: no progress for {:.0f} s (parallel.timeout): {}{}", rank_, world_size_,
                     here.idle_seconds(), describe(here), others());
}

bool Watchdog::others_make_progress() const {
  for (size_t r = 0; r < ranks_.size(); ++r) {
    const auto& sign = ranks_[r].sign;
    if (static_cast<int>(r) != rank_ && sign.state == State::running && sign.idle_s < options_.timeout_s) return true;
  }
  return false;
}

// What the other ranks were last doing.
std::string Watchdog::others() const {
  std::string text;
  for (size_t r = 0; r < ranks_.size(); ++r) {
    const auto& sign = ranks_[r].sign;
    if (static_cast<int>(r) == rank_ || sign.state != State::running || sign.text.empty()) continue;
    text += fmt::format("\n  rank {}: {}", r, sign.text);
  }
  return text;
}

}  // namespace laconic::distributed
