#include "laconic/algorithms/s_grpo.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "laconic/algorithms/advantages.h"
#include "laconic/algorithms/method_checks.h"
#include "laconic/core/base/error.h"
#include "laconic/core/base/rng.h"

namespace laconic::algorithms {
namespace {

constexpr const char* kFull = "full";
constexpr const char* kExit = "exit";

// A cut-off answer is wrong, whatever stands in it.
bool is_right(const Sample& sample) {
  return sample.verdict.correct && !sample.truncated;
}

// Tokens that may be kept: the thinking, or where it was not closed all that was generated, without the end token.
int64_t thinking_tokens(const Sample& full) {
  if (full.thinking_end) return *full.thinking_end;
  return full.truncated ? full.length : full.length - 1;
}

}  // namespace

void SGrpoConfig::visit(config::Visitor& v) {
  v.field("inducer", inducer,
          {.help = "text that ends the kept thinking and lets the answer begin; its tokens are appended as they are"});
  v.choice(
      "inducer_loss", inducer_loss,
      {{"all", InducerLoss::all}, {"none", InducerLoss::none}, {"close_tag_only", InducerLoss::close_tag_only}},
      {.help = "inducer tokens in the loss. all is the paper read literally, and teaches the model to say the phrase "
               "that it did not sample; with none, shortening comes from late thinking alone. Not verified"});
  v.field("full_in_loss", full_in_loss,
          {.help = "whether the full completion is trained on and counts in the group; false leaves its exits alone"});
  v.field("decay", decay,
          {.help = "each further right answer is worth this factor less; 1 = all alike (an ablation of the paper)",
           .min = 1.0});
  v.choice("short_thinking", short_thinking,
           {{"fewer_exits", ShortThinking::fewer_exits}, {"repeat", ShortThinking::repeat}},
           {.help = "thinking of fewer tokens than exits: one exit per token, or positions drawn with repetition. Not "
                    "verified"});
  v.field("answer_max_tokens", answer_max_tokens,
          {.help = "limit of an exit's answer, the inducer not counted; null = what the run's limit leaves",
           .min = 1.0,
           .unit = "tokens"});
  v.check(!inducer.empty(), "inducer", "expected the text that ends the thinking, found nothing");
}

void SGrpoConfig::check(config::Visitor& v, const ObjectiveConfig& common) const {
  check_own_reward(v, common);
  v.check(
      common.filter.keep != KeepRule::mixed_correct, "filter.keep, name",
      "groups in which every completion is right carry the method's signal; mixed_correct would drop them (expected "
      "any_exit_correct or all)");
  v.check(full_in_loss || common.group_size > 2, "group_size, s_grpo.full_in_loss",
          "without the full completion at least two exits are needed: group_size of 3 or more");
}

std::vector<size_t> serial_order(const Group& group) {
  const auto& samples = group.samples;
  std::vector<size_t> order(samples.size());
  std::iota(order.begin(), order.end(), size_t{0});
  const auto place = [&](size_t i) {
    if (samples[i].kind == kFull) return std::numeric_limits<int64_t>::max();
    return samples[i].exit_position.value_or(0);
  };
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return place(a) < place(b); });
  return order;
}

std::vector<int64_t> exit_positions(int64_t thinking_tokens, int64_t count, ShortThinking rule, uint64_t seed,
                                    uint64_t step, uint64_t prompt) {
  std::vector<int64_t> positions;
  if (thinking_tokens <= 0) return positions;
  Rng rng(DrawPurpose::exit_position, {seed, step, prompt});
  const auto n = static_cast<uint32_t>(thinking_tokens);
  if (rule == ShortThinking::repeat && thinking_tokens < count) {
    for (int64_t i = 0; i < count; ++i) positions.push_back(1 + static_cast<int64_t>(rng.below(n)));
  } else {
    std::vector<int64_t> all(n);
    std::iota(all.begin(), all.end(), int64_t{1});
    rng.shuffle(all);
    all.resize(static_cast<size_t>(std::min(thinking_tokens, count)));
    positions = std::move(all);
  }
  std::sort(positions.begin(), positions.end());
  return positions;
}

void SGrpo::prepare(const RunFacts& run) {
  inducer_ids_ = run.encode(own_.inducer);
  limit_ = run.max_completion_tokens;
  if (!run.thinking_end_id)
    fail(ErrorKind::unsupported, "objective `s_grpo` needs a tokenizer with the token </think>, which this one lacks");
  if (std::count(inducer_ids_.begin(), inducer_ids_.end(), *run.thinking_end_id) != 1) {
    fail(ErrorKind::usage, "objective.s_grpo.inducer: expected a text with </think> in it exactly once, found `{}`",
         own_.inducer);
  }
  const auto inducer = static_cast<int64_t>(inducer_ids_.size());
  if (inducer + 1 >= limit_)
    fail(ErrorKind::usage, "rollout.max_tokens: {} leaves no room for an exit with the {} tokens of the inducer",
         limit_, inducer);
}

std::vector<PlannedRequest> SGrpo::plan(const Group& /*prompt*/, uint64_t /*step*/) const {
  PlannedRequest full;
  full.kind = kFull;
  return {full};
}

std::vector<PlannedContinuation> SGrpo::next_round(const Group& group, int round, uint64_t seed, uint64_t step) const {
  LACONIC_CHECK(!inducer_ids_.empty(), "prepare() comes before next_round()");
  if (round != 1) return {};
  const auto inducer = static_cast<int64_t>(inducer_ids_.size());
  // A cut at the very end of a truncated completion would leave no room for an answer.
  const int64_t thinking = std::min(thinking_tokens(group.samples.front()), limit_ - inducer - 1);
  std::vector<PlannedContinuation> exits;
  for (int64_t keep :
       exit_positions(thinking, config().group_size - 1, own_.short_thinking, seed, step, group.prompt_index)) {
    PlannedContinuation next;
    next.keep = keep;
    next.kind = kExit;
    next.forced = inducer_ids_;
    if (own_.answer_max_tokens) next.max_tokens = inducer + *own_.answer_max_tokens;
    exits.push_back(std::move(next));
  }
  return exits;
}

void SGrpo::rewards(Step& step) {
  for (auto& group : step.groups) {
    int right_so_far = 0;
    for (size_t i : serial_order(group)) {
      Sample& sample = group.samples[i];
      if (is_right(sample)) ++right_so_far;
      sample.reward = sample.given_reward ? *sample.given_reward
                                          : (is_right(sample) ? std::pow(own_.decay, -(right_so_far - 1)) : 0.0);
    }
  }
  shape_rewards(step);
}

void SGrpo::advantages(Step& step) {
  if (own_.full_in_loss) {
    Objective::advantages(step);
  } else {
    Step exits = step;  // the full completions have no part in the statistics
    for (auto& group : exits.groups) std::erase_if(group.samples, [](const Sample& s) { return s.kind == kFull; });
    Objective::advantages(exits);
    for (size_t g = 0; g < step.groups.size(); ++g) {
      auto exit = exits.groups[g].samples.begin();
      for (auto& sample : step.groups[g].samples) {
        const bool full = sample.kind == kFull;
        sample.weight = full ? 0.0 : 1.0;
        sample.advantage = full ? std::vector<double>(1, 0.0) : (exit++)->advantage;
      }
    }
  }
  for (auto& group : step.groups) {
    for (auto& sample : group.samples) mask_inducer(sample);
  }
}

void SGrpo::mask_inducer(Sample& sample) const {
  if (own_.inducer_loss == InducerLoss::all || sample.forced.empty()) return;
  const auto length = static_cast<size_t>(sample.length);
  if (sample.loss_mask.empty()) sample.loss_mask.assign(length, 1);
  for (size_t t = 0; t < length; ++t) {
    const bool close_tag = sample.thinking_end && static_cast<int64_t>(t) == *sample.thinking_end;
    const bool kept = own_.inducer_loss == InducerLoss::close_tag_only && close_tag;
    if (sample.forced[t] != 0 && !kept) sample.loss_mask[t] = 0;
  }
}

Metrics SGrpo::metrics(const Step& step) const {
  std::vector<std::vector<double>> right_by_exit;  // in the order of the cuts
  std::vector<double> full_right, kept_share, full_tokens, answer_tokens, right_in_group;
  for (const auto& group : step.groups) {
    size_t exit = 0;
    double right = 0;
    const auto full = std::find_if(group.samples.begin(), group.samples.end(),
                                   [](const Sample& sample) { return sample.kind == kFull; });
    for (size_t i : serial_order(group)) {
      const Sample& sample = group.samples[i];
      right += is_right(sample);
      if (sample.kind == kFull) {
        full_right.push_back(is_right(sample));
        full_tokens.push_back(static_cast<double>(sample.length));
        continue;
      }
      if (right_by_exit.size() <= exit) right_by_exit.emplace_back();
      right_by_exit[exit++].push_back(is_right(sample));
      if (!sample.exit_position) continue;
      const auto thinking = full == group.samples.end() ? int64_t{0} : thinking_tokens(*full);
      if (thinking > 0)
        kept_share.push_back(static_cast<double>(*sample.exit_position) / static_cast<double>(thinking));
      answer_tokens.push_back(static_cast<double>(sample.length - *sample.exit_position));
    }
    right_in_group.push_back(right);
  }
  Metrics values;
  const auto add = [&](const char* name, const std::vector<double>& list) {
    if (!list.empty()) values.emplace_back(name, mean_of(list));  // no group may have been kept
  };
  add("s_grpo/full_right", full_right);
  add("s_grpo/full_tokens", full_tokens);
  add("s_grpo/right_per_group", right_in_group);
  add("s_grpo/exit_place", kept_share);
  add("s_grpo/exit_new_tokens", answer_tokens);
  for (size_t exit = 0; exit < right_by_exit.size(); ++exit)
    values.emplace_back(fmt::format("s_grpo/exit_{}_right", exit + 1), mean_of(right_by_exit[exit]));
  return values;
}

Method s_grpo_method() {
  return method_of<SGrpo, SGrpoConfig>(
      "s_grpo", "S-GRPO: exits from one completion's thinking; the earlier the right answer, the more it is worth",
      [](ObjectiveConfig& common) {
        common.group_size = 9;
        common.advantage.kind = AdvantageKind::center;
        common.filter.keep = KeepRule::any_exit_correct;
        common.filter.max_rounds = 3;
      });
}

}  // namespace laconic::algorithms
