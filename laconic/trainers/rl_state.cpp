#include "laconic/trainers/rl_state.h"

#include "laconic/trainers/step_archive.h"

namespace laconic::trainers {

using nlohmann::json;

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
  RlState s;
  s.step = state.at("step");
  s.update = state.at("update");
  s.optimizer_steps = state.at("optimizer_steps");
  s.prompt_position = state.at("prompt_position");
  s.skipped_in_a_row = state.at("skipped_in_a_row");
  s.generated_tokens = state.at("generated_tokens");
  s.evaluated = state.at("evaluated");
  s.evaluation = state.at("evaluation").get<std::map<std::string, double>>();
  const auto& monitor = state.at("monitor");
  s.monitor.step = monitor.at("step");
  s.monitor.tokens = monitor.at("tokens");
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
  p.trained_tokens = rollout.at("trained_tokens");
  if (rollout.contains("outliers")) p.outliers = rollout.at("outliers").get<std::vector<std::string>>();
  p.updates = rollout.at("updates");
  p.skipped = rollout.at("skipped");
  s.pending = std::move(p);
  return s;
}

}  // namespace laconic::trainers
