#include <cmath>

#include <fmt/format.h>

#include "laconic/core/base/strings.h"
#include "laconic/rewards/external/json_text.h"
#include "laconic/rewards/external/python_worker.h"
#include "laconic/rewards/external/source.h"

namespace laconic::rewards {
namespace {

[[noreturn]] void fail_raised(const std::vector<PythonFunction>& functions, const Json& answer) {
  std::string target = answer.value("reward", "");
  for (const auto& function : functions) {
    if (function.name == target) target = function.target;
  }
  throw RewardFailure(
      FailureKind::raised,
      fmt::format("{} raised:\n{}", target, trim(std::string_view(answer.at("error").get_ref<const std::string&>()))));
}

// {"ready": true} or {"error", "reward"}.
class Greeting final : public Exchange {
 public:
  explicit Greeting(const std::vector<PythonFunction>& functions) : functions_(functions) {}
  std::string_view request() const override { return {}; }
  bool take(std::string_view line) override {
    const Json answer = parse_object(line);
    if (answer.contains("error")) fail_raised(functions_, answer);
    return answer.contains("ready");
  }

 private:
  const std::vector<PythonFunction>& functions_;
};

class PythonExchange final : public Exchange {
 public:
  PythonExchange(const std::vector<PythonFunction>& functions, const Batch& batch, int64_t id)
      : functions_(functions), samples_(batch.samples.size()), id_(id) {
    Json prompts = Json::array(), completions = Json::array(), ids = Json::array();
    for (const auto& sample : batch.samples) {
      prompts.push_back(sample.prompt);
      completions.push_back(completion_json(batch, sample));
      ids.push_back(sample.ids);
    }
    request_ = json_line({{"id", id},
                          {"prompts", std::move(prompts)},
                          {"completions", std::move(completions)},
                          {"completion_ids", std::move(ids)},
                          {"columns", usable_columns(batch.columns)},
                          {"state", {{"global_step", batch.step}, {"max_steps", batch.steps}}}});
  }

  std::string_view request() const override { return request_; }

  bool take(std::string_view line) override {
    const Json answer = parse_object(line);
    if (!answer.contains("id") || answer.at("id") != id_)
      throw RewardFailure(FailureKind::bad_answer,
                          fmt::format("an answer that nobody asked for: {}", line.substr(0, 200)));
    if (answer.contains("error")) fail_raised(functions_, answer);
    try {
      for (const auto& function : functions_) take_values(function, answer.at("rewards").at(function.name));
      for (const auto& [name, values] : answer.at("metrics").items())
        rewards.logged[name] = values.get<std::vector<double>>();
    } catch (const Json::exception&) {  // not written by the worker's own code
      throw RewardFailure(FailureKind::bad_answer, fmt::format("an answer of another form: {}", line.substr(0, 200)));
    }
    return true;
  }

 private:
  // As TRL has it: those that would be a second argument of the same name are left out.
  static Json usable_columns(const Json& columns) {
    Json usable = Json::object();
    for (const auto& [name, value] : columns.items()) {
      bool taken = false;
      for (const char* own : {"prompt", "completion", "prompts", "completions", "completion_ids", "trainer_state",
                              "log_extra", "log_metric"})
        taken |= name == own;
      if (!taken) usable[name] = value;
    }
    return usable;
  }

  void take_values(const PythonFunction& function, const Json& values) {
    if (values.is_object()) {
      throw RewardFailure(FailureKind::wrong_count,
                          fmt::format("{} returned {}, expected a list of {} numbers", function.target,
                                      values.value("returned", ""), samples_));
    }
    if (values.size() != samples_) {
      throw RewardFailure(FailureKind::wrong_count,
                          fmt::format("{} returned {} rewards, expected {}: one per completion", function.target,
                                      values.size(), samples_));
    }
    auto& taken = rewards.values[function.name];
    for (const auto& value : values) {
      taken.push_back(value.is_number() ? std::optional(value.get<double>()) : std::nullopt);
      if (value.is_object()) bad.push_back({function.name, taken.size() - 1, value.value("bad", "")});
    }
  }

  const std::vector<PythonFunction>& functions_;
  size_t samples_;
  int64_t id_;
  std::string request_;
};

class PythonSource final : public RewardSource {
 public:
  PythonSource(const std::string& functions, std::string interpreter)
      : functions_(parse_python(functions)), interpreter_(std::move(interpreter)) {}

  std::string key() const override { return "reward.python"; }
  std::vector<std::string> names() const override {
    std::vector<std::string> names;
    for (const auto& function : functions_) names.push_back(function.name);
    return names;
  }
  WorkerCommand command() const override {
    WorkerCommand command{key(), {interpreter_, "-u", "-c", std::string(python_worker_program())}, Channel::own};
    for (const auto& function : functions_) command.words.push_back(function.name + "=" + function.target);
    return command;
  }
  std::unique_ptr<Exchange> greeting() const override { return std::make_unique<Greeting>(functions_); }
  std::unique_ptr<Exchange> ask(const Batch& batch, int64_t id) const override {
    return std::make_unique<PythonExchange>(functions_, batch, id);
  }

 private:
  std::vector<PythonFunction> functions_;
  std::string interpreter_;
};

}  // namespace

std::unique_ptr<RewardSource> python_source(const std::string& functions, const std::string& interpreter) {
  return std::make_unique<PythonSource>(functions, interpreter);
}

}  // namespace laconic::rewards
