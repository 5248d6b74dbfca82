#include "laconic/algorithms/recorded_step.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>

#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>
#include <string_view>
#include <vector>

#include "laconic/algorithms/registry.h"
#include "laconic/algorithms/token_batch.h"
#include "laconic/core/base/error.h"
#include "laconic/core/base/strings.h"
#include "laconic/core/config/config.h"

namespace laconic::algorithms {
namespace {

using Json = nlohmann::ordered_json;

template <size_t N>
void reject_unknown(const Json& object, const std::array<const char*, N>& known, const std::string& where) {
  const std::vector<std::string> names(known.begin(), known.end());
  if (!object.is_object()) fail(ErrorKind::input, "{}: expected an object, found {}", where, object.type_name());
  for (const auto& [key, value] : object.items()) {
    if (std::find(names.begin(), names.end(), key) == names.end()) {
      fail(ErrorKind::input, "{}: unknown field `{}`{}", where, key, did_you_mean(key, names));
    }
  }
}

template <typename T>
T value_of(const Json& json, const std::string& where, const char* expected) {
  try {
    return json.get<T>();
  } catch (const nlohmann::json::exception&) {
    fail(ErrorKind::input, "{}: expected {}, found {}", where, expected, json.type_name());
  }
}

std::vector<double> numbers(const Json& object, const char* key, const std::string& where) {
  const auto found = object.find(key);
  if (found == object.end() || found->is_null()) return {};
  if (!found->is_array())
    fail(ErrorKind::input, "{}.{}: expected a list of numbers, found {}", where, key, found->type_name());
  std::vector<double> values;
  for (const auto& item : *found) {
    if (!item.is_number() && !item.is_boolean())
      fail(ErrorKind::input, "{}.{}: expected a list of numbers, found {} in it", where, key, item.type_name());
    values.push_back(item.is_boolean() ? (item.get<bool>() ? 1.0 : 0.0) : item.get<double>());
  }
  return values;
}

std::vector<uint8_t> flags(const Json& object, const char* key, const std::string& where) {
  std::vector<uint8_t> result;
  for (double v : numbers(object, key, where)) {
    if (v != 0.0 && v != 1.0) fail(ErrorKind::input, "{}.{}: expected 0 or 1, found {}", where, key, v);
    result.push_back(v != 0.0);
  }
  return result;
}

std::optional<int64_t> optional_index(const Json& object, const char* key, const std::string& where) {
  const auto found = object.find(key);
  if (found == object.end() || found->is_null()) return std::nullopt;
  if (!found->is_number_integer())
    fail(ErrorKind::input, "{}.{}: expected a whole number or null, found {}", where, key, found->dump());
  return found->get<int64_t>();
}

// A sample with the recorded logprobs under the policy.
struct RecordedSample {
  Sample sample;
  std::vector<double> logp;
};

void read_verdict(const Json& object, const std::string& where, Sample& sample) {
  if (!object.contains("verdict") || object["verdict"].is_null()) return;
  const Json& verdict = object["verdict"];
  reject_unknown(verdict, std::array{"correct", "format_ok", "answer_found", "truncated", "answer", "reason"},
                 where + ".verdict");
  const auto flag = [&](const char* key, bool absent) {
    return verdict.contains(key)
               ? value_of<bool>(verdict[key], fmt::format("{}.verdict.{}", where, key), "true or false")
               : absent;
  };
  if (!verdict.contains("correct"))
    fail(ErrorKind::input, "{}.verdict.correct: expected true or false, found nothing", where);
  sample.verdict.correct = flag("correct", false);
  sample.truncated = sample.truncated || flag("truncated", false);
  sample.verdict.truncated = sample.truncated;
  sample.verdict.format_ok = flag("format_ok", !sample.truncated);  // as verifiers have it: never when cut off
  sample.verdict.answer_found = flag("answer_found", true);
}

void read_length(const Json& object, const std::string& where, RecordedSample& recorded) {
  Sample& sample = recorded.sample;
  const auto given = optional_index(object, "length", where);
  const std::array<std::pair<const char*, size_t>, 6> arrays = {{{"logp", recorded.logp.size()},
                                                                 {"logp_old", sample.logp_old.size()},
                                                                 {"ids", sample.ids.size()},
                                                                 {"entropy", sample.entropy.size()},
                                                                 {"logp_rollout", sample.logp_rollout.size()},
                                                                 {"logp_ref", sample.logp_ref.size()}}};
  const char* source = "length";
  sample.length = given.value_or(0);
  bool known = given.has_value();
  for (const auto& [name, size] : arrays) {
    if (size == 0) continue;
    if (known && static_cast<size_t>(sample.length) != size) {
      fail(ErrorKind::input, "{}: {} has {} values, but {} says {} tokens", where, name, size, source, sample.length);
    }
    sample.length = static_cast<int64_t>(size);
    known = true;
    source = name;
  }
  if (sample.length < 0) fail(ErrorKind::input, "{}.length: expected a number >= 0, found {}", where, sample.length);
  const auto check = [&](const char* name, size_t size) {
    if (size != 0 && size != static_cast<size_t>(sample.length)) {
      fail(ErrorKind::input, "{}: {} has {} values, expected {}", where, name, size, sample.length);
    }
  };
  check("mask", sample.loss_mask.size());
  check("forced", sample.forced.size());
  const int64_t end = sample.thinking_end.value_or(0);
  if (end < 0 || (sample.thinking_end && known && end >= sample.length))
    fail(ErrorKind::input, "{}.thinking_end: expected the index of a token of {}, found {}", where, sample.length, end);
  if (sample.exit_position.value_or(0) < 0)
    fail(ErrorKind::input, "{}.exit_position: expected a number >= 0, found {}", where, *sample.exit_position);
}

RecordedSample read_sample(const Json& object, const std::string& where) {
  reject_unknown(
      object,
      std::array{"reward", "rewards", "verdict", "finish_reason", "ids", "length", "thinking_end", "kind",
                 "exit_position", "logp", "logp_old", "logp_ref", "logp_rollout", "entropy", "mask", "forced", "id"},
      where);
  RecordedSample recorded;
  Sample& sample = recorded.sample;
  if (object.contains("reward") && !object["reward"].is_null())
    sample.given_reward = value_of<double>(object["reward"], where + ".reward", "a number");
  if (object.contains("rewards")) {
    for (const auto& [name, value] : object["rewards"].items())
      sample.named_rewards[name] = value_of<double>(value, where + ".rewards." + name, "a number");
  }
  if (object.contains("finish_reason")) {
    const auto reason =
        value_of<std::string>(object["finish_reason"], where + ".finish_reason", "stop, length or cancelled");
    if (reason != "stop" && reason != "length" && reason != "cancelled") {
      fail(ErrorKind::input, "{}.finish_reason: expected stop, length or cancelled, found {}", where, reason);
    }
    sample.truncated = reason == "length";
  }
  read_verdict(object, where, sample);
  for (double id : numbers(object, "ids", where)) {
    if (id != std::floor(id) || id < 0 || id > std::numeric_limits<int32_t>::max())
      fail(ErrorKind::input, "{}.ids: expected token ids, found {}", where, id);
    sample.ids.push_back(static_cast<int32_t>(id));
  }
  sample.thinking_end = optional_index(object, "thinking_end", where);
  sample.exit_position = optional_index(object, "exit_position", where);
  if (object.contains("kind")) {
    sample.kind = value_of<std::string>(object["kind"], where + ".kind", "a word");
    const std::vector<std::string> kinds = {"thinking", "no_thinking", "exit", "full", ""};
    if (std::find(kinds.begin(), kinds.end(), sample.kind) == kinds.end()) {
      fail(ErrorKind::input, "{}.kind: expected thinking, no_thinking, exit or full, found {}{}", where, sample.kind,
           did_you_mean(sample.kind, kinds));
    }
  }
  recorded.logp = numbers(object, "logp", where);
  sample.logp_old = numbers(object, "logp_old", where);
  sample.logp_ref = numbers(object, "logp_ref", where);
  sample.logp_rollout = numbers(object, "logp_rollout", where);
  sample.entropy = numbers(object, "entropy", where);
  sample.loss_mask = flags(object, "mask", where);
  sample.forced = flags(object, "forced", where);
  read_length(object, where, recorded);
  return recorded;
}

struct RecordedStep {
  Step step;
  std::vector<std::vector<std::vector<double>>> logp;  // [group][sample][token]
  bool has_logp = false;
};

RecordedStep read_step(const Json& input) {
  RecordedStep recorded;
  if (input.contains("max_completion_tokens")) {
    const Json& limit = input["max_completion_tokens"];
    if (!limit.is_number_integer() || limit.get<int64_t>() < 0)
      fail(ErrorKind::input, "max_completion_tokens: expected a whole number >= 0, found {}", limit.dump());
    recorded.step.max_completion_tokens = limit.get<int64_t>();
  }
  if (input.contains("seed")) recorded.step.seed = value_of<uint64_t>(input["seed"], "seed", "a whole number");
  if (input.contains("step")) recorded.step.index = value_of<uint64_t>(input["step"], "step", "a whole number");
  if (!input.contains("groups") || !input["groups"].is_array())
    fail(ErrorKind::input, "groups: expected a list of groups, found {}",
         input.contains("groups") ? input["groups"].type_name() : "nothing");
  size_t with = 0, all = 0;
  for (size_t g = 0; g < input["groups"].size(); ++g) {
    const Json& object = input["groups"][g];
    const std::string where = fmt::format("groups[{}]", g);
    reject_unknown(object, std::array{"prompt_id", "reference_pass_rate", "completions"}, where);
    Group group;
    group.prompt_id =
        object.contains("prompt_id")
            ? (object["prompt_id"].is_string() ? object["prompt_id"].get<std::string>() : object["prompt_id"].dump())
            : std::to_string(g);
    group.prompt_index = g;
    if (object.contains("reference_pass_rate") && !object["reference_pass_rate"].is_null()) {
      group.reference_pass_rate =
          value_of<double>(object["reference_pass_rate"], where + ".reference_pass_rate", "a number");
      if (!(*group.reference_pass_rate >= 0 && *group.reference_pass_rate <= 1))
        fail(ErrorKind::input, "{}.reference_pass_rate: expected a number from 0 to 1, found {}", where,
             *group.reference_pass_rate);
    }
    if (!object.contains("completions") || !object["completions"].is_array())
      fail(ErrorKind::input, "{}.completions: expected a list", where);
    recorded.logp.emplace_back();
    for (size_t i = 0; i < object["completions"].size(); ++i) {
      auto sample = read_sample(object["completions"][i], fmt::format("{}.completions[{}]", where, i));
      ++all;
      with += object["completions"][i].contains("logp");
      recorded.logp.back().push_back(std::move(sample.logp));
      group.samples.push_back(std::move(sample.sample));
    }
    recorded.step.groups.push_back(std::move(group));
  }
  if (with != 0 && with != all)
    fail(ErrorKind::input, "logp is given for {} of {} completions; expected all or none", with, all);
  recorded.has_logp = with != 0;
  return recorded;
}

// What rewards and filters are made of must stand in the line: nothing takes the place of an absent verdict.
void check_judged(const ObjectiveConfig& config, const Json& input) {
  const bool filtered = config.filter.keep != KeepRule::all && config.filter.keep != KeepRule::reward_variance;
  const auto has = [](const Json& object, const char* key) { return object.contains(key) && !object[key].is_null(); };
  for (size_t g = 0; g < input["groups"].size(); ++g) {
    const Json& completions = input["groups"][g]["completions"];
    for (size_t i = 0; i < completions.size(); ++i) {
      const Json& one = completions[i];
      if (has(one, "verdict")) continue;
      const std::string where = fmt::format("groups[{}].completions[{}]", g, i);
      if (!has(one, "reward") && (config.reward_weights.empty() || !has(one, "rewards"))) {
        fail(ErrorKind::input, "{}: expected `reward` or `verdict`, found neither{}", where,
             has(one, "rewards") ? " (`rewards` need objective.reward_weights)" : "");
      }
      if (filtered)
        fail(ErrorKind::input, "{}: objective.filter.keep needs the `verdict` of every completion, which is absent",
             where);
    }
  }
}

Json statistics_json(const LossStatistics& s, const Metrics& own) {
  const double tokens = std::max(s.tokens, 1.0);
  Json metrics = {{"policy_loss", s.policy_loss},
                  {"kl_loss", s.kl_loss},
                  {"kl", s.kl_sum / tokens},
                  {"entropy", s.entropy_sum / tokens},
                  {"ratio_mean", s.ratio_sum / tokens},
                  {"ratio_max", s.ratio_max},
                  {"clipped_low", s.clipped_low / tokens},
                  {"clipped_high", s.clipped_high / tokens},
                  {"mismatch_mean", s.mismatch_abs_sum / std::max(s.mismatch_tokens, 1.0)},
                  {"mismatch_max", s.mismatch_abs_max},
                  {"mismatch_kl", s.mismatch_k3_sum / std::max(s.mismatch_tokens, 1.0)},
                  {"sequences_dropped", s.sequences_dropped}};
  if (s.weight_square_sum > 0)
    metrics["effective_sample_size"] = s.weight_sum * s.weight_sum / s.weight_square_sum / tokens;
  for (const auto& [name, value] : own) metrics[name] = value;
  return metrics;
}

// Loss and gradients of the kept groups as one mini-batch.
void add_loss(const Objective& objective, const RecordedStep& recorded, const Step& kept_step,
              const std::vector<bool>& kept, Json& output, LossStatistics& statistics) {
  std::vector<const Group*> groups;
  for (const auto& group : kept_step.groups) groups.push_back(&group);
  auto mini_batch = make_mini_batch(objective.config().loss, groups, kept_step.max_completion_tokens);
  std::vector<std::vector<double>> entropies;
  for (const auto& s : mini_batch.samples) entropies.push_back(s.sample->entropy);
  const bool entropy = objective.config().uses_entropy();
  for (size_t i = 0; entropy && i < entropies.size(); ++i) {
    if (entropies[i].size() != static_cast<size_t>(mini_batch.samples[i].sample->length)) {
      fail(ErrorKind::input,
           "the objective needs `entropy` of every token, which is absent (entropy_bonus or loss.entropy_quantile is "
           "set)");
    }
  }
  select_by_entropy(objective.config().loss, entropies, mini_batch);
  std::vector<int64_t> chosen(mini_batch.samples.size());
  std::iota(chosen.begin(), chosen.end(), 0);
  auto batch = make_token_batch(objective.config().loss, mini_batch, chosen, at::kDouble, at::kCPU);
  std::vector<double> logp, flat_entropy;
  for (size_t g = 0; g < kept.size(); ++g) {
    if (!kept[g]) continue;
    for (const auto& values : recorded.logp[g]) logp.insert(logp.end(), values.begin(), values.end());
  }
  for (const auto& values : entropies) flat_entropy.insert(flat_entropy.end(), values.begin(), values.end());
  batch.logp = at::tensor(logp, at::kDouble).requires_grad_(true);
  if (entropy)
    batch.entropy = at::tensor(flat_entropy, at::kDouble).requires_grad_(true);
  else if (flat_entropy.size() == logp.size())
    batch.entropy = at::tensor(flat_entropy, at::kDouble);
  const auto terms = objective.loss(batch);
  statistics = terms.statistics;
  output["loss"] = terms.loss.item<double>();
  if (terms.loss.requires_grad()) torch::autograd::backward({terms.loss}, {});

  const auto by_token = [&](const at::Tensor& leaf) {
    const auto gradient = leaf.grad().defined() ? leaf.grad() : at::zeros_like(leaf);
    const double* values = gradient.const_data_ptr<double>();
    Json all = Json::array();
    for (size_t g = 0; g < kept.size(); ++g) {
      Json rows = Json::array();
      for (const auto& tokens : recorded.logp[g]) {
        Json row = Json::array();
        for (size_t t = 0; t < tokens.size(); ++t) row.push_back(kept[g] ? *values++ : 0.0);
        rows.push_back(std::move(row));
      }
      all.push_back(std::move(rows));
    }
    return all;
  };
  output["grad"] = by_token(batch.logp);
  if (entropy) output["grad_entropy"] = by_token(batch.entropy);
}

Json advantages_json(const Group& group) {
  Json row = Json::array();
  for (const auto& sample : group.samples) {
    if (sample.advantage.size() == 1)
      row.push_back(sample.advantage.front());
    else
      row.push_back(sample.advantage);
  }
  return row;
}

}  // namespace

Json score_recorded_step(const Json& input) {
  if (!input.is_object()) fail(ErrorKind::input, "expected an object, found {}", input.type_name());
  if (!input.contains("objective"))
    fail(ErrorKind::input, "objective: expected the `objective` section of a configuration, found nothing");
  if (input.contains("updates") && input["updates"] != 1)
    fail(ErrorKind::unsupported, "updates: a recorded step is one update; expected 1, found {}",
         input["updates"].dump());
  ObjectiveSection section;
  config::read_from_json(input["objective"], section, "objective");
  const auto objective = section.make();
  if (input.contains("state") && !input["state"].is_null()) objective->restore(input["state"]);

  auto recorded = read_step(input);
  check_judged(objective->config(), input);
  if (objective->needs().reference_logprobs && recorded.has_logp) {
    for (const auto& group : recorded.step.groups) {
      for (const auto& sample : group.samples) {
        if (sample.logp_ref.empty() && sample.length > 0)
          fail(ErrorKind::input,
               "the objective needs `logp_ref` of every token, which is absent (kl.coefficient is set)");
      }
    }
  }
  objective->rewards(recorded.step);
  std::vector<bool> kept;
  Step kept_step = recorded.step;
  kept_step.groups.clear();
  for (const auto& group : recorded.step.groups) {
    kept.push_back(objective->keep(group));
    if (kept.back()) kept_step.groups.push_back(group);
  }
  if (kept_step.groups.size() != recorded.step.groups.size()) objective->rewards(kept_step);
  objective->advantages(kept_step);

  Json output = {{"kept", kept}, {"rewards", Json::array()}, {"advantages", Json::array()}};
  size_t next = 0;
  for (size_t g = 0; g < kept.size(); ++g) {
    Group group;
    if (kept[g]) {
      group = kept_step.groups[next++];
    } else {  // what a dropped group would have had, on its own
      Step alone = recorded.step;
      alone.groups = {recorded.step.groups[g]};
      objective->advantages(alone);
      group = alone.groups.front();
    }
    Json rewards = Json::array();
    for (const auto& sample : group.samples) rewards.push_back(sample.reward);
    output["rewards"].push_back(std::move(rewards));
    output["advantages"].push_back(advantages_json(group));
  }
  LossStatistics statistics;
  if (recorded.has_logp)
    add_loss(*objective, recorded, kept_step, kept, output, statistics);
  else
    output["loss"] = nullptr;
  output["metrics"] = statistics_json(statistics, objective->metrics(kept_step));
  output["state"] = objective->state();
  return output;
}

}  // namespace laconic::algorithms
