#include "laconic/trainers/rl_state.h"

#include <limits>

#include "laconic/core/checkpoint/json_input.h"
#include "laconic/trainers/step_archive.h"

namespace laconic::trainers {

using nlohmann::json;

namespace {

// Steps, tokens and places beyond it are no run's; sums of two of them stay numbers.
constexpr int64_t kMostCounted = int64_t{1} << 60;

}  // namespace

void to_json(const RlState& state, json& out, json& rollout) {
  out = {
      {"step", state.step},
      {"update", state.update},
      {"optimizer_steps", state.optimizer_steps},
      {"prompt_position", state.prompt_position},
      {"skipped_in_a_row", state.skipped_in_a_row},
      {"generated_tokens", state.generated_tokens},
      {"evaluated", state.evaluated},
      {"evaluation", state.evaluation},
      {"monitor", {{"step", state.monitor.step}, {"tokens", state.monitor.tokens}, {"values", state.monitor.values}}},
      {"recent", {{"losses", state.recent.losses}, {"norms", state.recent.norms}}}};
  rollout = nullptr;
  if (!state.pending) return;
  const auto& p = *state.pending;
  rollout = {{"step", to_json(p.step)},          {"metrics", p.metrics}, {"loss", to_json(p.loss)},
             {"grad_norm_sum", p.grad_norm_sum}, {"lr", p.lr},           {"trained_tokens", p.trained_tokens},
             {"outliers", p.outliers},           {"updates", p.updates}, {"skipped", p.skipped}};
}

RlState state_from_json(const json& state, const json& rollout) {
  const auto count = [&](const json& from, const char* key, int64_t least, int64_t most) {
    return checkpoint::whole_number(checkpoint::kStateFile, from, key, least, most);
  };
  RlState s;
  s.step = count(state, "step", 0, kMostCounted);
  s.update = count(state, "update", 0, kMostCounted);
  s.optimizer_steps = count(state, "optimizer_steps", 0, kMostCounted);
  s.prompt_position = static_cast<uint64_t>(count(state, "prompt_position", 0, kMostCounted));
  s.skipped_in_a_row = count(state, "skipped_in_a_row", 0, kMostCounted);
  s.generated_tokens = count(state, "generated_tokens", 0, kMostCounted);
  s.evaluated = count(state, "evaluated", -1, s.step);
  s.evaluation = state.at("evaluation").get<std::map<std::string, double>>();
  const auto& monitor = state.at("monitor");
  s.monitor.step = count(monitor, "step", -1, s.step);
  s.monitor.tokens = count(monitor, "tokens", 0, kMostCounted);
  s.monitor.values = monitor.at("values").get<std::vector<std::pair<std::string, double>>>();
  if (state.contains("recent")) {  // not in checkpoints of earlier versions
    s.recent.losses = state.at("recent").at("losses").get<std::vector<double>>();
    s.recent.norms = state.at("recent").at("norms").get<std::vector<double>>();
  }
  if (rollout.is_null()) return s;
  PendingStep p;
  p.step = step_from_json(rollout.at("step"));
  p.metrics = rollout.at("metrics").get<std::vector<std::pair<std::string, double>>>();
  p.loss = statistics_from_json(rollout.at("loss"));
  p.grad_norm_sum = rollout.at("grad_norm_sum");
  p.lr = rollout.at("lr");
  const auto of_step = [&](const char* key, int64_t most) {
    return checkpoint::whole_number(checkpoint::kRolloutFile, rollout, key, 0, most);
  };
  p.trained_tokens = of_step("trained_tokens", kMostCounted);
  if (rollout.contains("outliers")) p.outliers = rollout.at("outliers").get<std::vector<std::string>>();
  p.updates = static_cast<int>(of_step("updates", std::numeric_limits<int>::max()));
  p.skipped = static_cast<int>(of_step("skipped", p.updates));
  s.pending = std::move(p);
  return s;
}

}  // namespace laconic::trainers
