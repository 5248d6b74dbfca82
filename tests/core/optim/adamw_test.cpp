#include "laconic/core/optim/adamw.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>

namespace laconic::optim {
namespace {

// The published update, in double.
struct Reference {
  std::vector<double> w, m, v;
  int t = 0;
  void step(const std::vector<double>& g, double lr, const AdamWOptions& o) {
    ++t;
    for (size_t i = 0; i < w.size(); ++i) {
      w[i] -= lr * o.weight_decay * w[i];
      m[i] = o.beta1 * m[i] + (1 - o.beta1) * g[i];
      v[i] = o.beta2 * v[i] + (1 - o.beta2) * g[i] * g[i];
      w[i] -= lr * (m[i] / (1 - std::pow(o.beta1, t))) / (std::sqrt(v[i] / (1 - std::pow(o.beta2, t))) + o.epsilon);
    }
  }
};

std::vector<double> values(const at::Tensor& t) {
  const auto d = t.detach().to(at::kDouble).contiguous();
  return {d.const_data_ptr<double>(), d.const_data_ptr<double>() + d.numel()};
}

at::Tensor leaf(const at::Tensor& t) {
  return t.clone().requires_grad_(true);
}

TEST(AdamW, FollowsThePublishedUpdate) {
  AdamWOptions options{0.9, 0.95, 1e-8, 0.1, true, 0.0};
  const auto w = leaf(at::arange(1, 6, at::kFloat) / 3);
  AdamW optimizer({{"w", w, true}}, options);
  Reference reference{values(w), std::vector<double>(5), std::vector<double>(5)};
  for (int step = 0; step < 20; ++step) {
    const auto g = at::sin(at::arange(5, at::kFloat) + step);
    w.mutable_grad() = g.clone();
    optimizer.step(1e-2);
    reference.step(values(g), 1e-2, options);
  }
  const auto got = values(w);
  for (size_t i = 0; i < 5; ++i) EXPECT_NEAR(got[i], reference.w[i], 2e-6);
}

TEST(AdamW, ClipsByTheGlobalNorm) {
  AdamWOptions options;
  options.max_grad_norm = 1.0;
  const auto a = leaf(at::zeros({2})), b = leaf(at::zeros({1}));
  AdamW optimizer({{"a", a, true}, {"b", b, false}}, options);
  a.mutable_grad() = at::tensor({3.0f, 0.0f});
  b.mutable_grad() = at::tensor({4.0f});
  const auto report = optimizer.step(0.0);
  EXPECT_NEAR(report.grad_norm, 5.0, 1e-6);
  EXPECT_TRUE(report.clipped);
  const auto state = optimizer.state();
  EXPECT_NEAR(values(state[0].second)[0], 0.1 * 0.6, 1e-6);  // exp_avg of a: (1 - beta1) * 3/5
  EXPECT_FALSE(a.grad().defined());
}

TEST(AdamW, SkipsNonFiniteGradientsAndTouchesNothing) {
  const auto w = leaf(at::ones({3}));
  AdamW optimizer({{"w", w, true}}, {});
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    w.mutable_grad() = at::tensor({1.0f, bad, 0.0f});
    EXPECT_TRUE(optimizer.step(1.0).skipped);
  }
  EXPECT_EQ(values(w), (std::vector<double>{1, 1, 1}));
  EXPECT_EQ(optimizer.steps_taken(), 0);
  EXPECT_EQ(optimizer.state()[0].second.abs().sum().item<float>(), 0.0f);
}

TEST(AdamW, NormsAndBiasesDecayOnlyWhenAsked) {
  for (const bool asked : {false, true}) {
    AdamWOptions options;
    options.weight_decay = 0.5;
    options.decay_norms_and_biases = asked;
    const auto matrix = leaf(at::ones({2})), norm = leaf(at::ones({2}));
    AdamW optimizer({{"matrix", matrix, true}, {"norm", norm, false}}, options);
    matrix.mutable_grad() = at::zeros({2});
    norm.mutable_grad() = at::zeros({2});
    optimizer.step(0.1);
    EXPECT_NEAR(values(matrix)[0], 0.95, 1e-6);
    EXPECT_NEAR(values(norm)[0], asked ? 0.95 : 1.0, 1e-6);
  }
}

TEST(AdamW, MasterCopiesKeepWhatBfloat16Loses) {
  const auto w = leaf(at::ones({1}, at::kBFloat16));
  AdamWOptions options;
  options.max_grad_norm = 0;
  AdamW optimizer({{"w", w, true}}, options);
  for (int i = 0; i < 100; ++i) {
    w.mutable_grad() = at::ones({1}, at::kBFloat16);
    optimizer.step(1e-4);  // far below bf16's resolution at 1
  }
  EXPECT_NEAR(w.item<double>(), 0.99, 0.004);
}

TEST(AdamW, RestoredStateContinuesBitForBit) {
  const auto run = [](int stop) {
    auto w = leaf(at::arange(7, at::kFloat));
    auto optimizer = std::make_unique<AdamW>(std::vector<TrainedTensor>{{"w", w, true}}, AdamWOptions{});
    for (int step = 0; step < 10; ++step) {
      if (step == stop) {
        std::vector<std::pair<std::string, at::Tensor>> saved;
        for (const auto& [name, tensor] : optimizer->state()) saved.emplace_back(name, tensor.clone());
        w = leaf(w.detach());
        auto fresh = std::make_unique<AdamW>(std::vector<TrainedTensor>{{"w", w, true}}, AdamWOptions{});
        const std::map<std::string, at::Tensor> given(saved.begin(), saved.end());
        fresh->restore([&](const std::string& name, const at::Tensor& values) { values.copy_(given.at(name)); },
                       optimizer->steps_taken());
        optimizer = std::move(fresh);
      }
      w.mutable_grad() = at::cos(w.detach() + step);
      optimizer->step(1e-2);
    }
    return values(w);
  };
  EXPECT_EQ(run(-1), run(4));
}

}  // namespace
}  // namespace laconic::optim
