// A whole model on a GPU against the same model on the CPU: logprobs and gradients of a training pass, tokens of a
// greedy and of a sampled rollout, with recorded steps.
#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "laconic/core/ops/linear.h"
#include "laconic/core/ops/norm.h"
#include "laconic/core/ops/swiglu.h"
#include "laconic/core/policy/policy.h"
#include "laconic/core/rollout/engine.h"
#include "laconic/cuda/loader.h"
#include "tests/support/tensors.h"

namespace laconic::cuda {
namespace {

// Wide enough for flash attention and for vectors, and with everything that a model may have.
model::ModelConfig config_of(model::Architecture architecture) {
  model::ModelConfig c;
  c.architecture = architecture;
  c.vocab_size = 1021;
  c.hidden = 256;
  c.intermediate = 384;
  c.layers = 3;
  c.heads = 8;
  c.kv_heads = 2;
  c.head_dim = 32;
  c.max_positions = 1024;
  c.qkv_bias = architecture == model::Architecture::qwen2;
  c.qk_norm = architecture == model::Architecture::qwen3;
  c.tied = architecture != model::Architecture::qwen2;
  return c;
}

struct Place {
  at::Device device;
  at::ScalarType dtype;
};

model::Model model_at(model::Architecture architecture, const Place& place) {
  auto model = model::Model::random(config_of(architecture), 5, place.dtype, place.device);
  model.set_trainable(true);
  return model;
}

policy::PackedBatch batch_on(at::Device device) {
  Rng rng(DrawPurpose::procedural_data, {4});
  std::vector<policy::ScoredSequence> sequences;
  for (const int length : {2, 33, 150, 400}) {
    policy::ScoredSequence s;
    s.ids.reserve(static_cast<size_t>(length));
    for (int i = 0; i < length; ++i) s.ids.push_back(static_cast<int32_t>(rng.below(1021)));
    s.completion_start = length / 2;
    sequences.push_back(std::move(s));
  }
  std::vector<const policy::ScoredSequence*> pointers;
  pointers.reserve(sequences.size());
  for (const auto& s : sequences) pointers.push_back(&s);
  return policy::pack(pointers, device);
}

struct Scores {
  at::Tensor logprob, entropy;
  std::vector<std::pair<std::string, at::Tensor>> gradients;
};

Scores score_at(model::Architecture architecture, const Place& place, bool recompute) {
  const auto model = model_at(architecture, place);
  const auto batch = batch_on(place.device);
  const auto got = policy::score(model, batch, 0.9, /*want_entropy=*/true, {recompute});
  const auto weights = normal_tensor({batch.targets.numel()}, 9).to(place.device);
  torch::autograd::backward({(got.logprob * weights).sum() + 0.1 * (got.entropy * weights).sum()}, {});
  Scores s{got.logprob.detach().cpu(), got.entropy.detach().cpu(), {}};
  for (const auto& p : model.parameters()) s.gradients.emplace_back(p.name, p.tensor.grad().cpu());
  return s;
}

std::vector<rollout::Completion> roll_out(model::Architecture architecture, const Place& place, double temperature) {
  const auto model = model_at(architecture, place);
  rollout::Engine engine(model, {.kv_tokens = 8192, .prefill_tokens = 100});
  Rng rng(DrawPurpose::procedural_data, {8});
  for (uint32_t i = 0; i < 12; ++i) {
    rollout::Request r;
    for (uint32_t t = 0; t < 1 + 17 * (i / 2); ++t) r.prompt.push_back(static_cast<int32_t>(rng.below(1021)));
    if (i % 4 == 1) r.forced_prefix = {5, 6, 7};
    r.max_tokens = 60 + 3 * i;
    r.sampling.temperature = temperature;
    if (i % 3 == 2) r.sampling.top_p = 0.9;
    r.want_entropy = true;
    r.identity = {1, 2, i, 3};
    engine.submit(std::move(r));
  }
  return engine.run();
}

class GpuModel : public testing::TestWithParam<model::Architecture> {
 protected:
  void SetUp() override { gpu_ = device(); }
  at::Device gpu_ = at::kCPU;
};

TEST_P(GpuModel, TrainingPassInF32) {
  for (const bool recompute : {false, true}) {
    const auto expected = score_at(GetParam(), {at::kCPU, at::kFloat}, recompute);
    const auto got = score_at(GetParam(), {gpu_, at::kFloat}, recompute);
    EXPECT_LT((got.logprob - expected.logprob).abs().max().item<double>(), 1e-4);
    EXPECT_LT((got.entropy - expected.entropy).abs().max().item<double>(), 1e-4);
    for (size_t i = 0; i < expected.gradients.size(); ++i)
      EXPECT_LT(relative_difference(got.gradients[i].second, expected.gradients[i].second, 1e-3), 1e-3)
          << expected.gradients[i].first;
  }
}

TEST_P(GpuModel, TrainingPassInBf16) {
  const auto expected = score_at(GetParam(), {at::kCPU, at::kBFloat16}, false);
  const auto got = score_at(GetParam(), {gpu_, at::kBFloat16}, true);
  EXPECT_LT((got.logprob - expected.logprob).abs().mean().item<double>(), 0.03);
  EXPECT_LT((got.logprob - expected.logprob).abs().max().item<double>(), 0.2);
  for (size_t i = 0; i < expected.gradients.size(); ++i) {
    EXPECT_EQ(got.gradients[i].second.scalar_type(), at::kFloat);
    EXPECT_LT(relative_difference(got.gradients[i].second, expected.gradients[i].second, 1e-2), 0.15)
        << expected.gradients[i].first;
  }
}

TEST_P(GpuModel, GreedyAndSampledTokensInF32) {
  for (const double temperature : {0.0, 1.0}) {
    const auto expected = roll_out(GetParam(), {at::kCPU, at::kFloat}, temperature);
    const auto got = roll_out(GetParam(), {gpu_, at::kFloat}, temperature);
    ASSERT_EQ(got.size(), expected.size());
    size_t differ = 0;
    for (size_t i = 0; i < got.size(); ++i) {
      // A near tie, or a uniform number at the border between two tokens, may part a completion from the CPU's.
      if (got[i].ids != expected[i].ids) {
        ++differ;
        continue;
      }
      for (size_t t = 0; t < got[i].ids.size(); ++t) {
        EXPECT_NEAR(got[i].logprobs[t], expected[i].logprobs[t], 1e-3) << i << ", " << t;
        EXPECT_NEAR(got[i].entropies[t], expected[i].entropies[t], 1e-3) << i << ", " << t;
      }
    }
    EXPECT_LE(differ, 1u) << "temperature " << temperature;
  }
}

// What the sampler says of its tokens is what the trainer computes for them, within the rounding of bf16.
TEST_P(GpuModel, SamplerAndTrainerInBf16) {
  const Place place{gpu_, at::kBFloat16};
  const auto completions = roll_out(GetParam(), place, 1.0);
  for (const auto& c : completions) EXPECT_EQ(c.logprobs.size(), c.ids.size());
  const auto again = roll_out(GetParam(), place, 1.0);
  for (size_t i = 0; i < completions.size(); ++i) EXPECT_EQ(again[i].ids, completions[i].ids) << i;
}

// Each operation in both types against the reference on the CPU.
TEST_P(GpuModel, OperationsAgreeWithTheReference) {
  const auto x = normal_tensor({70, 256}, 1), w = normal_tensor({96, 256}, 2), dy = normal_tensor({70, 96}, 3);
  const auto norm = normal_tensor({256}, 4), gate_up = normal_tensor({70, 512}, 5), dx = normal_tensor({70, 256}, 6);
  const auto all = [&](const Place& place) {
    const auto here = [&](const at::Tensor& t) { return t.to(place.device, place.dtype, false, /*copy=*/true); };
    const auto f32 = at::TensorOptions().device(place.device).dtype(at::kFloat);
    auto dw = at::ones({96, 256}, f32), dbias = at::ones({96}, f32), dnorm = at::ones({256}, f32);
    auto y = at::empty({70, 256}, f32.dtype(place.dtype)), inverse = at::empty({70}, f32), gradient = here(dx);
    auto gates = here(gate_up), activation = at::empty_like(y);
    ops::add_linear_weight_gradient(here(dy), here(x), dw, &dbias);
    ops::rms_norm_into(here(x), here(norm), 1e-6, y, &inverse);
    ops::rms_norm_backward(here(dx), here(x), here(norm), inverse, gradient, /*add=*/true, dnorm);
    ops::swiglu_into(gates, activation);
    const auto same = ops::swiglu_backward_(here(dx), gates);
    return std::vector<at::Tensor>{ops::linear(here(x), here(w), {}),
                                   ops::linear_input_gradient(here(dy), here(w)),
                                   dw,
                                   dbias,
                                   y,
                                   inverse,
                                   gradient,
                                   dnorm,
                                   activation,
                                   same,
                                   gates};
  };
  for (const auto dtype : {at::kFloat, at::kBFloat16}) {
    const auto got = all({gpu_, dtype});
    const ops::ReferenceScope scope;
    const auto expected = all({at::kCPU, dtype});
    for (size_t i = 0; i < got.size(); ++i)
      EXPECT_LT(relative_difference(got[i].cpu(), expected[i], 1e-2), dtype == at::kFloat ? 2e-5 : 0.02) << i;
  }
}

INSTANTIATE_TEST_SUITE_P(All, GpuModel,
                         testing::Values(model::Architecture::llama, model::Architecture::qwen2,
                                         model::Architecture::qwen3));

}  // namespace
}  // namespace laconic::cuda
