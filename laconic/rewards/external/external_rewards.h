// Rewards that the user computes: Python functions and programs, in worker processes that stay, beside decoding.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "laconic/core/base/error.h"
#include "laconic/core/base/thread_pool.h"
#include "laconic/rewards/external/batch.h"
#include "laconic/rewards/external/source.h"

namespace laconic::rewards {

// When a batch has failed as often as it may.
enum class OnError {
  fail,        // the run ends
  drop_group,  // its completions are not trained on
  zero,        // rewards that are missing are 0
};

struct ExternalOptions {
  std::string python;                   // parse_python(); "" = none
  std::string command;                  // a command line for /bin/sh; "" = none
  std::string interpreter = "python3";  // of `python`
  int workers = 1;                      // processes of each kind
  double timeout = 60;                  // seconds for one batch
  double start_timeout = 120;           // seconds until a worker can be asked: the imports of the file
  int retries = 1;                      // further tries of a batch that failed
  OnError on_error = OnError::fail;

  bool any() const { return !python.empty() || !command.empty(); }
};

// A reward of the user's own that could not be computed, where on_error says that the run ends.
class ExternalRewardError : public Error {
 public:
  using Error::Error;
};

// Names of the rewards that the options give, without starting anything; errors as those of parse_python().
std::vector<std::string> reward_names(const ExternalOptions& options);

struct ExternalStatistics {
  int64_t batches = 0;
  double seconds = 0;  // that workers spent on them, retries included, summed over the workers
  std::array<int64_t, kFailureKinds> failures{};  // by FailureKind, every try counted
  int64_t noise_lines = 0;  // on the standard output of workers: what a function prints, or what is no answer
  int64_t restarts = 0;
  int64_t dropped = 0;  // batches that were given up with drop_group, and with zero
  int64_t zeroed = 0;
  std::map<std::string, std::pair<double, int64_t>> logged;  // log_metric(): sum and count by name

  int64_t all_failures() const;
  void add(const ExternalStatistics& other);
};

// Thread-safe. Batches run in parallel, as many as there are workers.
class ExternalRewards {
 public:
  // Starts one worker of each kind, so that a file that cannot be loaded is told at once: an Error of kind input with
  // the traceback, io when the program cannot be started.
  explicit ExternalRewards(ExternalOptions options);
  ~ExternalRewards();
  ExternalRewards(const ExternalRewards&) = delete;
  ExternalRewards& operator=(const ExternalRewards&) = delete;

  const std::vector<std::string>& names() const { return names_; }

  // Has the batch graded. The future holds an ExternalRewardError when it failed and on_error is `fail`.
  std::future<BatchRewards> submit(Batch batch);
  // Gives up what was submitted so far, quickly: its futures hold an Error.
  void cancel();
  // Since the last call.
  ExternalStatistics take_statistics();

 private:
  struct Slot {
    std::unique_ptr<Worker> worker;  // null until it is needed, and after a crash
    int64_t next_id = 1;
  };
  struct Pool {
    std::unique_ptr<RewardSource> source;
    std::vector<std::unique_ptr<Slot>> slots;
    std::vector<Slot*> free;
  };
  struct Failure {
    FailureKind kind;
    std::string message;  // with what the worker has printed
  };

  BatchRewards grade(const Batch& batch, int64_t epoch);
  void grade_by(Pool& pool, const Batch& batch, int64_t epoch, BatchRewards& rewards);
  std::unique_ptr<Exchange> attempt(Pool& pool, Slot& slot, const Batch& batch, int64_t epoch, Failure& failure);
  void start(const RewardSource& source, Slot& slot, int64_t epoch);
  void converse(Slot& slot, Exchange& exchange, double seconds, int64_t epoch);
  void take_prints(const RewardSource& source, Slot& slot, std::string* tail);
  void settle(Pool& pool, const Batch& batch, Exchange* last, const Failure& failure, int tries, BatchRewards& rewards);

  ExternalOptions options_;
  std::vector<std::string> names_;
  std::vector<Pool> pools_;
  std::mutex mutex_;  // of `free`, the statistics and what is shown
  ExternalStatistics statistics_;
  int64_t lines_shown_ = 0;
  int64_t given_up_ = 0;
  std::atomic<int64_t> epoch_ = 0;  // batches of an earlier one are cancelled
  // Workers die with the thread that started them: this one lives longer than they do.
  std::unique_ptr<ThreadPool> starter_;
  std::unique_ptr<ThreadPool> graders_;
};

}  // namespace laconic::rewards
