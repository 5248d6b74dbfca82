// The engine through the device operations (their reference, on the CPU): the same tokens as the CPU's kernels draw,
// with paged cache, prefill in pieces, preemption, forced and scored tokens, recorded and plain steps.
#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "laconic/core/ops/device_ops.h"
#include "laconic/core/policy/policy.h"
#include "laconic/core/rollout/engine.h"
#include "tests/core/rollout/run_all.h"
#include "tests/support/error_of.h"
#include "tests/support/tiny_model.h"

namespace laconic::rollout {
namespace {

std::vector<Request> requests_of_all_kinds() {
  Rng rng(DrawPurpose::procedural_data, {99});
  std::vector<Request> all;
  for (const int length : {1, 31, 32, 33, 50}) {
    std::vector<int32_t> prompt;
    prompt.reserve(static_cast<size_t>(length));
    for (int i = 0; i < length; ++i) prompt.push_back(static_cast<int32_t>(rng.below(60)));
    for (uint32_t sample = 0; sample < 4; ++sample) {
      Request r;
      r.prompt = prompt;
      r.max_tokens = 10 + 9 * sample;
      r.identity = {7, 3, static_cast<uint64_t>(length), sample};
      r.sampling.temperature = sample == 0 ? 0.0 : 0.8;
      if (sample == 1) r.stop_ids = {5, 6, 7};
      if (sample == 2) r.forced_prefix = {9, 10, 11};
      if (sample == 3) r.sampling.top_p = 0.9;
      r.want_entropy = sample != 1;
      all.push_back(std::move(r));
    }
  }
  return all;
}

void expect_near(const std::vector<Completion>& got, const std::vector<Completion>& expected) {
  ASSERT_EQ(got.size(), expected.size());
  for (size_t i = 0; i < got.size(); ++i) {
    EXPECT_EQ(got[i].ids, expected[i].ids) << i;
    EXPECT_EQ(got[i].forced, expected[i].forced) << i;
    EXPECT_EQ(got[i].finish, expected[i].finish) << i;
    EXPECT_THAT(got[i].logprobs, testing::Pointwise(testing::FloatNear(2e-5f), expected[i].logprobs)) << i;
    EXPECT_THAT(got[i].entropies, testing::Pointwise(testing::FloatNear(2e-5f), expected[i].entropies)) << i;
  }
}

class DeviceEngine : public testing::TestWithParam<model::Architecture> {};

TEST_P(DeviceEngine, DrawsWhatTheKernelsDraw) {
  const auto requests = requests_of_all_kinds();
  const auto expected = run_all(tiny_model(GetParam()), {.kv_tokens = 8192}, requests);
  const ops::ReferenceScope scope;
  const auto model = tiny_model(GetParam());
  EngineStatistics statistics;
  expect_near(run_all(model, {.kv_tokens = 8192}, requests), expected);
  expect_near(run_all(model, {.kv_tokens = 8192, .max_rows = 5, .prefill_tokens = 9}, requests), expected);
  expect_near(run_all(model, {.kv_tokens = 160, .max_rows = 16}, requests, &statistics), expected);
  EXPECT_GT(statistics.preemptions, 0);
}

TEST_P(DeviceEngine, ManyForcedTokensAreScoredInPieces) {
  Request r;
  r.prompt = {1, 2, 3};
  for (int32_t i = 0; i < 150; ++i) r.forced_prefix.push_back(i * 7 % 60);
  r.max_tokens = 155;
  r.want_entropy = true;
  const auto expected = run_all(tiny_model(GetParam()), {}, {r});
  const ops::ReferenceScope scope;
  expect_near(run_all(tiny_model(GetParam()), {.max_rows = 1}, {r}), expected);
}

// Weights that come and go: no step is replayed.
class Moving final : public model::WeightUse {
 public:
  void acquire(int64_t, model::Pass) override { ++acquired; }
  void release(int64_t, model::Pass) override { ++released; }
  void begin_uneven_passes() override {}
  void end_uneven_passes() override {}
  int64_t acquired = 0, released = 0;
};

TEST_P(DeviceEngine, StepsThatAreNotReplayedDrawTheSame) {
  const auto requests = requests_of_all_kinds();
  const auto expected = run_all(tiny_model(GetParam()), {.kv_tokens = 8192}, requests);
  const ops::ReferenceScope scope;
  auto model = tiny_model(GetParam());
  Moving use;
  model.set_weight_use(&use);
  expect_near(run_all(model, {.kv_tokens = 8192}, requests), expected);
  EXPECT_GT(use.acquired, 0);
  EXPECT_EQ(use.acquired, use.released);
}

// Sampler and trainer differ by rounding, as they do on a device.
TEST_P(DeviceEngine, SamplerAndTrainerAgreeWithinRounding) {
  const ops::ReferenceScope scope;
  for (const auto dtype : {at::kFloat, at::kBFloat16}) {
    const auto model = tiny_model(GetParam(), dtype);
    auto requests = requests_of_all_kinds();
    for (auto& r : requests) r.sampling = {};
    std::vector<policy::ScoredSequence> sequences;
    std::vector<float> sampled;
    const auto completions = run_all(model, {}, requests);
    for (size_t i = 0; i < completions.size(); ++i) {
      policy::ScoredSequence s{requests[i].prompt, static_cast<int64_t>(requests[i].prompt.size())};
      s.ids.insert(s.ids.end(), completions[i].ids.begin(), completions[i].ids.end());
      sampled.insert(sampled.end(), completions[i].logprobs.begin(), completions[i].logprobs.end());
      sequences.push_back(std::move(s));
    }
    std::vector<const policy::ScoredSequence*> pointers;
    pointers.reserve(sequences.size());
    for (const auto& s : sequences) pointers.push_back(&s);
    const at::NoGradGuard no_grad;
    const auto scored = policy::score(model, policy::pack(pointers, at::kCPU), 1.0, false, {}).logprob;
    const auto gap = (scored - at::tensor(sampled)).abs();
    EXPECT_LT(gap.max().item<double>(), dtype == at::kFloat ? 2e-5 : 0.1);
  }
}

TEST(DeviceEngineErrors, LogitsThatAreNotFiniteAreAnError) {
  const ops::ReferenceScope scope;
  const auto model = tiny_model(model::Architecture::llama);
  model.parameters().front().tensor.detach().fill_(std::nan(""));
  EXPECT_THAT(error_of([&] { run_all(model, {}, requests_of_all_kinds()); }), testing::HasSubstr("not finite"));
}

INSTANTIATE_TEST_SUITE_P(All, DeviceEngine,
                         testing::Values(model::Architecture::llama, model::Architecture::qwen2,
                                         model::Architecture::qwen3));

}  // namespace
}  // namespace laconic::rollout
