// Random workloads against runs of one request at a time: kept and forced tokens, continuations with and without their
// parent's cache, cancellations, tiny budgets. Bit for bit.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <map>

#include "laconic/core/base/rng.h"
#include "laconic/core/rollout/engine.h"
#include "tests/support/tiny_model.h"

namespace laconic::rollout {
namespace {

struct Letters final : TextStream {
  std::string push(int32_t id) override { return std::string(1, static_cast<char>('a' + id % 26)); }
};

EngineOptions options_with(int64_t kv_tokens, int64_t rows, int64_t prefill) {
  EngineOptions options;
  options.kv_tokens = kv_tokens;
  options.max_rows = rows;
  options.prefill_tokens = prefill;
  options.make_text_stream = [] { return std::make_unique<Letters>(); };
  return options;
}

Completion alone(const model::Model& model, const Request& request) {
  Engine engine(model, options_with(4096, 1, 4096));
  engine.submit(request);
  return engine.run().at(0);
}

SamplingParams random_sampling(Rng& rng) {
  SamplingParams s;
  if (rng.chance(0.1)) s.temperature = 0;
  if (rng.chance(0.3)) s.temperature = 0.7;
  if (rng.chance(0.2)) s.top_k = rng.between(1, 20);
  if (rng.chance(0.2)) s.top_p = 0.8;
  if (rng.chance(0.2)) s.min_p = 0.05;
  return s;
}

class RandomEngine {
 public:
  RandomEngine(const model::Model& model, uint64_t seed, const EngineOptions& options)
      : model_(model),
        rng_(DrawPurpose::procedural_data, {seed}),
        engine_(model, options),
        budget_(options.kv_tokens) {}

  void run_it(int submissions) {
    for (int submitted = 0; submitted < submissions || !engine_.idle();) {
      if (submitted < submissions && rng_.chance(0.8)) submit(), ++submitted;
      if (rng_.chance(0.04)) cancel(static_cast<int64_t>(rng_.below(static_cast<uint32_t>(requests_.size() + 1))));
      if (rng_.chance(0.05)) engine_.release(static_cast<int64_t>(rng_.below(20)));
      int64_t last = -1;
      for (auto& c : engine_.step()) {
        ASSERT_GT(c.request, last) << "completions of a step come in the order of submission";
        last = c.request;
        compare(c);
        ended_[c.request] = std::move(c);
      }
    }
    ASSERT_EQ(ended_.size(), requests_.size());
  }

  EngineStatistics statistics() const { return engine_.statistics(); }

 private:
  void cancel(int64_t id) {
    engine_.cancel(id);
    cancelled_.insert(id);
  }

  void submit() {
    Request r;
    const auto group = rng_.below(4);
    Rng of_this_prompt(DrawPurpose::procedural_data, {group, 5});
    for (uint32_t i = 0; i < 5 + 13 * group; ++i) r.prompt.push_back(static_cast<int32_t>(of_this_prompt.below(61)));
    r.identity = {3, 4, group, rng_.below(5)};
    r.sampling = random_sampling(rng_);
    r.want_entropy = rng_.chance(0.5);
    r.retain = rng_.chance(0.5);
    if (!ended_.empty() && rng_.chance(0.5)) continue_one(r);
    const auto room = budget_ - static_cast<int64_t>(r.prompt.size() + r.kept.ids.size());
    r.max_tokens = rng_.between(1, static_cast<int>(std::min<int64_t>(room, 40)));
    if (rng_.chance(0.3)) {
      for (int i = rng_.between(1, static_cast<int>(r.max_tokens)); i > 0; --i)
        r.forced_prefix.push_back(static_cast<int32_t>(rng_.below(61)));
    }
    if (rng_.chance(0.3)) r.stop_ids = {7, 8};
    if (rng_.chance(0.3)) r.stop_strings = {"ab", "q", "xyz"};
    requests_.push_back(r);
    engine_.submit(std::move(r));
  }

  // Keeps some tokens of an ended completion, which may have been cancelled, and asks for its cache or not.
  void continue_one(Request& r) {
    auto chosen = ended_.begin();
    std::advance(chosen, rng_.below(static_cast<uint32_t>(ended_.size())));
    const Completion& parent = chosen->second;
    const Request& asked = requests_[static_cast<size_t>(parent.request)];
    if (asked.want_entropy < r.want_entropy) return;
    const auto most = std::min<int64_t>(static_cast<int64_t>(parent.ids.size()),
                                        budget_ - static_cast<int64_t>(asked.prompt.size()) - 1);
    const auto kept = rng_.between(0, static_cast<int>(most));
    r.prompt = asked.prompt;
    r.identity = asked.identity;
    r.kept.ids.assign(parent.ids.begin(), parent.ids.begin() + kept);
    r.kept.logprobs.assign(parent.logprobs.begin(), parent.logprobs.begin() + kept);
    r.kept.forced.assign(parent.forced.begin(), parent.forced.begin() + kept);
    if (r.want_entropy) r.kept.entropies.assign(parent.entropies.begin(), parent.entropies.begin() + kept);
    if (rng_.chance(0.7)) r.kept.parent = parent.request;
  }

  // A cancelled completion is the beginning of the one that would have been.
  void compare(const Completion& got) {
    auto expected = alone(model_, requests_[static_cast<size_t>(got.request)]);
    if (got.finish == FinishReason::cancelled) {
      ASSERT_TRUE(cancelled_.contains(got.request));
      ASSERT_LE(got.ids.size(), expected.ids.size());
      expected.ids.resize(got.ids.size());
      expected.logprobs.resize(got.ids.size());
      expected.forced.resize(got.ids.size());
      expected.entropies.resize(got.entropies.size());
    } else {
      EXPECT_EQ(got.finish, expected.finish);
      EXPECT_EQ(got.drawn, expected.drawn);
    }
    EXPECT_EQ(got.ids, expected.ids);
    EXPECT_EQ(got.logprobs, expected.logprobs);
    EXPECT_EQ(got.entropies, expected.entropies);
    EXPECT_EQ(got.forced, expected.forced);
    const bool entropies = requests_[static_cast<size_t>(got.request)].want_entropy;
    EXPECT_EQ(got.entropies.size(), entropies ? got.ids.size() : 0u);
  }

  const model::Model& model_;
  Rng rng_;
  Engine engine_;
  int64_t budget_;
  std::vector<Request> requests_;
  std::set<int64_t> cancelled_;
  std::map<int64_t, Completion> ended_;
};

class EngineRandom : public testing::TestWithParam<model::Architecture> {};

TEST_P(EngineRandom, AnyMixtureEqualsOneAtATime) {
  const auto model = tiny_model(GetParam());
  int64_t preemptions = 0, adopted = 0;
  for (uint64_t seed = 0; seed < 8; ++seed) {
    Rng rng(DrawPurpose::procedural_data, {seed, 31});
    const int64_t pages = rng.between(4, 8);
    RandomEngine random(model, seed, options_with(32 * pages, rng.between(2, 9), rng.between(1, 60)));
    random.run_it(40);
    if (HasFailure()) {
      ADD_FAILURE() << "seed " << seed;
      return;
    }
    preemptions += random.statistics().preemptions;
    adopted += random.statistics().adopted_tokens;
  }
  EXPECT_GT(preemptions, 5);
  EXPECT_GT(adopted, 1000);
}

INSTANTIATE_TEST_SUITE_P(Kinds, EngineRandom,
                         testing::Values(model::Architecture::llama, model::Architecture::qwen2,
                                         model::Architecture::qwen3));

// Between steps an idle engine's model may be trained: nothing computed before may be used again.
TEST(Engine, NewWeightsAfterACancellationAreUsed) {
  auto model = tiny_model(model::Architecture::llama);
  Engine engine(model, options_with(2048, 2, 2048));
  Request r;
  r.prompt.assign(40, 3);
  r.max_tokens = 12;
  for (uint32_t s = 0; s < 6; ++s) {
    r.identity.sample = s;
    engine.submit(r);
  }
  engine.step();
  engine.cancel_all();
  EXPECT_EQ(engine.run().size(), 6u);
  ASSERT_TRUE(engine.idle());
  for (auto& parameter : model.parameters()) parameter.tensor.mul_(1.1);
  const int64_t id = engine.submit(r);
  const auto after = engine.run();
  ASSERT_EQ(after.size(), 1u);
  EXPECT_EQ(after[0].request, id);
  EXPECT_EQ(after[0].ids, alone(model, r).ids);
  EXPECT_EQ(after[0].logprobs, alone(model, r).logprobs);
}

TEST(Engine, CancelledRequestsComeInTheOrderOfSubmission) {
  const auto model = tiny_model(model::Architecture::llama);
  Engine engine(model, options_with(2048, 1, 2048));
  Request r;
  r.prompt = {1, 2};
  std::vector<int64_t> ids;
  ids.reserve(4);
  for (int i = 0; i < 4; ++i) ids.push_back(engine.submit(r));
  for (const int i : {2, 0, 3, 1}) engine.cancel(ids[static_cast<size_t>(i)]);
  const auto ended = engine.step();
  ASSERT_EQ(ended.size(), 4u);
  for (size_t i = 0; i < 4; ++i) EXPECT_EQ(ended[i].request, ids[i]);
}

}  // namespace
}  // namespace laconic::rollout
