#include "laconic/algorithms/length_targets.h"

#include <algorithm>

#include "laconic/algorithms/outcome_rewards.h"
#include "laconic/core/base/error.h"
#include "laconic/core/base/strings.h"

namespace laconic::algorithms {
namespace {

int64_t longest_of(const Step& step) {
  int64_t longest = 0;
  for (const auto& group : step.groups) {
    for (const auto& sample : group.samples) longest = std::max(longest, sample.length);
  }
  return longest;
}

std::vector<std::string> difficulty_names() {
  std::vector<std::string> names;
  names.reserve(std::size(kDifficulties));
  for (const auto difficulty : kDifficulties) names.emplace_back(to_string(difficulty));
  return names;
}

// The value of each bucket of an object with a key for each; `owner` names the objective in messages.
template <typename Read>
void read_buckets(const nlohmann::json& state, const char* key, const std::string& owner, const Read& read) {
  const std::string where = fmt::format("state.{} of `{}`", key, owner);
  const auto found = state.find(key);
  if (found == state.end() || !found->is_object())
    fail(ErrorKind::input, "{}: expected an object with easy, medium and hard, found {}", where,
         found == state.end() ? "nothing" : found->dump());
  const auto names = difficulty_names();
  for (const auto& entry : found->items()) {
    if (std::find(names.begin(), names.end(), entry.key()) == names.end())
      fail(ErrorKind::input, "{}: unknown bucket `{}`{}; there are {}", where, entry.key(),
           did_you_mean(entry.key(), names), join(names, ", "));
  }
  for (const auto difficulty : kDifficulties) {
    const auto value = found->find(to_string(difficulty));
    const bool absent = value == found->end() || value->is_null();
    if (!absent && (!value->is_number_integer() || value->template get<int64_t>() < 0))
      fail(ErrorKind::input, "{}.{}: expected a number of tokens or null, found {}", where, to_string(difficulty),
           value->dump());
    read(static_cast<size_t>(difficulty),
         absent ? std::optional<int64_t>() : std::optional<int64_t>(value->template get<int64_t>()));
  }
}

}  // namespace

const char* to_string(Difficulty difficulty) {
  switch (difficulty) {
    case Difficulty::easy:
      return "easy";
    case Difficulty::medium:
      return "medium";
    case Difficulty::hard:
      return "hard";
  }
  return "unknown";
}

void TargetConfig::visit(config::Visitor& v) {
  v.field("monitor_every", monitor_every,
          {.help = "steps between monitor passes, which set new targets; the first one is before step 1", .min = 1.0});
  v.field("initial_target_tokens", initial_target_tokens,
          {.help = "target of every bucket where no monitor pass has set one (recorded steps without a state)",
           .min = 1.0,
           .unit = "tokens"});
  v.field("lower_bound_tokens", lower_bound_tokens,
          {.help = "the least target that may be chosen", .min = 1.0, .unit = "tokens"});
  v.field("candidate_step", candidate_step,
          {.help = "distance of the lengths among which the target is chosen, up to the completion limit",
           .min = 1.0,
           .unit = "tokens"});
  v.choice(
      "buckets", buckets, {{"paper", BucketRule::paper}, {"code", BucketRule::code}},
      {.help = "paper: easy from 2/3 right and well formed on, hard below 1/3. code: the same for training groups; "
               "for monitor prompts the boundaries fall one bucket lower and the answer alone counts"});
  v.choice(
      "minimum", minimum, {{"ceil", Minimum::ceil}, {"floor", Minimum::floor}, {"floor_of_8", Minimum::floor_of_8}},
      {.help = "fewest right completions of a bucket's prompt, from K monitor samples: ceil (paper) and floor (code) "
               "of 2K/3, K/3; floor_of_8 takes K = 8 whatever is sampled, as the code does"});
  v.choice("fallback", fallback, {{"limit", TargetFallback::limit}, {"batch_longest", TargetFallback::batch_longest}},
           {.help = "target where no length qualifies: the completion limit (paper), or the longest completion of the "
                    "step, which also bounds the others (code)"});
}

Difficulty difficulty_of(int64_t right, int64_t all, bool strict) {
  if (3 * right > 2 * all || (!strict && 3 * right == 2 * all)) return Difficulty::easy;
  if (3 * right > all || (!strict && 3 * right == all)) return Difficulty::medium;
  return Difficulty::hard;
}

int64_t least_right(Difficulty difficulty, int64_t samples, Minimum minimum) {
  const int64_t k = minimum == Minimum::floor_of_8 ? 8 : samples;
  const int64_t up = minimum == Minimum::ceil ? 2 : 0;
  switch (difficulty) {
    case Difficulty::easy:
      return (2 * k + up) / 3;
    case Difficulty::medium:
      return (k + up) / 3;
    case Difficulty::hard:
      return 1;
  }
  return 1;
}

std::vector<int64_t> target_candidates(int64_t lower_bound, int64_t step, int64_t limit) {
  std::vector<int64_t> candidates;
  for (int64_t next = lower_bound; next <= limit;) {
    candidates.push_back(next);
    next = next < step ? step : next + step;
  }
  return candidates;
}

std::optional<int64_t> choose_target(const std::vector<int64_t>& lengths, int64_t least,
                                     const std::vector<int64_t>& candidates) {
  const auto all = static_cast<int64_t>(lengths.size());
  for (int64_t candidate : candidates) {
    const auto within = std::count_if(lengths.begin(), lengths.end(), [&](int64_t l) { return l <= candidate; });
    if (all > 0 && within * least >= all) return candidate;
  }
  return std::nullopt;
}

void LengthTargets::measure(const Step& pass) {
  std::array<std::vector<int64_t>, 3> lengths;
  int64_t samples = 0;
  prompts_ = {};
  const bool code = config_.buckets == BucketRule::code;
  for (const auto& group : pass.groups) {
    samples = std::max(samples, static_cast<int64_t>(group.samples.size()));
    const auto right = std::count_if(group.samples.begin(), group.samples.end(), [&](const Sample& sample) {
      return code ? sample.verdict.correct : OutcomeRewards::succeeded(sample);
    });
    const auto bucket =
        static_cast<size_t>(difficulty_of(right, static_cast<int64_t>(group.samples.size()), /*strict=*/code));
    ++prompts_[bucket];
    for (const auto& sample : group.samples) lengths[bucket].push_back(sample.length);
  }
  const auto candidates =
      target_candidates(config_.lower_bound_tokens, config_.candidate_step, pass.max_completion_tokens);
  for (const auto difficulty : kDifficulties) {
    const auto bucket = static_cast<size_t>(difficulty);
    chosen_[bucket] = choose_target(lengths[bucket], least_right(difficulty, samples, config_.minimum), candidates);
  }
  measured_ = true;
}

int64_t LengthTargets::target(Difficulty difficulty, const Step& step) const {
  if (!measured_) return config_.initial_target_tokens;
  const auto& chosen = chosen_[static_cast<size_t>(difficulty)];
  if (config_.fallback == TargetFallback::batch_longest) {
    const int64_t longest = longest_of(step);
    return chosen ? std::min(*chosen, longest) : longest;
  }
  if (chosen) return *chosen;
  return step.max_completion_tokens > 0 ? step.max_completion_tokens : longest_of(step);
}

nlohmann::json LengthTargets::to_json() const {
  nlohmann::json state = nlohmann::json::object();
  if (!measured_) return state;
  for (const auto difficulty : kDifficulties) {
    const auto bucket = static_cast<size_t>(difficulty);
    state["targets"][to_string(difficulty)] =
        chosen_[bucket] ? nlohmann::json(*chosen_[bucket]) : nlohmann::json(nullptr);
    state["prompts"][to_string(difficulty)] = prompts_[bucket];
  }
  return state;
}

void LengthTargets::restore(const nlohmann::json& state, const std::string& owner) {
  if (state.empty()) return;
  for (const auto& entry : state.items()) {
    if (entry.key() != "targets" && entry.key() != "prompts")
      fail(ErrorKind::input, "state of `{}`: unknown field `{}`{}; there are targets and prompts", owner, entry.key(),
           did_you_mean(entry.key(), {"targets", "prompts"}));
  }
  read_buckets(state, "targets", owner,
               [&](size_t bucket, std::optional<int64_t> tokens) { chosen_[bucket] = tokens; });
  if (state.contains("prompts"))
    read_buckets(state, "prompts", owner,
                 [&](size_t bucket, std::optional<int64_t> count) { prompts_[bucket] = count.value_or(0); });
  measured_ = true;
}

}  // namespace laconic::algorithms
