// The whole model against a plain implementation in double: logprobs, entropies and every gradient of every tensor;
// and central differences of the model's own loss.
#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "laconic/core/policy/policy.h"
#include "tests/core/policy/sequences.h"
#include "tests/support/reference_model.h"
#include "tests/support/tensors.h"
#include "tests/support/tiny_model.h"

namespace laconic::policy {
namespace {

constexpr double kTemperature = 0.9;

struct Kind {
  std::string name;
  model::ModelConfig config;
};

std::vector<Kind> kinds() {
  using model::Architecture;
  std::vector<Kind> all = {{"llama", tiny_config(Architecture::llama)},
                           {"mistral", tiny_config(Architecture::mistral)},
                           {"qwen2", tiny_config(Architecture::qwen2)},
                           {"qwen3", tiny_config(Architecture::qwen3)},
                           {"llama_with_biases_and_scaled_rope", tiny_config(Architecture::llama)}};
  auto& last = all.back().config;
  last.qkv_bias = last.output_bias = last.mlp_bias = true;
  last.tied = false;
  last.rope_scaling = {model::RopeScaling::Kind::llama3, 8.0, 1.0, 4.0, 32};
  return all;
}

// Norm weights and biases away from 1 and 0, so that forgetting one would show.
model::Model spread_model(const model::ModelConfig& config) {
  auto model = model::Model::random(config, 21, at::kFloat, at::kCPU);
  uint64_t seed = 50;
  for (auto& named : model.named_tensors()) {
    if (named.tensor.dim() == 1) named.tensor.add_(normal_tensor(named.tensor.sizes(), ++seed, 0.2));
  }
  return model;
}

struct Weights {
  at::Tensor logprob, entropy;  // of each scored token in the loss
};

Weights weights_for(int64_t n) {
  return {normal_tensor({n}, 30), normal_tensor({n}, 31, 0.3)};
}

at::Tensor reference_loss(const ReferenceModel& reference, const std::vector<ScoredSequence>& sequences,
                          const Weights& weights, at::Tensor* logprobs = nullptr, at::Tensor* entropies = nullptr) {
  std::vector<at::Tensor> logprob, entropy;
  for (const auto& s : sequences) {
    if (s.scored() == 0) continue;
    const auto log_p =
        at::log_softmax(reference.logits(s.ids) / kTemperature, -1).narrow(0, s.completion_start - 1, s.scored());
    const std::vector<int64_t> targets(s.ids.begin() + s.completion_start, s.ids.end());
    logprob.push_back(log_p.gather(1, at::tensor(targets, at::kLong).unsqueeze(1)).squeeze(1));
    entropy.push_back(-(log_p.exp() * log_p).sum(-1));
  }
  const auto l = at::cat(logprob), e = at::cat(entropy);
  if (logprobs != nullptr) *logprobs = l.detach(), *entropies = e.detach();
  return (l * weights.logprob.to(at::kDouble)).sum() + (e * weights.entropy.to(at::kDouble)).sum();
}

class WholeModel : public testing::TestWithParam<Kind> {};

TEST_P(WholeModel, AgreesWithThePlainImplementation) {
  auto model = spread_model(GetParam().config);
  const ReferenceModel reference(model);
  model.set_trainable(true);
  const auto sequences = random_sequences(6, 45, 61, 12);
  std::vector<int64_t> order = {0, 1, 2, 3, 4, 5};
  const auto batch = pack_all(sequences, order);
  const auto weights = weights_for(batch.targets.numel());

  at::Tensor logprob, entropy;
  torch::autograd::backward({reference_loss(reference, sequences, weights, &logprob, &entropy)}, {});
  const auto got = score(model, batch, kTemperature, true, {});
  EXPECT_LT((got.logprob - logprob).abs().max().item<double>(), 2e-5);
  EXPECT_LT((got.entropy - entropy).abs().max().item<double>(), 2e-5);
  torch::autograd::backward({(got.logprob * weights.logprob).sum() + (got.entropy * weights.entropy).sum()}, {});

  auto gradients = model.clone_frozen();  // to see them under their Hugging Face names
  const auto parameters = model.parameters(), slots = gradients.parameters();
  for (size_t i = 0; i < slots.size(); ++i) slots[i].tensor.copy_(parameters[i].tensor.grad());
  size_t compared = 0;
  for (const auto& named : gradients.named_tensors()) {
    const auto& expected = reference.leaf(named.name).grad();
    EXPECT_LT(relative_difference(named.tensor, expected), 3e-5) << named.name;
    EXPECT_GT(expected.abs().max().item<double>(), 1e-3) << named.name << " matters";
    ++compared;
  }
  EXPECT_EQ(compared, reference.leaves().size());
}

// Central differences of the loss that the model itself computes, with respect to two values of every tensor.
TEST_P(WholeModel, GradientsAreSlopes) {
  auto model = spread_model(GetParam().config);
  const auto sequences = random_sequences(3, 20, 61, 13);
  const auto batch = pack_all(sequences, {0, 1, 2});
  const auto weights = weights_for(batch.targets.numel());
  const auto loss = [&] {
    const auto s = score(model, batch, kTemperature, true, {});
    return (s.logprob * weights.logprob).sum(at::kDouble) + (s.entropy * weights.entropy).sum(at::kDouble);
  };
  model.set_trainable(true);
  torch::autograd::backward({loss()}, {});
  const at::NoGradGuard no_grad;
  Rng rng(DrawPurpose::procedural_data, {14});
  for (const auto& parameter : model.parameters()) {
    const auto flat = parameter.tensor.detach().flatten();
    const auto gradient = parameter.tensor.grad().flatten();
    const double size = gradient.to(at::kDouble).norm().item<double>() / std::sqrt(flat.numel());
    for (int i = 0; i < 2; ++i) {
      const auto at = static_cast<int64_t>(rng.below(static_cast<uint32_t>(flat.numel())));
      constexpr double kStep = 5e-3;
      const float old = flat[at].item<float>();
      flat[at] = static_cast<double>(old) + kStep;
      const double high = loss().item<double>(), x_high = flat[at].item<double>();
      flat[at] = static_cast<double>(old) - kStep;
      const double low = loss().item<double>(), x_low = flat[at].item<double>();
      flat[at] = static_cast<double>(old);
      const double slope = (high - low) / (x_high - x_low), expected = gradient[at].item<double>();
      EXPECT_NEAR(slope, expected, 0.02 * (std::abs(expected) + size) + 3e-3) << parameter.name << " " << at;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, WholeModel, testing::ValuesIn(kinds()),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace laconic::policy
