// What the rollout phase does for the methods: continuations with exact ids and a reused cache, forced tokens, limits
// of a kind, entropies.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "laconic/trainers/run_facts.h"
#include "tests/trainers/chain_runs.h"

namespace laconic::trainers {
namespace {

using algorithms::Group;

struct Rollout {
  std::vector<Group> groups;
  CollectReport report;
};

// One rollout phase of a configuration.
class Phase {
 public:
  explicit Phase(const std::vector<std::string>& overrides) {
    write_chain_model(folder_ / "model");
    config_ = chain_config(folder_.path(), overrides);
    workspace_.emplace(load_workspace(config_.model, config_.seed));
    judge_ = make_judge(config_.reward, *workspace_);
    objective_ = config_.objective.make();
    objective_->prepare(run_facts(*workspace_, config_));
    source_ = make_prompt_source(config_.data, config_.seed, *workspace_->tokenizer, nullptr, 64, config_.reward);
  }

  Rollout run(uint64_t prompts) {
    std::vector<PlacedPrompt> placed;
    for (uint64_t i = 0; i < prompts; ++i) placed.push_back({source_->training_prompt(i), i});
    const int64_t requests = static_cast<int64_t>(prompts) * config_.objective.common.group_size;
    rollout::Engine engine(workspace_->model,
                           engine_options(workspace_->config, *workspace_->tokenizer, config_.rollout, requests,
                                          source_->longest_prompt(), config_.rollout.max_tokens));
    CollectOptions options;
    options.sampling = {config_.objective.common.temperature, 0, 1.0, 0.0};
    options.max_tokens = config_.rollout.max_tokens;
    options.stop_ids = workspace_->stop_ids;
    options.want_entropy = true;
    options.seed = config_.seed;
    Rollout result;
    result.groups = collect(engine, *objective_, placed, judge_.judge, options, {}, result.report);
    return result;
  }

  ScoredTokens trainer_scores(const Group& group) const {
    std::vector<policy::ScoredSequence> sequences;
    for (const auto& sample : group.samples) sequences.push_back(sequence_of(group, sample));
    UpdateOptions options;
    options.micro_batch_tokens = 100;
    return score_without_gradient(workspace_->model, sequences, config_.objective.common.temperature, true, options);
  }

 private:
  TemporaryFolder folder_;
  RlConfig config_;
  std::optional<Workspace> workspace_;
  JudgeOwner judge_;
  std::unique_ptr<algorithms::Objective> objective_;
  std::unique_ptr<PromptSource> source_;
};

std::vector<std::string> serial(int group, const std::vector<std::string>& more = {}) {
  std::vector<std::string> overrides = {"--objective.name=s_grpo",
                                        "--objective.group_size=" + std::to_string(group),
                                        "--objective.s_grpo.inducer=stop </think>",
                                        "--objective.s_grpo.answer_max_tokens=8",
                                        "--objective.kl.coefficient=0",
                                        "--objective.updates_per_rollout=1",
                                        "--objective.temperature=0.7",
                                        "--rollout.max_tokens=120"};
  overrides.insert(overrides.end(), more.begin(), more.end());
  return overrides;
}

TEST(MethodRollout, ExitsContinueTheFullCompletionExactly) {
  Phase phase(serial(9));
  const auto rollout = phase.run(6);
  constexpr int32_t kStop = 11, kEndThink = 4;
  int exits = 0;
  for (const auto& group : rollout.groups) {
    const auto& full = group.samples.front();
    EXPECT_EQ(full.kind, "full");
    for (size_t i = 1; i < group.samples.size(); ++i) {
      const auto& exit = group.samples[i];
      const auto keep = static_cast<size_t>(*exit.exit_position);
      ++exits;
      EXPECT_EQ(exit.kind, "exit");
      ASSERT_GE(exit.ids.size(), keep + 2);
      EXPECT_TRUE(std::equal(full.ids.begin(), full.ids.begin() + *exit.exit_position, exit.ids.begin()));
      EXPECT_EQ(exit.ids[keep], kStop);
      EXPECT_EQ(exit.ids[keep + 1], kEndThink);
      EXPECT_EQ(exit.thinking_end, static_cast<int64_t>(keep) + 1);
      EXPECT_LE(exit.length, static_cast<int64_t>(keep) + 10);
      for (size_t t = 0; t < exit.ids.size(); ++t) EXPECT_EQ(exit.forced[t], t == keep || t == keep + 1);
    }
    // The sampler's logprobs and entropies are the trainer's, kept and forced tokens included.
    const auto scored = phase.trainer_scores(group);
    for (size_t i = 0; i < group.samples.size(); ++i) {
      ASSERT_EQ(scored.logprob[i].size(), group.samples[i].logp_rollout.size());
      EXPECT_EQ(scored.logprob[i], group.samples[i].logp_rollout);
      ASSERT_EQ(scored.entropy[i].size(), group.samples[i].entropy.size());
      EXPECT_EQ(scored.entropy[i], group.samples[i].entropy);
    }
  }
  EXPECT_GT(exits, 20);
}

TEST(MethodRollout, ExitsReuseTheCacheOfTheFullCompletion) {
  const auto shared = Phase(serial(9)).run(6);
  // Too few pages to hold anything back: everything is computed again, and nothing changes.
  const auto scarce = Phase(serial(9, {"--rollout.kv_tokens=160"})).run(6);
  int64_t exits = 0, kept = 0;
  for (size_t g = 0; g < shared.groups.size(); ++g) {
    ASSERT_EQ(shared.groups[g].samples.size(), scarce.groups[g].samples.size());
    for (size_t i = 0; i < shared.groups[g].samples.size(); ++i) {
      EXPECT_EQ(shared.groups[g].samples[i].ids, scarce.groups[g].samples[i].ids);
      EXPECT_EQ(shared.groups[g].samples[i].logp_rollout, scarce.groups[g].samples[i].logp_rollout);
      if (i == 0) continue;
      ++exits;
      kept += *shared.groups[g].samples[i].exit_position;
    }
  }
  // An exit computes its inducer and the token in front of it; prompts are computed once.
  int64_t prompts = 0;
  for (const auto& group : shared.groups) prompts += static_cast<int64_t>(group.prompt_ids.size());
  EXPECT_LE(shared.report.prefilled_tokens, prompts + 3 * exits);
  EXPECT_GE(shared.report.adopted_tokens, kept);
  EXPECT_GT(scarce.report.prefilled_tokens, shared.report.prefilled_tokens);
  EXPECT_EQ(shared.report.drawn_tokens, scarce.report.drawn_tokens);

  const auto plain = Phase({"--objective.group_size=9", "--objective.temperature=0.7", "--rollout.max_tokens=120",
                            "--objective.kl.coefficient=0", "--objective.updates_per_rollout=1"})
                         .run(6);
  std::printf("6 prompts, 9 completions each: S-GRPO prefills %ld and decodes %ld tokens, GRPO %ld and %ld\n",
              static_cast<long>(shared.report.prefilled_tokens), static_cast<long>(shared.report.drawn_tokens),
              static_cast<long>(plain.report.prefilled_tokens), static_cast<long>(plain.report.drawn_tokens));
  EXPECT_LT(shared.report.drawn_tokens, plain.report.drawn_tokens);
}

TEST(MethodRollout, ForcedFirstTokensWithLimitsOfTheirKind) {
  Phase phase({"--objective.name=adaptthink", "--objective.group_size=6", "--objective.kl.coefficient=0",
               "--objective.updates_per_rollout=1", "--objective.adaptthink.start_words=[b, z]",
               "--objective.adaptthink.no_thinking_max_tokens=7", "--reference.pass_rates=unused",
               "--rollout.max_tokens=24"});
  const auto rollout = phase.run(8);
  constexpr int32_t kEndThink = 4, kLabelB = 23, kLabelZ = 27;
  for (const auto& group : rollout.groups) {
    const bool several_steps = std::count(group.prompt_ids.begin(), group.prompt_ids.end(), kLabelB) > 0;
    ASSERT_EQ(group.samples.size(), 6u);
    for (size_t i = 0; i < 6; ++i) {
      const auto& sample = group.samples[i];
      EXPECT_EQ(sample.kind, i < 3 ? "no_thinking" : "thinking");
      EXPECT_EQ(sample.ids.front(), i < 3 ? kEndThink : (several_steps ? kLabelB : kLabelZ));
      EXPECT_EQ(sample.forced.front(), 1);
      EXPECT_LE(sample.length, i < 3 ? 7 : 24);
      EXPECT_TRUE(!sample.truncated || sample.length == (i < 3 ? 7 : 24));
    }
    const auto scored = phase.trainer_scores(group);
    for (size_t i = 0; i < 6; ++i) EXPECT_EQ(scored.logprob[i], group.samples[i].logp_rollout);
  }
}

}  // namespace
}  // namespace laconic::trainers
