#include "laconic/trainers/external_stage.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "laconic/core/base/strings.h"

namespace laconic::trainers {
namespace {

using rewards::Json;

Json messages_json(const Prompt& prompt) {
  Json list = Json::array();
  for (const auto& message : prompt.messages) list.push_back({{"role", message.role}, {"content", message.content}});
  if (list.empty()) list.push_back({{"role", "user"}, {"content", prompt.text}});
  return list;
}

// What the external rewards say of a sample, as a verdict: right when they add up to enough.
rewards::Verdict verdict_of(const algorithms::Sample& sample, const std::vector<std::string>& names, double enough) {
  double sum = 0;
  for (const auto& name : names) {
    const auto value = sample.named_rewards.find(name);
    if (value != sample.named_rewards.end()) sum += value->second;
  }
  rewards::Verdict verdict;
  verdict.correct = sum >= enough;
  verdict.format_ok = !sample.truncated;
  verdict.answer_found = true;
  verdict.truncated = sample.truncated;
  verdict.reason = fmt::format("the reward is {:.4g}", sum);
  return verdict;
}

// The terms that a verdict enters; each needs lengths alone besides.
void renew_terms(const Judge& judge, int64_t limit, algorithms::Sample& sample) {
  const rewards::TermInput input{{}, {}, sample.ids, sample.length, limit, &sample.verdict};
  for (const char* name : {"correct", "answer_found", "cosine_length"}) {
    const auto term = sample.named_rewards.find(name);
    if (term != sample.named_rewards.end()) term->second = rewards::term(name, input, judge.term_options);
  }
}

// A name that the user chose, as metrics are named.
std::string metric_name(std::string name) {
  name = to_lower(name);
  std::replace_if(
      name.begin(), name.end(), [](char c) { return !((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')); }, '_');
  return name.empty() ? "_" : name;
}

}  // namespace

rewards::Batch batch_of(const Prompt& prompt, const algorithms::Group& group, size_t first,
                        std::vector<std::string> texts, const Judge& judge) {
  rewards::Batch batch;
  batch.prompt_id = prompt.id;
  batch.conversation = judge.external.form == ConversationForm::messages ||
                       (judge.external.form == ConversationForm::automatic && !prompt.messages.empty());
  batch.columns = prompt.columns;
  if (!judge.external.gold_column.empty()) batch.columns[judge.external.gold_column] = prompt.answer;
  batch.step = judge.external.step;
  batch.steps = judge.external.steps;
  const Json messages = batch.conversation ? messages_json(prompt) : Json();
  for (size_t i = first; i < group.samples.size(); ++i) {
    const auto& suffix = group.samples[i].prompt_suffix;
    Json asked = messages;
    if (!batch.conversation) asked = suffix.empty() ? prompt.text : prompt.text + judge.tokenizer->decode(suffix);
    batch.samples.push_back({std::move(asked), std::move(texts[i - first]), group.samples[i].ids});
  }
  return batch;
}

void take_rewards(const rewards::BatchRewards& rewards, size_t first, int64_t limit, const Judge& judge,
                  algorithms::Group& group) {
  group.dropped |= rewards.dropped;
  for (const auto& [name, values] : rewards.values) {
    for (size_t i = 0; i < values.size(); ++i) {
      auto& sample = group.samples[first + i];
      if (values[i]) {
        sample.named_rewards[name] = *values[i];
      } else {
        sample.inapplicable.push_back(name);
      }
    }
  }
  if (!judge.external.correct_from) return;
  for (size_t i = first; i < group.samples.size(); ++i) {
    auto& sample = group.samples[i];
    sample.verdict = verdict_of(sample, judge.external.rewards->names(), *judge.external.correct_from);
    renew_terms(judge, limit, sample);
  }
}

void add_external_metrics(const rewards::ExternalStatistics& s, NamedValues& values) {
  if (const int64_t failures = s.all_failures(); failures > 0) {
    values.emplace_back("reward/failures", static_cast<double>(failures));
    for (size_t i = 0; i < rewards::kFailureKinds; ++i) {
      if (s.failures[i] > 0)
        values.emplace_back(std::string("reward_failures/") + to_string(static_cast<rewards::FailureKind>(i)),
                            static_cast<double>(s.failures[i]));
    }
  }
  for (const auto& [name, count] :
       {std::pair{"reward_failures/noise_lines", s.noise_lines}, std::pair{"reward_failures/restarts", s.restarts},
        std::pair{"reward_failures/dropped_groups", s.dropped}, std::pair{"reward_failures/zeroed_groups", s.zeroed}}) {
    if (count > 0) values.emplace_back(name, static_cast<double>(count));
  }
  for (const auto& [name, sum] : s.logged)
    values.emplace_back("reward_log/" + metric_name(name), sum.first / static_cast<double>(sum.second));
}

nlohmann::json to_json(const rewards::ExternalStatistics& s) {
  return {s.batches, s.seconds, s.failures, s.noise_lines, s.restarts, s.dropped, s.zeroed, s.logged};
}

rewards::ExternalStatistics external_statistics_from_json(const nlohmann::json& j) {
  rewards::ExternalStatistics s;
  s.batches = j.at(0);
  s.seconds = j.at(1);
  s.failures = j.at(2).get<decltype(s.failures)>();
  s.noise_lines = j.at(3);
  s.restarts = j.at(4);
  s.dropped = j.at(5);
  s.zeroed = j.at(6);
  s.logged = j.at(7).get<decltype(s.logged)>();
  return s;
}

}  // namespace laconic::trainers
