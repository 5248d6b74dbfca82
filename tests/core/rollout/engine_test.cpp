// The engine's promises: exact numbers whatever the batch, sharing, budgets, preemption and continuations.
#include "laconic/core/rollout/engine.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "laconic/core/base/error.h"
#include "laconic/core/base/rng.h"
#include "laconic/core/ops/parallel.h"
#include "laconic/core/policy/policy.h"
#include "tests/core/rollout/run_all.h"
#include "tests/support/golden_model.h"
#include "tests/support/tiny_model.h"

namespace laconic::rollout {
namespace {

Request request_for(std::vector<int32_t> prompt, uint64_t prompt_index, uint32_t sample, int64_t max_tokens) {
  Request r;
  r.prompt = std::move(prompt);
  r.max_tokens = max_tokens;
  r.identity = {7, 3, prompt_index, sample};
  return r;
}

// Prompts of many lengths (around page borders), several samples each, some with stop ids, forced tokens, truncation.
std::vector<Request> mixed_requests(int prompts = 6, int samples = 4) {
  Rng rng(DrawPurpose::procedural_data, {99});
  const std::vector<int> lengths = {1, 31, 32, 33, 7, 64, 50, 2};
  std::vector<Request> all;
  for (int p = 0; p < prompts; ++p) {
    std::vector<int32_t> prompt;
    const int length = lengths[static_cast<size_t>(p) % lengths.size()];
    prompt.reserve(static_cast<size_t>(length));
    for (int i = 0; i < length; ++i) prompt.push_back(static_cast<int32_t>(rng.below(60)));
    for (int s = 0; s < samples; ++s) {
      auto r = request_for(prompt, static_cast<uint64_t>(p), static_cast<uint32_t>(s), 20 + 13 * s);
      r.sampling.temperature = s % 2 == 0 ? 1.0 : 0.7;
      if (s == 1) r.stop_ids = {5, 6, 7};
      if (s == 2) r.forced_prefix = {9, 10, 11};
      if (s == 3) r.sampling.top_k = 7;
      r.want_entropy = s != 1;
      all.push_back(std::move(r));
    }
  }
  return all;
}

void expect_same(const std::vector<Completion>& a, const std::vector<Completion>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].ids, b[i].ids) << i;
    EXPECT_EQ(a[i].logprobs, b[i].logprobs) << i;  // bit for bit
    EXPECT_EQ(a[i].entropies, b[i].entropies) << i;
    EXPECT_EQ(a[i].forced, b[i].forced) << i;
    EXPECT_EQ(a[i].finish, b[i].finish) << i;
  }
}

TEST(Engine, GreedyTokensOfTheReference) {
  for (const auto& name : golden_names()) {
    const auto path = LACONIC_TEST_DATA_OR_SKIP("golden_models/" + name);
    const GoldenModel golden(path);
    const auto model = model::Model::from_folder(path, at::kFloat, at::kCPU);
    Engine engine(model, {});
    for (const auto& g : golden.json["greedy"]) {
      auto r = request_for(g["prompt"].get<std::vector<int32_t>>(), 0, 0, 24);
      r.sampling.temperature = 0;
      engine.submit(r);
    }
    const auto completions = engine.run();
    for (size_t i = 0; i < completions.size(); ++i) {
      EXPECT_EQ(completions[i].ids, golden.json["greedy"][i]["tokens"].get<std::vector<int32_t>>()) << name;
      const auto expected = golden.json["greedy"][i]["logprobs"].get<std::vector<float>>();
      EXPECT_THAT(completions[i].logprobs, testing::Pointwise(testing::FloatNear(1e-4f), expected)) << name;
    }
  }
}

TEST(Engine, GreedyStory) {
  const auto path = LACONIC_TEST_DATA_OR_SKIP("checkpoints/stories260K");
  const auto golden = nlohmann::json::parse(std::ifstream(path / "golden.json"));
  const auto tokens = golden["greedy_tokens"].get<std::vector<int32_t>>();
  const auto model = model::Model::from_folder(path, at::kFloat, at::kCPU);
  auto r = request_for({tokens[0]}, 0, 0, static_cast<int64_t>(tokens.size()) - 1);
  r.sampling.temperature = 0;
  const auto completions = run_all(model, {}, {r});
  EXPECT_EQ(completions[0].ids, std::vector<int32_t>(tokens.begin() + 1, tokens.end()));
}

class EngineOfKind : public testing::TestWithParam<model::Architecture> {};

// The promise that everything rests on: a completion does not depend on how it was computed.
TEST_P(EngineOfKind, CompletionsDoNotDependOnTheBatch) {
  const auto model = tiny_model(GetParam());
  const auto requests = mixed_requests();
  const auto reference = run_all(model, {.kv_tokens = 8192}, requests);
  EngineStatistics statistics;
  expect_same(reference, run_all(model, {.kv_tokens = 8192, .max_rows = 1}, requests));
  expect_same(reference, run_all(model, {.kv_tokens = 8192, .max_rows = 5, .prefill_tokens = 9}, requests));
  expect_same(reference,
              run_all(model, {.kv_tokens = 8192, .max_rows = 7, .prefill_tokens = 1, .logits_bytes = 1}, requests));
  expect_same(reference, run_all(model, {.kv_tokens = 160, .max_rows = 16}, requests, &statistics));
  EXPECT_GT(statistics.preemptions, 0);  // the budget was small enough to test what it is for
  auto reversed = requests;
  std::reverse(reversed.begin(), reversed.end());
  auto backwards = run_all(model, {.kv_tokens = 8192}, reversed);
  std::reverse(backwards.begin(), backwards.end());
  expect_same(reference, backwards);
  for (size_t i = 0; i < requests.size(); i += 5) {  // alone
    expect_same({reference[i]}, run_all(model, {.kv_tokens = 8192}, {requests[i]}));
  }
  ops::set_threads(1);
  expect_same(reference, run_all(model, {.kv_tokens = 8192}, requests));
  ops::set_threads(3);
  expect_same(reference, run_all(model, {.kv_tokens = 8192}, requests));
  ops::set_threads(0);
}

// Exact on-policy: the trainer's logprobs of the sampled tokens are the sampler's.
TEST_P(EngineOfKind, SamplerAndTrainerAgreeBitForBit) {
  auto model = tiny_model(GetParam());
  model.set_trainable(true);
  for (const bool recompute : {false, true}) {
    for (const double temperature : {1.0, 0.6}) {
      auto requests = mixed_requests();
      for (auto& r : requests) {
        r.sampling = {temperature, 0, 1.0, 0.0};
        r.want_entropy = true;
      }
      const auto completions = run_all(model, {.kv_tokens = 2048, .max_rows = 6}, requests);
      std::vector<policy::ScoredSequence> sequences;
      for (size_t i = 0; i < requests.size(); ++i) {
        policy::ScoredSequence s{requests[i].prompt, static_cast<int64_t>(requests[i].prompt.size())};
        s.ids.insert(s.ids.end(), completions[i].ids.begin(), completions[i].ids.end());
        sequences.push_back(std::move(s));
      }
      std::vector<int64_t> lengths;
      lengths.reserve(sequences.size());
      for (const auto& s : sequences) lengths.push_back(static_cast<int64_t>(s.ids.size()));
      for (const auto& chosen : policy::split_by_tokens(lengths, 200)) {
        std::vector<const policy::ScoredSequence*> pointers;
        pointers.reserve(chosen.size());
        for (int64_t i : chosen) pointers.push_back(&sequences[static_cast<size_t>(i)]);
        const auto batch = policy::pack(pointers, at::kCPU);
        const auto scored = policy::score(model, batch, temperature, true, {recompute, 1 << 12});
        for (size_t k = 0; k < chosen.size(); ++k) {
          const auto& c = completions[static_cast<size_t>(chosen[k])];
          const auto n = static_cast<int64_t>(c.ids.size());
          const auto row = [&](const at::Tensor& t) { return t.detach().narrow(0, batch.scored_offsets[k], n); };
          EXPECT_TRUE(at::equal(row(scored.logprob), at::tensor(c.logprobs)))
              << (row(scored.logprob) - at::tensor(c.logprobs)).abs().max();
          EXPECT_TRUE(at::equal(row(scored.entropy), at::tensor(c.entropies)));
        }
      }
    }
  }
}

TEST_P(EngineOfKind, ContinuationsEqualTheCompletionTheyComeFrom) {
  const auto model = tiny_model(GetParam());
  auto parent_request = mixed_requests(1, 1)[0];
  parent_request.prompt.assign(37, 4);
  parent_request.max_tokens = 60;
  parent_request.retain = true;
  parent_request.want_entropy = true;
  const auto continue_at = [&](const Completion& parent, size_t keep, std::optional<int64_t> cache) {
    Request r = parent_request;
    r.retain = false;
    r.kept.ids.assign(parent.ids.begin(), parent.ids.begin() + static_cast<std::ptrdiff_t>(keep));
    r.kept.logprobs.assign(parent.logprobs.begin(), parent.logprobs.begin() + static_cast<std::ptrdiff_t>(keep));
    r.kept.entropies.assign(parent.entropies.begin(), parent.entropies.begin() + static_cast<std::ptrdiff_t>(keep));
    r.kept.forced.assign(keep, 0);
    r.kept.parent = cache;
    r.max_tokens = 60 - static_cast<int64_t>(keep);
    return r;
  };
  for (const bool reuse : {true, false}) {
    Engine engine(model, {.kv_tokens = 4096});
    const int64_t id = engine.submit(parent_request);
    const auto parent = engine.run()[0];
    ASSERT_EQ(parent.ids.size(), 60u);
    // The same identity at the same positions draws the same tokens.
    for (size_t keep : {size_t{1}, size_t{26}, size_t{27}, size_t{28}, size_t{59}}) {
      engine.submit(continue_at(parent, keep, reuse ? std::optional(id) : std::nullopt));
      const auto again = engine.run();
      ASSERT_EQ(again.size(), 1u);
      EXPECT_EQ(again[0].ids, parent.ids);
      EXPECT_EQ(again[0].logprobs, parent.logprobs);
      EXPECT_EQ(again[0].entropies, parent.entropies);
      EXPECT_EQ(again[0].drawn, 60 - static_cast<int64_t>(keep));
    }
    if (reuse) {
      EXPECT_GT(engine.statistics().adopted_tokens, 5 * 37);
      engine.release(id);
    }
    // Forced tokens in the middle are scored like drawn ones would be.
    auto forced = continue_at(parent, 20, std::nullopt);
    forced.forced_prefix.assign(parent.ids.begin() + 20, parent.ids.begin() + 30);
    engine.submit(forced);
    const auto replay = engine.run()[0];
    EXPECT_EQ(replay.ids, parent.ids);
    EXPECT_EQ(replay.logprobs, parent.logprobs);
    EXPECT_EQ(std::count(replay.forced.begin(), replay.forced.end(), 1), 10);
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, EngineOfKind,
                         testing::Values(model::Architecture::llama, model::Architecture::qwen2,
                                         model::Architecture::qwen3));

TEST(Engine, PromptOfAGroupIsComputedOnce) {
  const auto model = tiny_model(model::Architecture::llama);
  std::vector<Request> requests;
  for (uint32_t s = 0; s < 8; ++s) requests.push_back(request_for(std::vector<int32_t>(45, 3), 0, s, 10));
  EngineStatistics statistics;
  run_all(model, {}, requests, &statistics);
  EXPECT_EQ(statistics.prefilled_tokens, 45);
  EXPECT_EQ(statistics.adopted_tokens, 7 * 45);
}

TEST(Engine, NoRowsForFinishedSequences) {
  const auto model = tiny_model(model::Architecture::llama);
  auto requests = mixed_requests(4, 4);
  for (auto& r : requests) r.forced_prefix.clear();
  Engine engine(model, {.max_rows = 4});
  for (const auto& r : requests) engine.submit(r);
  int64_t drawn = 0;
  while (!engine.idle()) {
    for (const auto& c : engine.step()) drawn += c.drawn;
  }
  EXPECT_EQ(engine.statistics().decoded_tokens, drawn);
}

TEST(Engine, StopsAndLimits) {
  const auto model = tiny_model(model::Architecture::llama);
  auto r = request_for({1, 2, 3}, 0, 0, 200);
  const auto free = run_all(model, {}, {r})[0];
  EXPECT_EQ(free.finish, FinishReason::length);
  EXPECT_EQ(free.ids.size(), 200u);
  r.stop_ids = {free.ids[50]};
  const auto stopped = run_all(model, {}, {r})[0];
  const auto first = std::find(free.ids.begin(), free.ids.end(), free.ids[50]) - free.ids.begin();
  EXPECT_EQ(stopped.finish, FinishReason::stop);
  EXPECT_EQ(static_cast<std::ptrdiff_t>(stopped.ids.size()), first + 1);
  EXPECT_EQ(stopped.ids.back(), free.ids[50]);
  // A forced stop id does not stop.
  r.forced_prefix = {free.ids[50], 3};
  r.max_tokens = 2;
  const auto only_forced = run_all(model, {}, {r})[0];
  EXPECT_EQ(only_forced.ids, r.forced_prefix);
  EXPECT_EQ(only_forced.finish, FinishReason::length);
  EXPECT_EQ(only_forced.logprobs.size(), 2u);
  EXPECT_EQ(only_forced.drawn, 0);
}

struct Letters final : TextStream {
  std::string push(int32_t id) override { return std::string(1, static_cast<char>('a' + id % 26)); }
};

TEST(Engine, StopStringsAcrossTokens) {
  const auto model = tiny_model(model::Architecture::llama);
  auto r = request_for({1, 2, 3}, 0, 0, 120);
  const auto free = run_all(model, {}, {r})[0];
  std::string text;
  for (int32_t id : free.ids) text += static_cast<char>('a' + id % 26);
  r.stop_strings = {"no such text here", text.substr(60, 3)};
  EngineOptions options;
  EXPECT_THROW(run_all(model, options, {r}), Error);
  options.make_text_stream = [] { return std::make_unique<Letters>(); };
  const auto stopped = run_all(model, options, {r})[0];
  EXPECT_EQ(stopped.finish, FinishReason::stop);
  EXPECT_EQ(stopped.ids.size(), text.find(text.substr(60, 3)) + 3);
}

TEST(Engine, CancelledRequestsReturnWhatTheyHave) {
  const auto model = tiny_model(model::Architecture::llama);
  Engine engine(model, {.max_rows = 2});
  std::vector<int64_t> ids;
  for (uint32_t s = 0; s < 4; ++s) ids.push_back(engine.submit(request_for({1, 2, 3}, 0, s, 50)));
  for (int i = 0; i < 10; ++i) engine.step();
  engine.cancel(ids[0]);  // runs
  engine.cancel(ids[3]);  // waits
  engine.cancel(12345);
  std::map<int64_t, Completion> ended;
  while (!engine.idle()) {
    for (auto& c : engine.step()) ended[c.request] = std::move(c);
  }
  ASSERT_EQ(ended.size(), 4u);
  EXPECT_EQ(ended[ids[0]].finish, FinishReason::cancelled);
  EXPECT_GT(ended[ids[0]].ids.size(), 5u);
  EXPECT_EQ(ended[ids[3]].finish, FinishReason::cancelled);
  EXPECT_TRUE(ended[ids[3]].ids.empty());
  EXPECT_EQ(ended[ids[2]].ids.size(), 50u);
  for (uint32_t s = 0; s < 4; ++s) engine.submit(request_for({1, 2, 3}, 0, s, 50));
  engine.step();
  engine.cancel_all();
  EXPECT_EQ(engine.run().size(), 4u);
}

TEST(Engine, BadRequestsAreRefused) {
  const auto model = tiny_model(model::Architecture::llama);
  Engine engine(model, {.kv_tokens = 64});
  const auto message = [&](Request r) -> std::string {
    try {
      engine.submit(std::move(r));
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_THAT(message(request_for({}, 0, 0, 5)), testing::HasSubstr("at least one token"));
  EXPECT_THAT(message(request_for({100000}, 0, 0, 5)), testing::HasSubstr("vocabulary"));
  EXPECT_THAT(message(request_for({1}, 0, 0, 0)), testing::HasSubstr("max_tokens"));
  EXPECT_THAT(message(request_for({1}, 0, 0, 100)), testing::HasSubstr("budget"));
  EXPECT_THAT(message(request_for({1}, 0, 0, 1000000)), testing::HasSubstr("window"));
  auto r = request_for({1}, 0, 0, 5);
  r.sampling.top_p = 0;
  EXPECT_THAT(message(r), testing::HasSubstr("top_p"));
  r = request_for({1}, 0, 0, 2);
  r.forced_prefix = {1, 2, 3};
  EXPECT_THAT(message(r), testing::HasSubstr("forced"));
  EXPECT_TRUE(engine.idle());
}

TEST(Engine, DamagedWeightsAreAnError) {
  auto model = tiny_model(model::Architecture::llama);
  model.parameters()[3].tensor.fill_(std::numeric_limits<float>::quiet_NaN());
  try {
    run_all(model, {}, {request_for({1, 2}, 0, 0, 3)});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::numeric);
  }
}

}  // namespace
}  // namespace laconic::rollout
