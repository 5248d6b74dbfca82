#include "laconic/algorithms/adapt_think.h"

#include <algorithm>
#include <cmath>

#include "laconic/algorithms/advantages.h"
#include "laconic/algorithms/method_checks.h"
#include "laconic/algorithms/shaping.h"
#include "laconic/core/base/error.h"
#include "laconic/core/base/rng.h"

namespace laconic::algorithms {
namespace {

constexpr const char* kNoThinking = "no_thinking";
constexpr const char* kThinking = "thinking";

// While training a completion answers at once because it was made to; elsewhere because it begins with the end of
// thinking.
bool answers_at_once(const Sample& sample) {
  return sample.kind.empty() ? sample.thinking_end == 0 : sample.kind == kNoThinking;
}

// R: right, with exactly one end of thinking. A completion of either kind whose tokens hold none was never closed.
bool is_right(const Sample& sample) {
  const bool never_closed = !sample.kind.empty() && !sample.ids.empty() && !sample.thinking_end;
  return !never_closed && right_and_closed_once(sample);
}

}  // namespace

void AdaptThinkConfig::visit(config::Visitor& v) {
  v.field("delta", delta, {.help = "how much accuracy answering at once may cost: its advantage", .min = 0.0});
  v.field(
      "no_thinking_share", no_thinking_share,
      {.help = "share of a prompt's completions that must answer at once, and the probability that stands for their "
               "first token's old one",
       .min = 0.0,
       .max = 1.0,
       .exclusive_min = true,
       .exclusive_max = true});
  v.choice("split", split, {{"fixed", KindSplit::fixed}, {"random", KindSplit::random}},
           {.help = "the same number of each kind for every prompt (code), or a draw for each completion (paper)"});
  v.field("start_words", start_words,
          {.help = "what a completion that must think begins with. Of several, the first one whose tokens stand in the "
                   "prompt, else the last"});
  v.field("no_thinking_max_tokens", no_thinking_max_tokens,
          {.help = "limit of a completion that must answer at once, its forced token included; null = the run's",
           .min = 1.0,
           .unit = "tokens"});
  v.field("thinking_max_tokens", thinking_max_tokens,
          {.help = "limit of a completion that must think, its forced tokens included; null = the run's",
           .min = 1.0,
           .unit = "tokens"});
  v.check(!start_words.empty(), "start_words", "expected at least one word");
}

void AdaptThinkConfig::check(config::Visitor& v, const ObjectiveConfig& common) const {
  check_own_reward(v, common);
  check_keeps_all_correct(v, common);
  v.check(common.advantage.kind == AdvantageKind::supplied, "advantage.kind, name",
          "the reference pass rate is the baseline, group statistics would be a second one; expected supplied");
  const auto planned = static_cast<int>(std::lround(no_thinking_share * common.group_size));
  v.check(split == KindSplit::random || (planned > 0 && planned < common.group_size),
          "group_size, adaptthink.no_thinking_share", "a fixed split needs completions of both kinds");
}

void AdaptThink::prepare(const RunFacts& run) {
  seed_ = run.seed;
  if (!run.thinking_end_id)
    fail(ErrorKind::unsupported, "objective `{}` needs a tokenizer with the token </think>, which this one lacks",
         config().name);
  thinking_end_id_ = run.thinking_end_id;
  start_ids_.clear();
  for (const auto& word : own_.start_words) {
    start_ids_.push_back(run.encode(word));
    if (start_ids_.back().empty())
      fail(ErrorKind::usage, "objective.{}.start_words: `{}` has no tokens", config().name, word);
  }
}

Needs AdaptThink::needs() const {
  Needs needs = Objective::needs();
  needs.reference_pass_rate = true;
  return needs;
}

const std::vector<int32_t>& AdaptThink::start_ids(const Group& prompt) const {
  const auto& ids = prompt.prompt_ids;
  const auto in_prompt = [&](const std::vector<int32_t>& word) {
    return std::search(ids.begin(), ids.end(), word.begin(), word.end()) != ids.end();
  };
  const auto found = std::find_if(start_ids_.begin(), start_ids_.end(), in_prompt);
  return found == start_ids_.end() ? start_ids_.back() : *found;
}

std::vector<PlannedRequest> AdaptThink::plan(const Group& prompt, uint64_t step) const {
  LACONIC_CHECK(thinking_end_id_.has_value(), "prepare() comes before plan()");
  const int group = config().group_size;
  int at_once = static_cast<int>(std::lround(own_.no_thinking_share * group));
  if (own_.split == KindSplit::random) {
    at_once = 0;
    for (int i = 0; i < group; ++i) {
      const DrawIdentity identity{seed_, step, prompt.prompt_index, static_cast<uint32_t>(i)};
      at_once += uniform_draw(identity, DrawPurpose::completion_kind, 0) < own_.no_thinking_share;
    }
  }
  std::vector<PlannedRequest> requests;
  if (at_once > 0) requests.push_back({at_once, kNoThinking, {}, {*thinking_end_id_}, own_.no_thinking_max_tokens});
  if (at_once < group)
    requests.push_back({group - at_once, kThinking, {}, start_ids(prompt), own_.thinking_max_tokens});
  return requests;
}

double AdaptThink::pass_rate(const Group& group) const {
  if (group.reference_pass_rate) return *group.reference_pass_rate;
  const auto found = pass_rates_.find(group.prompt_id);
  if (found == pass_rates_.end()) {
    fail(ErrorKind::input, "the objective needs `reference_pass_rate` of every prompt; prompt {} has none",
         group.prompt_id);
  }
  return found->second;
}

void AdaptThink::rewards(Step& step) {
  for (auto& group : step.groups) {
    for (auto& sample : group.samples) {
      sample.reward = sample.given_reward ? *sample.given_reward
                                          : (answers_at_once(sample) ? own_.delta : 0.0) +
                                                (is_right(sample) ? 1.0 : 0.0) - pass_rate(group);
    }
  }
  shape_rewards(step);
}

void AdaptThink::advantages(Step& step) {
  Objective::advantages(step);
  for (auto& group : step.groups) {
    for (auto& sample : group.samples) {
      sample.old_logp_override.clear();
      if (sample.kind.empty() || sample.length == 0) continue;
      const double share = sample.kind == kNoThinking ? own_.no_thinking_share : 1.0 - own_.no_thinking_share;
      sample.old_logp_override.emplace_back(0, std::log(share));
    }
  }
}

Metrics AdaptThink::metrics(const Step& step) const {
  std::vector<double> right_at_once, right_thinking, advantage, tokens_at_once, tokens_thinking, rates;
  std::vector<double> first_at_once, first_thinking;  // the policy's probability of the forced first token
  for (const auto& group : step.groups) {
    for (const auto& sample : group.samples) {
      const bool at_once = answers_at_once(sample);
      (at_once ? right_at_once : right_thinking).push_back(is_right(sample));
      (at_once ? tokens_at_once : tokens_thinking).push_back(static_cast<double>(sample.length));
      advantage.push_back(mean_of(sample.advantage));
      if (!sample.kind.empty() && !sample.logp_rollout.empty())
        (at_once ? first_at_once : first_thinking).push_back(std::exp(sample.logp_rollout.front()));
    }
    if (group.reference_pass_rate || pass_rates_.contains(group.prompt_id)) rates.push_back(pass_rate(group));
  }
  const auto all = static_cast<double>(right_at_once.size() + right_thinking.size());
  const std::string& name = config().name;
  Metrics values = {{name + "/no_thinking_share", all > 0 ? static_cast<double>(right_at_once.size()) / all : 0.0},
                    {name + "/advantage_mean", mean_of(advantage)},
                    {name + "/reference_pass_rate", mean_of(rates)}};
  const auto add = [&](const char* key, const std::vector<double>& list) {
    if (!list.empty()) values.emplace_back(name + "/" + key, mean_of(list));
  };
  add("accuracy_no_thinking", right_at_once);
  add("accuracy_thinking", right_thinking);
  add("tokens_no_thinking", tokens_at_once);
  add("tokens_thinking", tokens_thinking);
  add("probability_no_thinking", first_at_once);
  add("probability_start_word", first_thinking);
  return values;
}

nlohmann::json AdaptThink::state() const {
  nlohmann::json state = nlohmann::json::object();
  if (!pass_rates_.empty()) state["pass_rates"] = pass_rates_;
  return state;
}

void AdaptThink::restore(const nlohmann::json& state) {
  for (const auto& entry : state.items()) {
    if (entry.key() != "pass_rates")
      fail(ErrorKind::input, "state of `{}`: unknown field `{}`; there is pass_rates", config().name, entry.key());
    for (const auto& rate : entry.value().items()) {
      if (!rate.value().is_number())
        fail(ErrorKind::input, "state.pass_rates.{}: expected a number, found {}", rate.key(), rate.value().dump());
      pass_rates_[rate.key()] = rate.value().get<double>();
    }
  }
}

Method adapt_think_method() {
  return method_of<AdaptThink, AdaptThinkConfig>("adaptthink", "AdaptThink: learns which prompts need thinking at all",
                                                 [](ObjectiveConfig& common) {
                                                   common.group_size = 16;
                                                   common.advantage.kind = AdvantageKind::supplied;
                                                   common.loss.ratio = RatioKind::sequence_mean;
                                                 });
}

}  // namespace laconic::algorithms
