#include "laconic/trainers/step_archive.h"

#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "laconic/core/base/error.h"
#include "laconic/core/checkpoint/store.h"

namespace laconic::trainers {
namespace {

using algorithms::LossStatistics;
using algorithms::Sample;
using nlohmann::json;

template <typename T>
json optional_json(const std::optional<T>& value) {
  return value ? json(*value) : json(nullptr);
}

template <typename T>
std::optional<T> optional_from(const json& j) {
  if (j.is_null()) return std::nullopt;
  return j.get<T>();
}

json to_json(const rewards::Verdict& v) {
  return {v.correct, v.format_ok, v.answer_found, v.truncated, v.answer, v.reason, optional_json(v.tests_passed)};
}

rewards::Verdict verdict_from_json(const json& j) {
  return {j.at(0), j.at(1), j.at(2), j.at(3), j.at(4), j.at(5), optional_from<double>(j.at(6))};
}

json to_json(const Sample& s) {
  return {{"kind", s.kind},
          {"prompt_suffix", s.prompt_suffix},
          {"ids", s.ids},
          {"length", s.length},
          {"truncated", s.truncated},
          {"thinking_end", optional_json(s.thinking_end)},
          {"exit_position", optional_json(s.exit_position)},
          {"verdict", to_json(s.verdict)},
          {"given_reward", optional_json(s.given_reward)},
          {"named_rewards", s.named_rewards},
          {"inapplicable", s.inapplicable},
          {"unscored", s.unscored},
          {"logp_rollout", s.logp_rollout},
          {"logp_old", s.logp_old},
          {"logp_ref", s.logp_ref},
          {"entropy", s.entropy},
          {"forced", s.forced},
          {"reward", s.reward},
          {"advantage", s.advantage},
          {"loss_mask", s.loss_mask},
          {"old_logp_override", s.old_logp_override},
          {"weight", s.weight}};
}

// What is computed of a sample goes through its lists side by side.
void check_lengths(const Sample& s) {
  const auto length = static_cast<size_t>(s.length);
  const auto expect = [&](const char* name, size_t found, bool one_for_all = false) {
    if (found == 0 || found == length || (one_for_all && found == 1)) return;
    fail(ErrorKind::input, "its {} has a completion of {} tokens with {} values of {}", checkpoint::kRolloutFile,
         s.length, found, name);
  };
  if (s.length < 0) fail(ErrorKind::input, "its {} has a completion of {} tokens", checkpoint::kRolloutFile, s.length);
  expect("ids", s.ids.size());
  expect("logp_rollout", s.logp_rollout.size());
  expect("logp_old", s.logp_old.size());
  expect("logp_ref", s.logp_ref.size());
  expect("entropy", s.entropy.size());
  expect("forced", s.forced.size());
  expect("loss_mask", s.loss_mask.size());
  expect("advantage", s.advantage.size(), /*one_for_all=*/true);
  for (const auto& [position, value] : s.old_logp_override) {
    if (position >= 0 && position < s.length) continue;
    fail(ErrorKind::input, "its {} has a completion of {} tokens with an old_logp_override of token {}",
         checkpoint::kRolloutFile, s.length, position);
  }
}

Sample sample_from_json(const json& j) {
  Sample s;
  s.kind = j.at("kind");
  s.prompt_suffix = j.at("prompt_suffix").get<std::vector<int32_t>>();
  s.ids = j.at("ids").get<std::vector<int32_t>>();
  s.length = j.at("length");
  s.truncated = j.at("truncated");
  s.thinking_end = optional_from<int64_t>(j.at("thinking_end"));
  s.exit_position = optional_from<int64_t>(j.at("exit_position"));
  s.verdict = verdict_from_json(j.at("verdict"));
  s.given_reward = optional_from<double>(j.at("given_reward"));
  s.named_rewards = j.at("named_rewards").get<std::map<std::string, double>>();
  s.inapplicable = j.at("inapplicable").get<std::vector<std::string>>();
  s.unscored = j.at("unscored");
  s.logp_rollout = j.at("logp_rollout").get<std::vector<double>>();
  s.logp_old = j.at("logp_old").get<std::vector<double>>();
  s.logp_ref = j.at("logp_ref").get<std::vector<double>>();
  s.entropy = j.at("entropy").get<std::vector<double>>();
  s.forced = j.at("forced").get<std::vector<uint8_t>>();
  s.reward = j.at("reward");
  s.advantage = j.at("advantage").get<std::vector<double>>();
  s.loss_mask = j.at("loss_mask").get<std::vector<uint8_t>>();
  s.old_logp_override = j.at("old_logp_override").get<std::vector<std::pair<int64_t, double>>>();
  s.weight = j.at("weight");
  check_lengths(s);
  return s;
}

// Every field of the statistics once, for both directions.
constexpr std::array<std::pair<const char*, double LossStatistics::*>, 17> kStatistics = {{
    {"tokens", &LossStatistics::tokens},
    {"policy_loss", &LossStatistics::policy_loss},
    {"kl_loss", &LossStatistics::kl_loss},
    {"entropy_sum", &LossStatistics::entropy_sum},
    {"kl_sum", &LossStatistics::kl_sum},
    {"ratio_sum", &LossStatistics::ratio_sum},
    {"ratio_max", &LossStatistics::ratio_max},
    {"clipped_low", &LossStatistics::clipped_low},
    {"clipped_high", &LossStatistics::clipped_high},
    {"mismatch_tokens", &LossStatistics::mismatch_tokens},
    {"mismatch_abs_sum", &LossStatistics::mismatch_abs_sum},
    {"mismatch_abs_max", &LossStatistics::mismatch_abs_max},
    {"mismatch_k3_sum", &LossStatistics::mismatch_k3_sum},
    {"weight_sum", &LossStatistics::weight_sum},
    {"weight_square_sum", &LossStatistics::weight_square_sum},
    {"weights_cut", &LossStatistics::weights_cut},
    {"sequences_dropped", &LossStatistics::sequences_dropped},
}};
static_assert(sizeof(LossStatistics) == kStatistics.size() * sizeof(double),
              "a field of LossStatistics is missing here");

}  // namespace

json to_json(const algorithms::Step& step) {
  json groups = json::array();
  for (const auto& group : step.groups) {
    json samples = json::array();
    for (const auto& sample : group.samples) samples.push_back(to_json(sample));
    groups.push_back({{"prompt_id", group.prompt_id},
                      {"prompt_index", group.prompt_index},
                      {"prompt_ids", group.prompt_ids},
                      {"reference_pass_rate", optional_json(group.reference_pass_rate)},
                      {"dropped", group.dropped},
                      {"samples", std::move(samples)}});
  }
  return {{"seed", step.seed},
          {"index", step.index},
          {"max_completion_tokens", step.max_completion_tokens},
          {"groups", std::move(groups)}};
}

algorithms::Step step_from_json(const json& j) {
  algorithms::Step step;
  step.seed = j.at("seed");
  step.index = j.at("index");
  step.max_completion_tokens = j.at("max_completion_tokens");
  for (const auto& g : j.at("groups")) {
    algorithms::Group group;
    group.prompt_id = g.at("prompt_id");
    group.prompt_index = g.at("prompt_index");
    group.prompt_ids = g.at("prompt_ids").get<std::vector<int32_t>>();
    group.reference_pass_rate = optional_from<double>(g.at("reference_pass_rate"));
    group.dropped = g.at("dropped");
    for (const auto& s : g.at("samples")) group.samples.push_back(sample_from_json(s));
    step.groups.push_back(std::move(group));
  }
  return step;
}

json to_json(const LossStatistics& statistics) {
  json j = json::object();
  for (const auto& [name, field] : kStatistics) j[name] = statistics.*field;
  return j;
}

LossStatistics statistics_from_json(const json& j) {
  LossStatistics statistics;
  for (const auto& [name, field] : kStatistics) statistics.*field = j.at(name);
  return statistics;
}

}  // namespace laconic::trainers
