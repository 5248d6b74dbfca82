// What an external reward is asked, and what it answers: the completions of one prompt, as plain values.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace laconic::rewards {

using Json = nlohmann::ordered_json;

struct BatchSample {
  Json prompt;             // a string, or a list of {role, content}
  std::string completion;  // without the token that ended it
  std::vector<int32_t> ids;
};

// Completions of one prompt, in the order in which they were planned: what a call is given does not depend on timing.
struct Batch {
  std::string prompt_id;
  bool conversation = false;  // prompts are lists of messages, and so are completions
  std::vector<BatchSample> samples;
  Json columns = Json::object();  // the record of the data set, one value per column
  int64_t step = 0;               // finished training steps
  int64_t steps = 0;              // of the run; 0 where there are none
};

// One value per sample; nothing where the reward does not apply to it.
using RewardValues = std::vector<std::optional<double>>;

struct BatchRewards {
  std::map<std::string, RewardValues> values;         // by the reward's name
  std::map<std::string, std::vector<double>> logged;  // by log_metric() of the user's function
  bool dropped = false;                               // it failed, and the group is to be left out
};

// Why a batch has no rewards.
enum class FailureKind {
  raised,       // the function raised, or the program answered with an error
  timed_out,    // no answer in time
  ended,        // the process ended
  bad_value,    // NaN, infinity, something that is no number
  wrong_count,  // not one reward per completion
  bad_answer,   // lines that are no answers
};
inline constexpr size_t kFailureKinds = 6;
// "raised", "timeout", "exit", "value", "count", "answer": as metrics name them.
const char* to_string(FailureKind kind);

class RewardFailure : public std::runtime_error {
 public:
  RewardFailure(FailureKind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}
  FailureKind kind() const { return kind_; }

 private:
  FailureKind kind_;
};

}  // namespace laconic::rewards
