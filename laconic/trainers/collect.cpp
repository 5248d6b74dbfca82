#include "laconic/trainers/collect.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <future>
#include <map>
#include <utility>

#include "laconic/core/base/error.h"
#include "laconic/core/base/strings.h"
#include "laconic/core/base/timer.h"
#include "laconic/trainers/external_stage.h"
#include "laconic/trainers/share.h"
#include "laconic/trainers/stop_signal.h"

namespace laconic::trainers {
namespace {

using algorithms::Group;
using algorithms::Sample;

struct Judged {
  rewards::Verdict verdict;
  std::map<std::string, double> terms;
  std::string text;  // kept for rewards of the user's own
  double seconds = 0;
};

// One rollout phase.
class Collector {
 public:
  Collector(rollout::Engine& engine, const algorithms::Objective& objective, std::span<const PlacedPrompt> prompts,
            const Judge& judge, const CollectOptions& options)
      : engine_(engine),
        objective_(objective),
        prompts_(prompts),
        judge_(judge),
        options_(options),
        groups_(prompts.size()),
        states_(prompts.size()) {}

  std::vector<Group> run(const std::function<void(int64_t, int64_t)>& on_progress, CollectReport& report) {
    try {
      Timer timer;
      const auto before = engine_.statistics();
      for (;;) {
        while (next_ < prompts_.size() && (options_.window_samples == 0 || in_flight_ < options_.window_samples))
          begin_group(next_++);
        if (engine_.idle() && open_.empty()) break;
        if (stop_requested()) throw Stopped{};
        const bool decoding = !engine_.idle();
        if (decoding) {
          for (auto& completion : engine_.step()) take(std::move(completion));
        }
        // With nothing to decode, verdicts are waited for; they may open another round.
        std::erase_if(open_, [&](size_t g) { return advance_group(g, /*wait=*/!decoding); });
        (decoding ? report.rollout_seconds : report.reward_wait_seconds) += timer.lap();
        if (on_progress) on_progress(ended_, total_);
      }
      const auto after = engine_.statistics();
      report.drawn_tokens += drawn_;
      report.verify_seconds += verify_seconds_;
      report.prefilled_tokens += after.prefilled_tokens - before.prefilled_tokens;
      report.adopted_tokens += after.adopted_tokens - before.adopted_tokens;
      if (judge_.external.rewards != nullptr) report.external.add(judge_.external.rewards->take_statistics());
    } catch (...) {
      abandon();
      throw;
    }
    return std::move(groups_);
  }

 private:
  struct Origin {
    size_t group = 0, sample = 0;
  };
  struct GroupState {
    std::vector<std::future<Judged>> verdicts;  // parallel to the samples; invalid once taken
    std::vector<int64_t> requests;              // parallel to the samples
    size_t running = 0;                         // samples that have not ended
    int round = 0;
    std::vector<std::string> texts;            // of samples that the user's own rewards have not been asked about
    std::future<rewards::BatchRewards> asked;  // about the samples behind the first `rewarded`; mostly invalid
    size_t rewarded = 0;
  };

  void begin_group(size_t g) {
    Group& group = groups_[g];
    const auto& placed = prompts_[g];
    group.prompt_id = placed.prompt.id;
    group.prompt_index = placed.position;
    group.prompt_ids = placed.prompt.ids;
    group.reference_pass_rate = placed.reference_pass_rate;
    open_.push_back(g);
    for (const auto& planned : objective_.plan(group, options_.step)) {
      for (int i = 0; i < planned.count; ++i) {
        Sample sample;
        sample.kind = planned.kind;
        sample.prompt_suffix = planned.prompt_suffix;
        rollout::Request request = new_request(group, sample);
        request.forced_prefix = planned.forced_prefix;
        request.max_tokens = std::min(options_.max_tokens, planned.max_tokens.value_or(options_.max_tokens));
        submit(g, std::move(sample), std::move(request));
      }
    }
  }

  rollout::Request new_request(const Group& group, const Sample& sample) const {
    rollout::Request request;
    request.prompt = group.prompt_ids;
    request.prompt.insert(request.prompt.end(), sample.prompt_suffix.begin(), sample.prompt_suffix.end());
    request.sampling = options_.sampling;
    request.stop_ids = options_.stop_ids;
    request.stop_strings = options_.stop_strings;
    request.want_entropy = options_.want_entropy;
    request.retain = states_of(group).round + 1 < objective_.rounds();
    request.identity = {options_.seed, options_.step, group.prompt_index, static_cast<uint32_t>(group.samples.size())};
    return request;
  }

  const GroupState& states_of(const Group& group) const {
    return states_[static_cast<size_t>(&group - groups_.data())];
  }

  void submit(size_t g, Sample sample, rollout::Request request) {
    GroupState& state = states_[g];
    const int64_t id = engine_.submit(std::move(request));
    origins_[id] = {g, groups_[g].samples.size()};
    groups_[g].samples.push_back(std::move(sample));
    state.verdicts.emplace_back();
    state.requests.push_back(id);
    ++state.running;
    ++total_;
    ++in_flight_;
  }

  void take(rollout::Completion completion) {
    const auto found = origins_.find(completion.request);
    LACONIC_CHECK(found != origins_.end(), "a completion of request {} came back, which was not asked for",
                  completion.request);
    const size_t g = found->second.group, index = found->second.sample;
    origins_.erase(found);
    drawn_ += completion.drawn;
    Sample& sample = groups_[g].samples[index];
    sample.ids = std::move(completion.ids);
    sample.length = static_cast<int64_t>(sample.ids.size());
    sample.truncated = completion.finish == rollout::FinishReason::length;
    sample.logp_rollout.assign(completion.logprobs.begin(), completion.logprobs.end());
    sample.entropy.assign(completion.entropies.begin(), completion.entropies.end());
    if (std::find(completion.forced.begin(), completion.forced.end(), 1) != completion.forced.end())
      sample.forced = std::move(completion.forced);
    if (judge_.thinking_end_id) {
      const auto end = std::find(sample.ids.begin(), sample.ids.end(), *judge_.thinking_end_id);
      if (end != sample.ids.end()) sample.thinking_end = end - sample.ids.begin();
    }
    states_[g].verdicts[index] =
        judge_.pool->submit([this, g, suffix = sample.prompt_suffix, ids = sample.ids, truncated = sample.truncated] {
          return judge(g, suffix, ids, truncated);
        });
    --states_[g].running;
    ++ended_;
    --in_flight_;
  }

  // On a worker thread.
  Judged judge(size_t g, const std::vector<int32_t>& suffix, const std::vector<int32_t>& ids, bool truncated) const {
    const Timer timer;
    const Prompt& prompt = prompts_[g].prompt;
    const bool by_token =
        !truncated && !ids.empty() &&
        std::find(options_.stop_ids.begin(), options_.stop_ids.end(), ids.back()) != options_.stop_ids.end();
    const std::string text = completion_text(*judge_.tokenizer, ids, by_token);
    const std::string asked = suffix.empty() ? prompt.text : prompt.text + judge_.tokenizer->decode(suffix);
    Judged judged{verdict_on({text, truncated, asked}, prompt), {}, {}, 0};
    const rewards::TermInput input{text,           asked, ids, static_cast<int64_t>(ids.size()), options_.max_tokens,
                                   &judged.verdict};
    for (const auto& name : judge_.terms) {
      if (!rewards::is_group_term(name)) judged.terms[name] = rewards::term(name, input, judge_.term_options);
    }
    for (const char* name : {"correct", "format"}) judged.terms[name] = rewards::term(name, input, judge_.term_options);
    if (judge_.external.rewards != nullptr) judged.text = text;
    judged.seconds = timer.seconds();
    return judged;
  }

  // What a verifier complains about is the prompt's gold answer.
  rewards::Verdict verdict_on(const rewards::Response& response, const Prompt& prompt) const {
    try {
      return judge_.verifier->verify(response, prompt.answer);
    } catch (const Error& error) {
      fail(error.kind(), "prompt {}: {}", prompt.id, error.what());
    }
  }

  void set_group_terms(Group& group) const {
    if (std::none_of(judge_.terms.begin(), judge_.terms.end(), rewards::is_group_term)) return;
    std::vector<int64_t> lengths;
    std::vector<bool> correct;
    for (const auto& sample : group.samples) {
      lengths.push_back(sample.length);
      correct.push_back(sample.verdict.correct);
    }
    const auto values = rewards::relative_lengths(lengths, correct);
    for (size_t i = 0; i < values.size(); ++i) group.samples[i].named_rewards["relative_length"] = values[i];
  }

  // True when the group is complete: every sample has its verdict and its rewards, and no further round is planned.
  bool advance_group(size_t g, bool wait) {
    GroupState& state = states_[g];
    if (state.running > 0) return false;
    // A moment at most: the other groups' rewards are to be asked for, and a stop to be heard of.
    const std::chrono::milliseconds moment(wait ? 1 : 0);
    for (size_t i = 0; i < state.verdicts.size(); ++i) {
      auto& future = state.verdicts[i];
      if (!future.valid()) continue;
      if (future.wait_for(moment) != std::future_status::ready) return false;
      Judged judged = future.get();
      Sample& sample = groups_[g].samples[i];
      sample.verdict = std::move(judged.verdict);
      sample.named_rewards = std::move(judged.terms);
      state.texts.push_back(std::move(judged.text));
      verify_seconds_ += judged.seconds;
    }
    if (judge_.external.rewards != nullptr && !externally_rewarded(g, moment)) return false;
    if (!groups_[g].dropped && next_round(g)) return false;
    set_group_terms(groups_[g]);
    for (int64_t request : state.requests) engine_.release(request);
    if (options_.on_group) options_.on_group(g, groups_[g]);
    return true;
  }

  // True when the user's own rewards of all samples are there. They are asked about the samples of a round together.
  bool externally_rewarded(size_t g, std::chrono::milliseconds moment) {
    GroupState& state = states_[g];
    Group& group = groups_[g];
    if (state.rewarded == group.samples.size()) return true;
    if (!state.asked.valid()) {
      state.asked = judge_.external.rewards->submit(
          batch_of(prompts_[g].prompt, group, state.rewarded, std::exchange(state.texts, {}), judge_));
    }
    if (state.asked.wait_for(moment) != std::future_status::ready) return false;
    take_rewards(state.asked.get(), state.rewarded, options_.max_tokens, judge_, group);
    state.rewarded = group.samples.size();
    return true;
  }

  bool next_round(size_t g) {
    GroupState& state = states_[g];
    Group& group = groups_[g];
    if (state.round + 1 >= objective_.rounds()) return false;
    const auto planned = objective_.next_round(group, state.round + 1, options_.seed, options_.step);
    if (planned.empty()) return false;
    ++state.round;
    for (const auto& next : planned) {
      const Sample& parent = group.samples.at(static_cast<size_t>(next.parent));
      LACONIC_CHECK(next.keep >= 0 && next.keep <= parent.length, "a continuation keeps {} of {} tokens", next.keep,
                    parent.length);
      Sample sample;
      sample.kind = next.kind;
      sample.prompt_suffix = parent.prompt_suffix;
      sample.exit_position = next.keep;
      rollout::Request request = new_request(group, sample);
      request.kept = kept_tokens(parent, next.keep, state.requests[static_cast<size_t>(next.parent)]);
      request.forced_prefix = next.forced;
      const int64_t left = options_.max_tokens - next.keep;
      request.max_tokens =
          std::max<int64_t>(std::min(left, next.max_tokens.value_or(left)), static_cast<int64_t>(next.forced.size()));
      submit(g, std::move(sample), std::move(request));
    }
    return true;
  }

  rollout::KeptTokens kept_tokens(const Sample& parent, int64_t keep, int64_t parent_request) const {
    const auto n = static_cast<std::ptrdiff_t>(keep);
    rollout::KeptTokens kept;
    kept.ids.assign(parent.ids.begin(), parent.ids.begin() + n);
    kept.logprobs.assign(parent.logp_rollout.begin(), parent.logp_rollout.begin() + n);
    if (options_.want_entropy) kept.entropies.assign(parent.entropy.begin(), parent.entropy.begin() + n);
    kept.forced.assign(static_cast<size_t>(keep), 0);
    if (!parent.forced.empty()) kept.forced.assign(parent.forced.begin(), parent.forced.begin() + n);
    kept.parent = parent_request;
    return kept;
  }

  // Lets the judges finish with our data, then empties the engine, so that it can be used again. In this order: an
  // engine that has failed may fail once more.
  void abandon() {
    if (judge_.external.rewards != nullptr) judge_.external.rewards->cancel();
    for (auto& state : states_) {
      if (state.asked.valid()) state.asked.wait();
      for (auto& verdict : state.verdicts) {
        if (verdict.valid()) verdict.wait();
      }
    }
    engine_.cancel_all();
    while (!engine_.idle()) engine_.step();
    engine_.release_all();
  }

  rollout::Engine& engine_;
  const algorithms::Objective& objective_;
  std::span<const PlacedPrompt> prompts_;
  const Judge& judge_;
  const CollectOptions& options_;
  std::vector<Group> groups_;
  std::vector<GroupState> states_;
  std::map<int64_t, Origin> origins_;
  std::vector<size_t> open_;  // groups that have begun and are not complete
  size_t next_ = 0;           // prompt that has not begun
  int64_t ended_ = 0, total_ = 0, in_flight_ = 0, drawn_ = 0;
  double verify_seconds_ = 0;
};

}  // namespace

std::vector<Group> collect(rollout::Engine& engine, const algorithms::Objective& objective,
                           std::span<const PlacedPrompt> prompts, const Judge& judge, const CollectOptions& options,
                           const std::function<void(int64_t, int64_t)>& on_progress, CollectReport& report) {
  if (options.communicator != nullptr && !options.communicator->alone())
    return collect_over_ranks(engine, objective, prompts, judge, options, on_progress, report);
  return Collector(engine, objective, prompts, judge, options).run(on_progress, report);
}

void check_reward_name(const std::string& name, std::vector<std::string> terms) {
  auto known = std::move(terms);
  known.insert(known.begin(), {"correct", "format"});
  if (std::find(known.begin(), known.end(), name) != known.end()) return;
  fail(ErrorKind::usage,
       "objective.reward_weights names the reward `{}`, which the run does not compute{}; it computes: {}", name,
       did_you_mean(name, known), join(known, ", "));
}

void check_rewards(const algorithms::Step& step) {
  for (const auto& group : step.groups) {
    for (size_t i = 0; i < group.samples.size(); ++i) {
      // Advantages and losses are f32: what is infinite there is infinite.
      if (std::isfinite(static_cast<float>(group.samples[i].reward))) continue;
      fail(ErrorKind::numeric,
           "step {}: the reward of completion {} of the prompt {} is {}, expected a number that f32 can hold; look at "
           "objective.reward_weights and the reward terms",
           step.index + 1, i + 1, group.prompt_id, group.samples[i].reward);
    }
  }
}

std::string completion_text(const text::Tokenizer& tokenizer, std::span<const int32_t> ids, bool stopped_by_token) {
  return tokenizer.decode(stopped_by_token ? ids.first(ids.size() - 1) : ids);
}

}  // namespace laconic::trainers
