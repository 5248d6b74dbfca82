// Whole models through the plug-in's operations and the bodies of its kernels, on the emulated device: what a GPU run
// does in f32, but for cuBLAS, streams and graphs. Against the CPU's kernels.
#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "laconic/core/ops/device_scope.h"
#include "laconic/core/policy/policy.h"
#include "laconic/core/rollout/engine.h"
#include "laconic/cuda/cuda_ops.h"
#include "laconic/cuda/plugin/tensor_ops.h"
#include "tests/support/tensors.h"
#include "tests/support/tiny_model.h"

namespace laconic::cuda {
namespace {

std::unique_ptr<ops::StepGraphs> plain_steps() {
  return ops::ReferenceOps().make_graphs();
}

// The plug-in's table, with the emulated device behind it.
const Plugin& emulated_plugin() {
  static const Plugin plugin = [] {
    Plugin p{};
    p.add_norm = add_norm;
    p.norm_backward = norm_backward;
    p.swiglu = swiglu;
    p.swiglu_backward = swiglu_backward;
    p.rotate = rotate;
    p.rotate_append = rotate_append;
    p.paged_decode = paged_decode;
    p.packed_attention = packed_attention;
    p.packed_attention_backward = packed_attention_backward;
    p.score_logits = score_logits;
    p.logit_gradient = logit_gradient;
    p.sample = sample;
    p.decode_graphs = plain_steps;
    return p;
  }();
  return plugin;
}

class EmulatedModel : public testing::TestWithParam<model::Architecture> {
 protected:
  const CudaOps gpu_{emulated_plugin()};
};

struct Scores {
  at::Tensor logprob, entropy;
  std::vector<std::pair<std::string, at::Tensor>> gradients;
};

Scores score_all(model::Architecture architecture, bool recompute) {
  auto model = tiny_model(architecture);
  model.set_trainable(true);
  Rng rng(DrawPurpose::procedural_data, {3});
  std::vector<policy::ScoredSequence> sequences(4);
  std::vector<const policy::ScoredSequence*> pointers;
  pointers.reserve(sequences.size());
  for (auto& s : sequences) {
    const int length = rng.between(2, 40);
    for (int i = 0; i < length; ++i) s.ids.push_back(static_cast<int32_t>(rng.below(61)));
    s.completion_start = 1 + length / 3;
    pointers.push_back(&s);
  }
  const auto batch = policy::pack(pointers, at::kCPU);
  const auto got = policy::score(model, batch, 0.9, /*want_entropy=*/true, {recompute});
  const auto weights = normal_tensor({batch.targets.numel()}, 9);
  torch::autograd::backward({(got.logprob * weights).sum() + 0.1 * (got.entropy * weights).sum()}, {});
  Scores s{got.logprob.detach(), got.entropy.detach(), {}};
  for (const auto& p : model.parameters()) s.gradients.emplace_back(p.name, p.tensor.grad().clone());
  return s;
}

TEST_P(EmulatedModel, TrainingPass) {
  for (const bool recompute : {false, true}) {
    const auto expected = score_all(GetParam(), recompute);
    const ops::DeviceScope scope(gpu_);
    const auto got = score_all(GetParam(), recompute);
    EXPECT_LT((got.logprob - expected.logprob).abs().max().item<double>(), 2e-5);
    EXPECT_LT((got.entropy - expected.entropy).abs().max().item<double>(), 2e-5);
    for (size_t i = 0; i < expected.gradients.size(); ++i)
      EXPECT_LT(relative_difference(got.gradients[i].second, expected.gradients[i].second, 1e-3), 3e-5)
          << expected.gradients[i].first;
  }
}

std::vector<rollout::Completion> roll_out(model::Architecture architecture) {
  const auto model = tiny_model(architecture);
  rollout::Engine engine(model, {.kv_tokens = 160, .max_rows = 6, .prefill_tokens = 20});
  for (uint32_t i = 0; i < 8; ++i) {
    rollout::Request r;
    for (uint32_t t = 0; t < 1 + 9 * (i / 2); ++t) r.prompt.push_back(static_cast<int32_t>(11 * t % 60));
    if (i == 1) r.forced_prefix = {9, 10};
    r.max_tokens = 6 + 4 * i;
    r.sampling.temperature = i == 2 ? 0.0 : 0.9;
    if (i == 3) r.sampling.top_p = 0.8;
    if (i == 4) r.sampling.top_k = 5;
    if (i == 5) r.sampling.min_p = 0.05;
    r.want_entropy = i != 6;
    r.identity = {1, 2, i, 3};
    engine.submit(std::move(r));
  }
  return engine.run();
}

TEST_P(EmulatedModel, Rollout) {
  const auto expected = roll_out(GetParam());
  const ops::DeviceScope scope(gpu_);
  const auto got = roll_out(GetParam());
  ASSERT_EQ(got.size(), expected.size());
  for (size_t i = 0; i < got.size(); ++i) {
    EXPECT_EQ(got[i].ids, expected[i].ids) << i;
    EXPECT_THAT(got[i].logprobs, testing::Pointwise(testing::FloatNear(2e-5f), expected[i].logprobs)) << i;
    EXPECT_THAT(got[i].entropies, testing::Pointwise(testing::FloatNear(2e-5f), expected[i].entropies)) << i;
  }
}

INSTANTIATE_TEST_SUITE_P(All, EmulatedModel,
                         testing::Values(model::Architecture::llama, model::Architecture::qwen2,
                                         model::Architecture::qwen3));

}  // namespace
}  // namespace laconic::cuda
