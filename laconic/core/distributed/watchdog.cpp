#include "laconic/core/distributed/watchdog.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

namespace laconic::distributed {
namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point time) {
  return std::chrono::duration<double>(Clock::now() - time).count();
}

std::chrono::duration<double> seconds(double value) {
  return std::chrono::duration<double>(value);
}

}  // namespace

// What a rank leaves on the blackboard.
struct Watchdog::Sign {
  State state = State::running;
  std::string text;  // running: what it does; failed, suffered: why
  double idle_s = 0;
};

// What is known of a rank.
struct Watchdog::Known {
  Sign sign;
  uint64_t beat = 0;
  Clock::time_point heard = Clock::now();
};

// Talks to the blackboard on a thread of its own, since a store behind a broken network may not answer for ever. The
// thread shares its state with nobody but this object, and is left behind where it is stuck at the end.
class Watchdog::Messenger {
 public:
  // `patience_s`: how long the thread is waited for at the end.
  Messenger(int rank, int world_size, std::unique_ptr<Blackboard> board, double interval_s, double patience_s)
      : shared_(std::make_shared<Shared>()), patience_s_(patience_s) {
    shared_->known.resize(static_cast<size_t>(world_size));
    thread_ = std::thread([shared = shared_, rank, interval_s, board = std::move(board)] {
      Messenger::run(*shared, rank, *board, interval_s);
    });
  }
  ~Messenger() {
    bool ended = false;
    {
      std::unique_lock lock(shared_->mutex);
      shared_->stopping = true;
      shared_->wake.notify_all();
      // That everything has arrived is not enough: the thread may be stuck in a round that says the same again.
      ended = shared_->wake.wait_for(lock, seconds(patience_s_), [&] { return shared_->ended; });
    }
    if (ended) {
      thread_.join();
    } else {
      thread_.detach();
    }
  }
  Messenger(const Messenger&) = delete;
  Messenger& operator=(const Messenger&) = delete;

  // Leaves a sign at the next round; a final one stays.
  void post(const Sign& sign) {
    const std::lock_guard lock(shared_->mutex);
    if (shared_->mine.state != State::running) return;
    shared_->mine = sign;
    ++shared_->posted;
    if (sign.state != State::running) shared_->wake.notify_all();
  }

  // False where what was posted last has not arrived within `limit_s`.
  bool flush(double limit_s) {
    std::unique_lock lock(shared_->mutex);
    return shared_->wake.wait_for(lock, seconds(limit_s),
                                  [&] { return shared_->gone || shared_->arrived == shared_->posted; });
  }

  std::vector<Known> known() const {
    const std::lock_guard lock(shared_->mutex);
    return shared_->known;
  }
  // Since the board answered last; nothing: it is gone.
  std::optional<double> silence() const {
    const std::lock_guard lock(shared_->mutex);
    if (shared_->gone) return std::nullopt;
    return seconds_since(shared_->answered);
  }

 private:
  struct Shared {
    std::mutex mutex;
    std::condition_variable wake;
    Sign mine;
    uint64_t posted = 0, arrived = 0;  // versions of `mine`
    std::vector<Known> known;
    Clock::time_point answered = Clock::now();
    bool gone = false, stopping = false, ended = false;
  };

  static void run(Shared& shared, int rank, Blackboard& board, double interval_s) {
    uint64_t beat = 0;
    std::unique_lock lock(shared.mutex);
    for (;;) {
      const auto version = shared.posted;
      const json sign = {{"beat", ++beat},
                         {"state", static_cast<int>(shared.mine.state)},
                         {"text", shared.mine.text},
                         {"idle_s", shared.mine.idle_s}};
      lock.unlock();
      std::vector<std::string> texts;
      bool gone = false;
      try {
        // A reason may quote a file's name, which may be no UTF-8.
        board.post(rank, sign.dump(-1, ' ', false, json::error_handler_t::replace));
        for (int r = 0; r < static_cast<int>(shared.known.size()); ++r)
          texts.push_back(r == rank ? std::string() : board.read(r));
      } catch (const std::exception&) {
        gone = true;
      }
      lock.lock();
      if (!gone) take(shared, texts);
      shared.gone = gone;
      shared.arrived = version;
      shared.ended = gone || (shared.stopping && shared.arrived == shared.posted);
      shared.wake.notify_all();
      if (shared.ended) return;
      shared.wake.wait_for(lock, seconds(interval_s), [&] {
        return shared.stopping || (shared.mine.state != State::running && shared.arrived != shared.posted);
      });
    }
  }

  static void take(Shared& shared, const std::vector<std::string>& texts) {
    shared.answered = Clock::now();
    for (size_t r = 0; r < texts.size(); ++r) {
      if (texts[r].empty()) continue;
      const auto sign = json::parse(texts[r], nullptr, /*allow_exceptions=*/false);
      if (sign.is_discarded()) continue;  // a rank that leaves nothing better is missed in time
      auto& known = shared.known[r];
      if (sign.at("beat") == known.beat) continue;
      known.beat = sign.at("beat");
      known.sign = {static_cast<State>(sign.at("state").get<int>()), sign.at("text"), sign.at("idle_s")};
      known.heard = Clock::now();
    }
  }

  std::shared_ptr<Shared> shared_;  // with the thread, which may outlive this object
  double patience_s_;
  std::thread thread_;
};

Watchdog::Watchdog(const Activity& activity, int rank, int world_size, std::unique_ptr<Blackboard> board,
                   WatchdogOptions options)
    : activity_(activity),
      rank_(rank),
      world_size_(world_size),
      options_(std::move(options)),
      messenger_(
          std::make_unique<Messenger>(rank, world_size, std::move(board), options_.interval_s, options_.courtesy_s)),
      thread_([this] { watch(); }) {}

Watchdog::~Watchdog() {
  end(State::failed, "it ended without a word");
}

void Watchdog::finished() {
  end(State::finished, "");
}

void Watchdog::failed(const std::string& reason) {
  end(State::failed, reason);
}

std::string Watchdog::suffered(const std::string& reason) {
  end(State::suffered, reason);
  std::this_thread::sleep_for(seconds(options_.courtesy_s));
  return cause();
}

// After the courtesy time: a rank that is well has left several signs in it.
std::string Watchdog::cause() const {
  const auto known = messenger_->known();
  for (size_t r = 0; r < known.size(); ++r) {
    if (known[r].sign.state == State::failed) return fmt::format("rank {} has failed: {}", r, known[r].sign.text);
  }
  if (!messenger_->silence()) return "rank 0, which the ranks meet at, is gone";
  for (size_t r = 0; r < known.size(); ++r) {
    const auto& [sign, beat, heard] = known[r];
    const double missed = seconds_since(heard);
    if (static_cast<int>(r) == rank_ || sign.state != State::running || missed < 0.75 * options_.courtesy_s) continue;
    return fmt::format("rank {} has given no sign of life for {:.1f} s and is probably gone{}", r, missed,
                       sign.text.empty() ? "" : "; it was in " + sign.text);
  }
  return "";
}

void Watchdog::end(State state, const std::string& text) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
  messenger_->post({state, text});
  messenger_->flush(options_.courtesy_s);
}

void Watchdog::watch() {
  for (bool well = true;;) {
    {
      std::unique_lock lock(mutex_);
      if (wake_.wait_for(lock, seconds(options_.interval_s), [&] { return stopping_; })) return;
    }
    if (well) well = look();
  }
}

bool Watchdog::look() {
  const auto state = activity_.state();
  messenger_->post(
      {State::running, fmt::format("{}, for {:.1f} s", describe(state), state.idle_seconds()), state.idle_seconds()});
  std::string text = failure_of_others();
  auto outcome = State::failed;
  if (!text.empty()) {
    outcome = State::suffered;
    std::unique_lock lock(mutex_);
    if (wake_.wait_for(lock, seconds(options_.courtesy_s), [&] { return stopping_; })) return true;
    text = failure_of_others();  // the cause may have spoken after one that suffers from it
  } else {
    text = own_failure();
  }
  if (text.empty()) return true;
  report(outcome, text);
  return false;
}

void Watchdog::report(State state, const std::string& failure) {
  messenger_->post({state, failure});
  messenger_->flush(options_.courtesy_s);
  if (options_.on_failure) options_.on_failure(failure);
}

std::string Watchdog::failure_of_others() const {
  const auto with_place = [&](const std::string& text) {
    return fmt::format("rank {} of {}: {}; this rank was in {}{}", rank_, world_size_, text,
                       describe(activity_.state()), others());
  };
  const auto known = messenger_->known();
  for (const auto state : {State::failed, State::suffered}) {  // the cause first
    for (size_t r = 0; r < known.size(); ++r) {
      const auto& sign = known[r].sign;
      if (sign.state == state) return with_place(fmt::format("rank {} has failed ({})", r, sign.text));
    }
  }
  const auto silence = messenger_->silence();
  if (!silence) return with_place("rank 0, which the ranks meet at, is gone");
  if (*silence >= options_.dead_after_s)
    return with_place(fmt::format("rank 0, which the ranks meet at, did not answer for {:.0f} s", *silence));
  for (size_t r = 0; r < known.size(); ++r) {
    const double missed = seconds_since(known[r].heard);
    if (static_cast<int>(r) == rank_ || known[r].sign.state == State::finished || missed < options_.dead_after_s)
      continue;
    return with_place(fmt::format("rank {} gave no sign of life for {:.0f} s", r, missed));
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
  const auto known = messenger_->known();
  for (size_t r = 0; r < known.size(); ++r) {
    const auto& sign = known[r].sign;
    if (static_cast<int>(r) != rank_ && sign.state == State::running && sign.idle_s < options_.timeout_s) return true;
  }
  return false;
}

// What the other ranks were last doing.
std::string Watchdog::others() const {
  std::string text;
  const auto known = messenger_->known();
  for (size_t r = 0; r < known.size(); ++r) {
    const auto& sign = known[r].sign;
    if (static_cast<int>(r) == rank_ || sign.state != State::running || sign.text.empty()) continue;
    text += fmt::format("\n  rank {}: {}", r, sign.text);
  }
  return text;
}

}  // namespace laconic::distributed
