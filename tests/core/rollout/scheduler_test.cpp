#include "laconic/core/rollout/scheduler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/core/rollout/scheduler_simulation.h"

namespace laconic::rollout {
namespace {

Request request(std::vector<int32_t> prompt, int64_t max_tokens, bool retain = false) {
  Request r;
  r.prompt = std::move(prompt);
  r.max_tokens = max_tokens;
  r.retain = retain;
  return r;
}

// The completion that a request must end with, however it was scheduled.
std::vector<int32_t> expected_ids(const Request& r) {
  auto tokens = r.prompt;
  for (const auto* ids : {&r.kept.ids, &r.forced_prefix}) tokens.insert(tokens.end(), ids->begin(), ids->end());
  while (tokens.size() < r.prompt.size() + r.kept.ids.size() + static_cast<size_t>(r.max_tokens))
    tokens.push_back(SchedulerSimulation::next_token(tokens));
  return {tokens.begin() + static_cast<std::ptrdiff_t>(r.prompt.size()), tokens.end()};
}

void run(SchedulerSimulation& simulation, int64_t most_steps = 5000) {
  while (!simulation.scheduler.idle() && simulation.steps < most_steps) {
    simulation.step();
    if (testing::Test::HasFatalFailure()) return;
  }
  ASSERT_TRUE(simulation.scheduler.idle()) << "not everything finishes";
}

TEST(Scheduler, AdmitsInTheOrderOfSubmission) {
  SchedulerSimulation simulation({.max_rows = 3, .prefill_tokens = 7, .pages = 64});
  for (int32_t i = 0; i < 20; ++i) simulation.submit(request({i, i, i}, 5));
  run(simulation);
  for (size_t i = 0; i < simulation.order.size(); ++i) EXPECT_EQ(simulation.order[i], static_cast<int64_t>(i));
  EXPECT_EQ(simulation.scheduler.preemptions(), 0);
}

// A request that waits for memory is not overtaken by smaller ones for ever.
TEST(Scheduler, ALargeRequestIsNotStarved) {
  SchedulerSimulation simulation({.max_rows = 8, .prefill_tokens = 64, .pages = 6});
  for (int32_t i = 0; i < 6; ++i) simulation.submit(request({i}, 20));
  const auto large = simulation.submit(request(std::vector<int32_t>(150, 7), 20));
  std::vector<int64_t> later;
  later.reserve(30);
  for (int32_t i = 0; i < 30; ++i) later.push_back(simulation.submit(request({i, 9}, 20)));
  run(simulation);
  const auto place = std::find(simulation.order.begin(), simulation.order.end(), large) - simulation.order.begin();
  EXPECT_LE(place, 6);
}

TEST(Scheduler, ThePromptOfAGroupIsComputedOnceAndForgotten) {
  SchedulerSimulation simulation({.max_rows = 3, .prefill_tokens = 10, .pages = 64});
  const std::vector<int32_t> prompt(45, 3);
  for (int i = 0; i < 9; ++i) simulation.submit(request(prompt, 4 + i));
  run(simulation);
  EXPECT_EQ(simulation.scheduler.adopted_tokens(), 8 * 45);
  EXPECT_EQ(simulation.scheduler.pages().available(), 64) << "nothing is held once nobody waits";
}

// After a cancellation a computed prompt has no readers left; it must not answer later requests, whose weights may be
// others.
TEST(Scheduler, CancelledGroupsLeaveNoPromptBehind) {
  for (const bool all : {true, false}) {
    SchedulerSimulation simulation({.max_rows = 1, .prefill_tokens = 100, .pages = 16});
    std::vector<int64_t> ids;
    ids.reserve(3);
    for (int i = 0; i < 3; ++i) ids.push_back(simulation.submit(request(std::vector<int32_t>(40, 3), 4)));
    simulation.step();  // the prompt is computed; two requests wait for it
    if (all) {
      simulation.cancel_all();
    } else {
      for (int64_t id : ids) simulation.cancel(id);
    }
    run(simulation);
    EXPECT_EQ(simulation.scheduler.pages().available(), 16);
    simulation.submit(request(std::vector<int32_t>(40, 3), 4));
    const auto plan = simulation.scheduler.plan();
    EXPECT_TRUE(plan.from_prompt.empty());
    EXPECT_EQ(plan.rows, 40);
  }
}

TEST(Scheduler, ACancelledLeaderHandsThePromptOn) {
  SchedulerSimulation simulation({.max_rows = 4, .prefill_tokens = 8, .pages = 16});
  const auto leader = simulation.submit(request(std::vector<int32_t>(40, 3), 4));
  const auto second = simulation.submit(request(std::vector<int32_t>(40, 3), 4));
  simulation.step();
  simulation.step();
  simulation.cancel(leader);
  simulation.cancel(leader);  // again
  run(simulation);
  EXPECT_TRUE(simulation.ended.at(leader)->completion.ids.empty());
  EXPECT_EQ(simulation.ended.at(second)->completion.ids.size(), 4u);
  EXPECT_EQ(simulation.scheduler.pages().available(), 16);
}

TEST(Scheduler, RetainedCachesAreReusedReleasedAndGivenUp) {
  SchedulerSimulation simulation({.max_rows = 4, .prefill_tokens = 100, .pages = 8});
  const std::vector<int32_t> prompt(50, 3);
  const auto parent = simulation.submit(request(prompt, 40, /*retain=*/true));
  run(simulation);
  EXPECT_EQ(simulation.scheduler.pages().available(), 5);
  Request r = request(prompt, 5);
  r.kept.ids = simulation.ended.at(parent)->completion.ids;
  r.kept.ids.resize(30);
  r.kept.parent = parent;
  const auto child = simulation.submit(r);
  run(simulation);
  EXPECT_EQ(simulation.scheduler.adopted_tokens(), 79) << "all but the token whose state is wanted";
  EXPECT_EQ(simulation.ended.at(child)->completion.ids, expected_ids(r));
  simulation.submit(request(std::vector<int32_t>(200, 4), 5));  // needs the room
  run(simulation);
  EXPECT_EQ(simulation.scheduler.pages().available(), 8);
  simulation.scheduler.release(parent);  // given up already
  simulation.submit(r);                  // computes its prefix again
  run(simulation);
  EXPECT_EQ(simulation.scheduler.adopted_tokens(), 79);
}

// A parent that shares less with a continuation than the computed prompt does must not make it compute the prompt anew.
TEST(Scheduler, TheLongestSharedPrefixIsUsed) {
  SchedulerSimulation simulation({.max_rows = 1, .prefill_tokens = 200, .pages = 32});
  std::vector<int32_t> other(70, 3);
  other[20] = 9;
  const auto parent = simulation.submit(request(other, 3, /*retain=*/true));
  run(simulation);
  Request r = request(std::vector<int32_t>(70, 3), 3);
  r.kept.parent = parent;
  for (int i = 0; i < 3; ++i) simulation.submit(r);
  run(simulation);
  EXPECT_EQ(simulation.scheduler.adopted_tokens(), 20 + 70 + 70);
  simulation.scheduler.release_all();
  EXPECT_EQ(simulation.scheduler.pages().available(), 32);
}

TEST(Scheduler, RequestsAsLargeAsTheCacheFinish) {
  SchedulerSimulation simulation({.max_rows = 4, .prefill_tokens = 3, .pages = 2});
  for (int32_t i = 0; i < 5; ++i) simulation.submit(request(std::vector<int32_t>(33, i / 2), 31));
  run(simulation);
  EXPECT_EQ(simulation.ended.size(), 5u);
  EXPECT_EQ(simulation.scheduler.pages().available(), 2);
}

// One random workload: shared prompts, forced tokens, continuations of retained and released parents, cancellations.
class Workload {
 public:
  Workload(uint64_t seed, const SchedulerOptions& options)
      : rng_(DrawPurpose::procedural_data, {seed}), options_(options), simulation_(options) {}

  void run_it(int submissions) {
    for (int submitted = 0; submitted < submissions;) {
      if (rng_.chance(0.3)) submit(), ++submitted;
      if (rng_.chance(0.03)) simulation_.cancel(any_id());
      if (rng_.chance(0.05)) simulation_.scheduler.release(any_id());
      if (rng_.chance(0.002)) simulation_.cancel_all();
      simulation_.step();
      if (testing::Test::HasFatalFailure()) return;
    }
    run(simulation_, simulation_.steps + 20000);
    if (testing::Test::HasFatalFailure()) return;
    simulation_.scheduler.release_all();
    EXPECT_EQ(simulation_.scheduler.pages().available(), options_.pages) << "pages leak";
    ASSERT_EQ(simulation_.ended.size(), requests_.size());
    for (const auto& [id, s] : simulation_.ended) {
      auto expected = expected_ids(requests_[static_cast<size_t>(id)]);
      expected.resize(s->completion.logprobs.size());
      auto got = s->completion.ids;
      got.resize(s->completion.logprobs.size());
      EXPECT_EQ(got, expected) << "request " << id;
      finished_ += s->scored() == s->limit ? 1 : 0;
    }
  }

  int finished() const { return finished_; }
  int64_t preemptions() const { return simulation_.scheduler.preemptions(); }
  int64_t steps() const { return simulation_.steps; }

 private:
  int64_t any_id() { return rng_.below(static_cast<uint32_t>(requests_.size() + 1)); }

  void submit() {
    const auto budget = static_cast<int>(options_.pages * ops::kPageTokens);
    Request r = request(prompt(rng_.between(1, budget / 2)), 1, rng_.chance(0.3));
    if (!simulation_.ended.empty() && rng_.chance(0.4)) {  // a continuation, or something that claims to be one
      auto chosen = simulation_.ended.begin();
      std::advance(chosen, rng_.below(static_cast<uint32_t>(simulation_.ended.size())));
      const Sequence& parent = *chosen->second;
      if (rng_.chance(0.9)) r.prompt = parent.request.prompt;
      const auto known = static_cast<int>(parent.completion.logprobs.size());
      const int kept = std::min(rng_.between(0, known), budget - static_cast<int>(r.prompt.size()) - 1);
      if (kept > 0) r.kept.ids.assign(parent.completion.ids.begin(), parent.completion.ids.begin() + kept);
      r.kept.parent = parent.id;
    }
    const int room = budget - static_cast<int>(r.prompt.size() + r.kept.ids.size());
    r.max_tokens = rng_.between(1, std::min(room, 60));
    const int forced = rng_.chance(0.3) ? rng_.between(0, static_cast<int>(r.max_tokens)) : 0;
    for (int i = 0; i < forced; ++i) r.forced_prefix.push_back(static_cast<int32_t>(rng_.below(50)));
    requests_.push_back(r);
    simulation_.submit(std::move(r));
  }

  // From a small set, so that groups form.
  std::vector<int32_t> prompt(int length) {
    Rng of_this_prompt(DrawPurpose::procedural_data, {rng_.below(4)});
    std::vector<int32_t> ids(static_cast<size_t>(rng_.chance(0.7) ? std::min(length, 20 + length % 3) : length));
    for (auto& id : ids) id = static_cast<int32_t>(of_this_prompt.below(50));
    return ids;
  }

  Rng rng_;
  SchedulerOptions options_;
  SchedulerSimulation simulation_;
  std::vector<Request> requests_;
  int finished_ = 0;
};

TEST(Scheduler, RandomWorkloads) {
  int64_t preemptions = 0, steps = 0;
  int finished = 0;
  for (uint64_t seed = 0; seed < 60; ++seed) {
    SchedulerOptions options;
    Rng rng(DrawPurpose::procedural_data, {seed, 77});
    options.max_rows = rng.between(1, 9);
    options.prefill_tokens = rng.between(1, 80);
    options.pages = rng.between(2, 14);
    Workload workload(seed, options);
    workload.run_it(60);
    if (HasFatalFailure()) {
      ADD_FAILURE() << "seed " << seed << ", rows " << options.max_rows << ", prefill " << options.prefill_tokens
                    << ", pages " << options.pages;
      return;
    }
    preemptions += workload.preemptions();
    steps += workload.steps();
    finished += workload.finished();
  }
  EXPECT_GT(preemptions, 100) << "the budgets were small enough to test what they are for";
  EXPECT_GT(steps, 10000);
  EXPECT_GT(finished, 2000);
}

}  // namespace
}  // namespace laconic::rollout
