#include <fmt/format.h>

#include <cmath>
#include <optional>
#include <string>
#include <string_view>

#include "laconic/core/base/strings.h"
#include "laconic/rewards/external/json_text.h"
#include "laconic/rewards/external/source.h"

namespace laconic::rewards {
namespace {

constexpr const char* kName = "command";

// NaN and Infinity, which some programs write and JSON does not know, become texts: no numbers, but of a known answer.
std::string with_quoted_numbers(std::string_view line) {
  std::string text(line);
  for (const std::string_view word : {"-Infinity", "Infinity", "NaN"}) {
    for (size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + word.size() + 2)) {
      if (at > 0 && (text[at - 1] == '-' || text[at - 1] == '"')) continue;
      text.insert(at + word.size(), 1, '"').insert(at, 1, '"');
    }
  }
  return text;
}

bool is_meant_as_answer(std::string_view line) {
  return trim(line).starts_with('{') && line.find("\"id\"") != std::string_view::npos;
}

std::optional<double> number_of(const Json& reward) {
  if (reward.is_boolean()) return reward.get<bool>() ? 1 : 0;
  if (!reward.is_number() || !std::isfinite(reward.get<double>())) return std::nullopt;
  return reward.get<double>();
}

class CommandExchange final : public Exchange {
 public:
  CommandExchange(const Batch& batch, int64_t id) : first_(id), answered_(batch.samples.size(), false) {
    rewards.values[kName].resize(batch.samples.size());
    for (const auto& sample : batch.samples) {
      request_ += json_line({{"id", id++},
                             {"prompt", sample.prompt},
                             {"completion", completion_json(batch, sample)},
                             {"completion_ids", sample.ids},
                             {"columns", batch.columns},
                             {"prompt_id", batch.prompt_id},
                             {"step", batch.step},
                             {"steps", batch.steps}});
    }
  }

  std::string_view request() const override { return request_; }

  bool take(std::string_view line) override {
    Json answer = parse_object(line);
    if (answer.is_null() && is_meant_as_answer(line)) {
      answer = parse_object(with_quoted_numbers(line));
      if (answer.is_null())
        throw RewardFailure(FailureKind::bad_answer, fmt::format("an answer that is not valid JSON: {}", shown(line)));
    }
    if (!answer.contains("id")) {
      noise.emplace_back(line);
      return false;
    }
    const size_t sample = sample_of(answer.at("id"), line);
    if (answer.contains("error") && !answer.at("error").is_null())
      throw RewardFailure(FailureKind::raised,
                          fmt::format("the program answered with an error: {}",
                                      answer.at("error").is_string() ? answer.at("error").get<std::string>()
                                                                     : answer.at("error").dump()));
    if (!answer.contains("reward"))
      throw RewardFailure(FailureKind::bad_answer, fmt::format("an answer without `reward`: {}", shown(line)));
    const Json& reward = answer.at("reward");
    const std::optional<double> number = number_of(reward);
    if (number) rewards.values[kName][sample] = *number;
    if (!number && !reward.is_null()) bad.push_back({kName, sample, reward.dump()});
    answered_[sample] = true;
    return ++count_ == answered_.size();
  }

 private:
  static std::string_view shown(std::string_view line) { return line.substr(0, 200); }

  size_t sample_of(const Json& id, std::string_view line) const {
    const int64_t index = id.is_number_integer() ? id.get<int64_t>() - first_ : -1;
    if (index < 0 || index >= static_cast<int64_t>(answered_.size()))
      throw RewardFailure(FailureKind::bad_answer, fmt::format("an answer to no request: {}", shown(line)));
    if (answered_[static_cast<size_t>(index)])
      throw RewardFailure(FailureKind::wrong_count, fmt::format("a second answer to one request: {}", shown(line)));
    return static_cast<size_t>(index);
  }

  int64_t first_;
  std::vector<bool> answered_;
  size_t count_ = 0;
  std::string request_;
};

class CommandSource final : public RewardSource {
 public:
  explicit CommandSource(std::string command) : command_(std::move(command)) {}

  std::string key() const override { return "reward.command"; }
  std::vector<std::string> names() const override { return {kName}; }
  WorkerCommand command() const override { return {key(), {"/bin/sh", "-c", command_}, Channel::standard}; }
  std::unique_ptr<Exchange> greeting() const override { return nullptr; }
  std::unique_ptr<Exchange> ask(const Batch& batch, int64_t id) const override {
    return std::make_unique<CommandExchange>(batch, id);
  }

 private:
  std::string command_;
};

}  // namespace

std::unique_ptr<RewardSource> command_source(const std::string& command) {
  return std::make_unique<CommandSource>(command);
}

}  // namespace laconic::rewards
