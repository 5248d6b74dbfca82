// Where external rewards come from: how a worker is started, asked, and understood.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "laconic/rewards/external/batch.h"
#include "laconic/rewards/external/worker.h"

namespace laconic::rewards {

// One batch as one worker sees it.
class Exchange {
 public:
  virtual ~Exchange() = default;
  // The lines to send; valid as long as the exchange.
  virtual std::string_view request() const = 0;
  // True when the line completes the answer. Throws RewardFailure.
  virtual bool take(std::string_view line) = 0;
  // The answer, once complete. A value that is no finite number stands in `bad` instead.
  BatchRewards rewards;
  struct BadValue {
    std::string name;
    size_t sample = 0;
    std::string text;
  };
  std::vector<BadValue> bad;
  // Lines that are no answers.
  std::vector<std::string> noise;
};

class RewardSource {
 public:
  virtual ~RewardSource() = default;
  virtual std::string key() const = 0;                 // "reward.python"
  virtual std::vector<std::string> names() const = 0;  // of the rewards
  virtual WorkerCommand command() const = 0;
  // What a worker says before it can be asked; null where it says nothing.
  virtual std::unique_ptr<Exchange> greeting() const = 0;
  // `id` is new for every exchange with a worker.
  virtual std::unique_ptr<Exchange> ask(const Batch& batch, int64_t id) const = 0;
};

// Functions of Python files (python_worker.h), by an interpreter that is found in PATH or given by its path.
std::unique_ptr<RewardSource> python_source(const std::string& functions, const std::string& interpreter);

// Any program: a command line for /bin/sh. It reads one JSON object per line, {"id", "prompt", "completion",
// "completion_ids", "columns", "prompt_id", "step", "steps"}, and writes one per line, {"id", "reward"}, in any order,
// where the reward is a number or null; {"id", "error"} says why there is none. Its reward is named `command`.
std::unique_ptr<RewardSource> command_source(const std::string& command);

}  // namespace laconic::rewards
