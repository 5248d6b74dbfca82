#include "laconic/rewards/external/external_rewards.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "laconic/core/base/error.h"
#include "laconic/core/base/log.h"
#include "laconic/core/base/strings.h"
#include "laconic/core/base/timer.h"

namespace laconic::rewards {
namespace {

// Lines of workers that are passed on to the screen; what comes later is counted only.
constexpr int64_t kLinesShown = 40;
// Batches that are given up and whose tracebacks are shown; of later ones the error alone is.
constexpr int64_t kToldInFull = 3;
// What stands in an error in front of lines of a worker's output, and how many of them there are.
constexpr const char* kLastLines = "\nits last lines:";
constexpr size_t kTailLines = 12;

std::vector<std::unique_ptr<RewardSource>> sources_of(const ExternalOptions& options) {
  std::vector<std::unique_ptr<RewardSource>> sources;
  if (!options.python.empty()) sources.push_back(python_source(options.python, options.interpreter));
  if (!options.command.empty()) sources.push_back(command_source(options.command));
  return sources;
}

std::string values_text(const std::vector<Exchange::BadValue>& bad) {
  std::string text;
  constexpr size_t kShown = 3;
  for (size_t i = 0; i < std::min(bad.size(), kShown); ++i) {
    text += fmt::format("{}`{}` gave completion {} the reward {}", i == 0 ? "" : ", ", bad[i].name, bad[i].sample + 1,
                        bad[i].text);
  }
  return text + (bad.size() > kShown ? fmt::format(" and {} more", bad.size() - kShown) : "") +
         ", expected a finite number or None";
}

// Of a message with a traceback the beginning and the error itself, which stands last.
std::string in_one_line(const std::string& message) {
  const std::string_view text = std::string_view(message).substr(0, message.find(kLastLines));
  const size_t first = text.find('\n'), last = text.rfind('\n');
  if (first == std::string_view::npos) return std::string(text);
  return fmt::format("{} {}", text.substr(0, first), text.substr(last + 1));
}

}  // namespace

const char* to_string(FailureKind kind) {
  constexpr std::array<const char*, kFailureKinds> kNames = {"raised", "timeout", "exit", "value", "count", "answer"};
  return kNames.at(static_cast<size_t>(kind));
}

std::vector<std::string> reward_names(const ExternalOptions& options) {
  std::vector<std::string> names;
  for (const auto& source : sources_of(options)) {
    for (const auto& name : source->names()) {
      if (std::find(names.begin(), names.end(), name) != names.end())
        fail(ErrorKind::usage, "{}: there is a reward named `{}` already; name it otherwise: other=FILE.py:FUNCTION",
             source->key(), name);
      names.push_back(name);
    }
  }
  return names;
}

int64_t ExternalStatistics::all_failures() const {
  return std::accumulate(failures.begin(), failures.end(), int64_t{0});
}

void ExternalStatistics::add(const ExternalStatistics& other) {
  batches += other.batches;
  seconds += other.seconds;
  for (size_t i = 0; i < kFailureKinds; ++i) failures[i] += other.failures[i];
  noise_lines += other.noise_lines;
  restarts += other.restarts;
  dropped += other.dropped;
  zeroed += other.zeroed;
  for (const auto& [name, sum] : other.logged) {
    logged[name].first += sum.first;
    logged[name].second += sum.second;
  }
}

ExternalRewards::ExternalRewards(ExternalOptions options)
    : options_(std::move(options)),
      names_(reward_names(options_)),
      starter_(std::make_unique<ThreadPool>(1)),
      graders_(std::make_unique<ThreadPool>(options_.workers)) {
  for (auto& source : sources_of(options_)) {
    Pool pool{std::move(source), {}, {}};
    for (int i = 0; i < options_.workers; ++i) pool.slots.push_back(std::make_unique<Slot>());
    for (const auto& slot : pool.slots) pool.free.push_back(slot.get());
    pools_.push_back(std::move(pool));
  }
  for (auto& pool : pools_) {
    Slot& slot = *pool.slots.front();
    try {
      start(*pool.source, slot, epoch_);
    } catch (const RewardFailure& failure) {
      std::string tail;
      if (slot.worker) take_prints(*pool.source, slot, &tail);
      fail(ErrorKind::input, "{}: {}{}", pool.source->key(), failure.what(), tail);
    }
  }
}

ExternalRewards::~ExternalRewards() {
  cancel();
  graders_.reset();
  pools_.clear();
}

std::future<BatchRewards> ExternalRewards::submit(Batch batch) {
  return graders_->submit([this, batch = std::move(batch), epoch = epoch_.load()] { return grade(batch, epoch); });
}

void ExternalRewards::cancel() {
  ++epoch_;
}

ExternalStatistics ExternalRewards::take_statistics() {
  const std::lock_guard lock(mutex_);
  return std::exchange(statistics_, {});
}

BatchRewards ExternalRewards::grade(const Batch& batch, int64_t epoch) {
  BatchRewards rewards;
  for (auto& pool : pools_) {
    if (epoch_ != epoch) fail(ErrorKind::input, "{}: given up", pool.source->key());  // no worker is started for it
    if (!rewards.dropped) grade_by(pool, batch, epoch, rewards);
  }
  const std::lock_guard lock(mutex_);
  ++statistics_.batches;
  for (const auto& [name, values] : rewards.logged) {
    auto& sum = statistics_.logged[name];
    sum.first = std::accumulate(values.begin(), values.end(), sum.first);
    sum.second += static_cast<int64_t>(values.size());
  }
  return rewards;
}

// Tries as often as may be, then does what on_error says.
void ExternalRewards::grade_by(Pool& pool, const Batch& batch, int64_t epoch, BatchRewards& rewards) {
  Slot* slot = nullptr;
  {
    const std::lock_guard lock(mutex_);
    LACONIC_CHECK(!pool.free.empty(), "more batches at once than workers");
    slot = pool.free.back();
    pool.free.pop_back();
  }
  const auto give_back = [&] {
    const std::lock_guard lock(mutex_);
    pool.free.push_back(slot);
  };
  const Timer timer;
  Failure failure{};
  std::unique_ptr<Exchange> last;
  bool good = false;
  try {
    for (int i = 0; i <= options_.retries && !good; ++i) {
      last = attempt(pool, *slot, batch, epoch, failure);
      good = last != nullptr && last->bad.empty();
    }
  } catch (const Worker::Cancelled&) {
    slot->worker.reset();
    give_back();
    fail(ErrorKind::input, "{}: given up", pool.source->key());
  } catch (...) {
    give_back();
    throw;
  }
  give_back();
  {
    const std::lock_guard lock(mutex_);
    statistics_.seconds += timer.seconds();
  }
  if (!good) {
    settle(pool, batch, last.get(), failure, options_.retries + 1, rewards);
    return;
  }
  rewards.values.merge(last->rewards.values);
  rewards.logged.merge(last->rewards.logged);
}

// One try. Null, or an exchange with bad values, when it failed; `failure` then says how.
std::unique_ptr<Exchange> ExternalRewards::attempt(Pool& pool, Slot& slot, const Batch& batch, int64_t epoch,
                                                   Failure& failure) {
  const auto& source = *pool.source;
  const auto count = [&](FailureKind kind, const std::string& message) {
    failure.kind = kind;
    failure.message = message;
    if (slot.worker) take_prints(source, slot, &failure.message);
    const std::lock_guard lock(mutex_);
    ++statistics_.failures[static_cast<size_t>(kind)];
  };
  bool greeted = slot.worker != nullptr;
  try {
    if (!greeted) {
      start(source, slot, epoch);
      greeted = true;
      const std::lock_guard lock(mutex_);
      statistics_.restarts += slot.next_id > 1;
    }
    auto exchange = source.ask(batch, slot.next_id);
    slot.next_id += static_cast<int64_t>(batch.samples.size());
    converse(slot, *exchange, options_.timeout, epoch);
    if (!exchange->bad.empty()) {
      count(FailureKind::bad_value, values_text(exchange->bad));
    } else {
      take_prints(source, slot, nullptr);
    }
    return exchange;
  } catch (const RewardFailure& error) {
    count(error.kind(), error.what());
    // A Python worker that has told of an error, or of a wrong number of rewards, is as good as before.
    const bool usable = greeted && source.command().channel == Channel::own &&
                        (error.kind() == FailureKind::raised || error.kind() == FailureKind::wrong_count);
    if (!usable) slot.worker.reset();
    return nullptr;
  }
}

void ExternalRewards::start(const RewardSource& source, Slot& slot, int64_t epoch) {
  const auto command = source.command();
  slot.worker = starter_->submit([&command] { return std::make_unique<Worker>(command); }).get();
  if (const auto greeting = source.greeting()) converse(slot, *greeting, options_.start_timeout, epoch);
}

void ExternalRewards::converse(Slot& slot, Exchange& exchange, double seconds, int64_t epoch) {
  const auto take_noise = [&] {
    for (const auto& line : std::exchange(exchange.noise, {})) slot.worker->add_noise(line);
  };
  try {
    slot.worker->exchange(
        exchange.request(), seconds, [&](std::string_view line) { return exchange.take(line); },
        [&] { return epoch_.load() != epoch; });
  } catch (...) {
    take_noise();
    throw;
  }
  take_noise();
}

// What a worker has printed goes to the screen, and, where there is one, to the end of a message.
void ExternalRewards::take_prints(const RewardSource& source, Slot& slot, std::string* tail) {
  const auto lines = slot.worker->take_printed();
  const int64_t noise = slot.worker->take_noise();
  int64_t shown = 0;
  {
    const std::lock_guard lock(mutex_);
    statistics_.noise_lines += noise;
    shown = std::exchange(lines_shown_, lines_shown_ + static_cast<int64_t>(lines.size()));
  }
  for (const auto& line : lines) {
    if (shown < kLinesShown) log_info("{}: printed: {}", source.key(), line);
    if (shown == kLinesShown) log_info("{}: further lines that it prints are not shown", source.key());
    ++shown;
  }
  if (tail == nullptr || lines.empty()) return;
  *tail += kLastLines;
  for (size_t i = lines.size() - std::min(lines.size(), kTailLines); i < lines.size(); ++i) *tail += "\n  " + lines[i];
}

void ExternalRewards::settle(Pool& pool, const Batch& batch, Exchange* last, const Failure& failure, int tries,
                             BatchRewards& rewards) {
  const auto& source = *pool.source;
  const std::string text =
      fmt::format("{}: no rewards for the {} completions of prompt {} after {} {}: {}", source.key(),
                  batch.samples.size(), batch.prompt_id, tries, tries == 1 ? "try" : "tries", failure.message);
  if (options_.on_error == OnError::fail) throw ExternalRewardError(ErrorKind::input, text);
  const bool drop = options_.on_error == OnError::drop_group;
  bool in_full = false;
  {
    const std::lock_guard lock(mutex_);
    ++(drop ? statistics_.dropped : statistics_.zeroed);
    in_full = given_up_++ < kToldInFull;
  }
  log_warning("{}; {}", in_full ? text : in_one_line(text), drop ? "the group is left out" : "missing rewards are 0");
  if (drop) {
    rewards.dropped = true;
    return;
  }
  // Values that are good stay.
  for (const auto& name : source.names()) {
    auto& values = rewards.values[name];
    if (last != nullptr) {
      values = last->rewards.values.at(name);
    } else {
      values.assign(batch.samples.size(), 0.0);
    }
  }
  if (last == nullptr) return;
  for (const auto& value : last->bad) rewards.values[value.name][value.sample] = 0.0;
}

}  // namespace laconic::rewards
