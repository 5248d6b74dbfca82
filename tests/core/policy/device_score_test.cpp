// The whole model through the device operations (their reference, on the CPU): logprobs, entropies and all gradients
// against the CPU's kernels.
#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "laconic/core/ops/device_ops.h"
#include "laconic/core/policy/policy.h"
#include "tests/core/policy/sequences.h"
#include "tests/support/tensors.h"
#include "tests/support/tiny_model.h"

namespace laconic::policy {
namespace {

struct Scores {
  at::Tensor logprob, entropy;
  std::map<std::string, at::Tensor> gradients;
};

Scores score_all(model::Architecture architecture, at::ScalarType dtype, bool recompute) {
  auto model = tiny_model(architecture, dtype);
  model.set_trainable(true);
  const auto batch = pack_all(random_sequences(7, 45, 61, 12), {0, 1, 2, 3, 4, 5, 6});
  Scores s;
  const auto result = score(model, batch, 0.9, /*want_entropy=*/true, {recompute});
  const int64_t n = batch.targets.numel();
  torch::autograd::backward(
      {(result.logprob * normal_tensor({n}, 30)).sum() + (result.entropy * normal_tensor({n}, 31, 0.3)).sum()}, {});
  s.logprob = result.logprob.detach();
  s.entropy = result.entropy.detach();
  s.gradients = gradients_by_name(model);
  const at::NoGradGuard no_grad;
  const auto again = score(model, batch, 0.9, /*want_entropy=*/true, {});
  EXPECT_TRUE(at::equal(again.logprob, s.logprob)) << "with and without gradient";
  return s;
}

class DeviceScore : public testing::TestWithParam<model::Architecture> {};

TEST_P(DeviceScore, AgreesWithTheKernels) {
  for (const bool recompute : {false, true}) {
    const auto expected = score_all(GetParam(), at::kFloat, recompute);
    const ops::ReferenceScope scope;
    const auto got = score_all(GetParam(), at::kFloat, recompute);
    EXPECT_LT((got.logprob - expected.logprob).abs().max().item<double>(), 2e-5);
    EXPECT_LT((got.entropy - expected.entropy).abs().max().item<double>(), 2e-5);
    for (const auto& [name, gradient] : expected.gradients)
      EXPECT_LT(relative_difference(got.gradients.at(name), gradient, 1e-3), 2e-5) << name;
  }
}

// bf16 activations as a device has them: near what f32 activations give, with f32 gradients.
TEST_P(DeviceScore, Bf16ActivationsAreNear) {
  const auto expected = score_all(GetParam(), at::kBFloat16, false);
  const ops::ReferenceScope scope;
  const auto got = score_all(GetParam(), at::kBFloat16, true);
  EXPECT_LT((got.logprob - expected.logprob).abs().max().item<double>(), 0.1);
  EXPECT_LT((got.logprob - expected.logprob).abs().mean().item<double>(), 0.02);
  for (const auto& [name, gradient] : expected.gradients) {
    EXPECT_EQ(got.gradients.at(name).scalar_type(), at::kFloat) << name;
    EXPECT_LT(relative_difference(got.gradients.at(name), gradient, 1e-2), 0.1) << name;
  }
}

INSTANTIATE_TEST_SUITE_P(All, DeviceScore,
                         testing::Values(model::Architecture::llama, model::Architecture::qwen2,
                                         model::Architecture::qwen3));

}  // namespace
}  // namespace laconic::policy
