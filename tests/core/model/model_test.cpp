// The model as a whole: random initialisation, precision, and that recomputation and threads change no bit.
#include "laconic/core/model/model.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "laconic/core/ops/parallel.h"
#include "tests/core/model/logits.h"
#include "tests/support/error_of.h"
#include "tests/support/tensors.h"
#include "tests/support/tiny_model.h"

namespace laconic::model {
namespace {

using testing::HasSubstr;

// Biases everywhere: what no architecture of the tiny models has together.
Model model_with_all_biases() {
  auto config = tiny_config(Architecture::llama);
  config.qkv_bias = config.output_bias = config.mlp_bias = true;
  auto model = Model::random(config, 4, at::kFloat, at::kCPU);
  uint64_t seed = 0;
  for (auto& named : model.named_tensors()) {
    if (named.name.ends_with("bias")) named.tensor.copy_(normal_tensor(named.tensor.sizes(), ++seed, 0.3));
  }
  return model;
}

std::vector<Model> every_model() {
  std::vector<Model> all;
  for (const auto architecture : {Architecture::llama, Architecture::mistral, Architecture::qwen2, Architecture::qwen3})
    all.push_back(tiny_model(architecture));
  all.push_back(model_with_all_biases());
  return all;
}

TEST(RandomModel, FollowsItsDistributions) {
  auto config = tiny_config(Architecture::qwen2);
  config.hidden = 160, config.intermediate = 300, config.vocab_size = 500;
  const auto model = Model::random(config, 1, at::kFloat, at::kCPU);
  for (const auto& named : model.named_tensors()) {
    const auto values = named.tensor.to(at::kDouble);
    if (values.dim() == 1) {
      EXPECT_EQ(values.min().item<double>(), named.name.ends_with("bias") ? 0.0 : 1.0) << named.name;
      EXPECT_EQ(values.max().item<double>(), named.name.ends_with("bias") ? 0.0 : 1.0) << named.name;
      continue;
    }
    const auto n = static_cast<double>(values.numel());
    const bool output = named.name.find("o_proj") != std::string::npos || named.name.find("down") != std::string::npos;
    const double deviation = named.name.find("embed") != std::string::npos
                                 ? 0.05
                                 : (output ? 0.4 : 1.0) / std::sqrt(static_cast<double>(values.size(1)));
    const auto z = values / deviation;
    EXPECT_NEAR(z.mean().item<double>(), 0.0, 5 / std::sqrt(n)) << named.name;
    EXPECT_NEAR(z.square().mean().item<double>(), 1.0, 5 * std::sqrt(2 / n)) << named.name;
    EXPECT_NEAR(z.pow(4).mean().item<double>(), 3.0, 5 * std::sqrt(96 / n)) << named.name;
    // Neighbours come from the same block of the generator.
    const auto flat = z.flatten();
    for (const int64_t lag : {1, 2, 4}) {
      const auto product = flat.narrow(0, lag, flat.numel() - lag) * flat.narrow(0, 0, flat.numel() - lag);
      EXPECT_NEAR(product.mean().item<double>(), 0.0, 5 / std::sqrt(n)) << named.name << " lag " << lag;
    }
  }
}

TEST(RandomModel, IsAFunctionOfTheSeedAlone) {
  const auto config = tiny_config(Architecture::qwen3);
  ops::set_threads(1);
  const auto one = Model::random(config, 5, at::kFloat, at::kCPU).parameters();
  ops::set_threads(3);
  const auto three = Model::random(config, 5, at::kFloat, at::kCPU).parameters();
  ops::set_threads(0);
  const auto other = Model::random(config, 6, at::kFloat, at::kCPU).parameters();
  const auto half = Model::random(config, 5, at::kBFloat16, at::kCPU).parameters();
  for (size_t i = 0; i < one.size(); ++i) {
    EXPECT_TRUE(at::equal(one[i].tensor, three[i].tensor)) << one[i].name;
    EXPECT_TRUE(at::equal(one[i].tensor.to(at::kBFloat16), half[i].tensor)) << one[i].name;
    EXPECT_EQ(at::equal(one[i].tensor, other[i].tensor), one[i].tensor.dim() == 1) << one[i].name;
  }
}

TEST(Model, Bfloat16WeightsGiveTheLogitsOfTheirRoundedValues) {
  for (const auto& exact : every_model()) {
    Model half(exact.config(), at::kBFloat16, at::kCPU), rounded(exact.config(), at::kFloat, at::kCPU);
    const auto from = exact.parameters();
    for (size_t i = 0; i < from.size(); ++i) {
      half.parameters()[i].tensor.copy_(from[i].tensor);
      rounded.parameters()[i].tensor.copy_(half.parameters()[i].tensor);
    }
    const auto ids = token_ids(exact, 50);
    const auto logits = logits_of(half, ids);
    EXPECT_EQ(logits.scalar_type(), at::kFloat);
    EXPECT_TRUE(at::equal(logits, logits_of(rounded, ids))) << "bf16 in memory, f32 in the arithmetic";
    EXPECT_LT(relative_difference(logits, logits_of(exact, ids)), 0.03);
  }
}

// Gradients of sum(weights * hidden states) of packed sequences; those already there are added to.
std::vector<at::Tensor> gradients_of(Model& model, const std::vector<int64_t>& lengths, bool recompute,
                                     int passes = 1) {
  model.set_trainable(true);
  for (auto& parameter : model.parameters()) parameter.tensor.mutable_grad().reset();
  std::vector<at::Tensor> positions;
  std::vector<int64_t> offsets = {0};
  for (int64_t n : lengths) {
    positions.push_back(at::arange(n, at::kLong));
    offsets.push_back(offsets.back() + n);
  }
  const auto ids = token_ids(model, offsets.back());
  const auto weights = normal_tensor({offsets.back(), model.config().hidden}, 9);
  for (int pass = 0; pass < passes; ++pass) {
    const auto hidden = model.hidden_states(ids, at::cat(positions), offsets, {recompute});
    torch::autograd::backward({hidden}, {weights});
  }
  std::vector<at::Tensor> gradients;
  for (const auto& parameter : model.parameters()) {
    if (parameter.tensor.grad().defined()) gradients.push_back(parameter.tensor.grad().clone());
  }
  return gradients;
}

TEST(Model, RecomputationThreadsAndNoGradChangeNoBit) {
  for (auto& model : every_model()) {
    const std::vector<int64_t> lengths = {33, 1, 200, 0, 5};
    ops::set_threads(1);
    const auto plain = gradients_of(model, lengths, false);
    EXPECT_EQ(plain.size(), model.parameters().size() - (model.config().tied ? 1 : 2)) << "all but final norm and head";
    for (const int threads : {1, 2, 3}) {
      ops::set_threads(threads);
      for (const bool recompute : {false, true}) {
        const auto again = gradients_of(model, lengths, recompute);
        ASSERT_EQ(again.size(), plain.size());
        for (size_t i = 0; i < plain.size(); ++i)
          EXPECT_TRUE(at::equal(again[i], plain[i])) << i << ", threads " << threads << ", recompute " << recompute;
      }
    }
    ops::set_threads(0);
    const auto ids = token_ids(model, 40);
    const std::vector<int64_t> offsets = {0, 40};
    const auto positions = at::arange(40, at::kLong);
    const auto with = model.hidden_states(ids, positions, offsets).detach();
    const at::NoGradGuard no_grad;
    EXPECT_TRUE(at::equal(model.hidden_states(ids, positions, offsets), with));
    EXPECT_TRUE(at::equal(model.clone_frozen().hidden_states(ids, positions, offsets), with));
  }
}

TEST(Model, TwoBackwardPassesAddTheirGradients) {
  for (auto& model : every_model()) {
    const auto once = gradients_of(model, {20, 7}, false), twice = gradients_of(model, {20, 7}, true, 2);
    for (size_t i = 0; i < once.size(); ++i) EXPECT_LT(relative_difference(twice[i], 2 * once[i]), 1e-6) << i;
  }
}

TEST(Model, GradientsOfBfloat16WeightsAreThoseOfTheirRoundedValuesInF32) {
  auto half = tiny_model(Architecture::qwen3, at::kBFloat16);
  auto rounded = tiny_model(Architecture::qwen3);
  for (size_t i = 0; i < half.parameters().size(); ++i)
    rounded.parameters()[i].tensor.copy_(half.parameters()[i].tensor);
  const auto a = gradients_of(half, {30, 3}, false), b = gradients_of(rounded, {30, 3}, false);
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].scalar_type(), at::kFloat);
    EXPECT_LT(relative_difference(a[i], b[i]), 1e-6) << i;
  }
}

TEST(Model, NoTokensAreNoProblem) {
  auto model = tiny_model(Architecture::qwen3);
  for (const auto& gradient : gradients_of(model, {0, 0}, false)) EXPECT_EQ(gradient.abs().sum().item<double>(), 0.0);
  EXPECT_EQ(gradients_of(model, {0}, true).size(), model.parameters().size() - 1);
}

TEST(Model, TokensOutsideOfItsBounds) {
  const auto model = tiny_model(Architecture::llama);
  const auto run = [&](std::vector<int64_t> ids, std::vector<int64_t> positions) {
    const std::vector<int64_t> offsets = {0, static_cast<int64_t>(ids.size())};
    return error_of([&] { model.hidden_states(at::tensor(ids), at::tensor(positions), offsets); });
  };
  EXPECT_EQ(run({0, 60}, {0, 511}), "");
  EXPECT_THAT(run({0, 61}, {0, 1}), HasSubstr("token id 61 is outside of the model's vocabulary of 61"));
  EXPECT_THAT(run({-1}, {0}), HasSubstr("token id -1"));
  EXPECT_THAT(run({1}, {512}), HasSubstr("at least 513 tokens is longer than the model's window of 512"));
  EXPECT_THAT(run({1}, {-1}), HasSubstr("positions count from 0"));
  EXPECT_NE(run({1, 2}, {0}), "");
  const std::vector<int64_t> offsets = {0, 2};
  EXPECT_NE(error_of([&] { model.hidden_states(at::zeros({4}, at::kLong).slice(0, 0, 4, 2), at::arange(2), offsets); }),
            "")
      << "strided ids";
}

}  // namespace
}  // namespace laconic::model
