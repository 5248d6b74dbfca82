// Micro-batch size, packing order and recomputation change no logprob at all and no gradient beyond rounding.
#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <functional>
#include <numeric>

#include "laconic/core/policy/policy.h"
#include "tests/core/policy/sequences.h"
#include "tests/support/tensors.h"
#include "tests/support/tiny_model.h"

namespace laconic::policy {
namespace {

// The loss of a micro-batch: the sum over its tokens of something that depends on nothing else; `which` [n] says which
// token of the whole step each one is. Denominators are those of the step, fixed before.
using Loss = std::function<at::Tensor(const TokenStatistics&, const at::Tensor& which)>;

struct Step {
  std::vector<ScoredSequence> sequences;
  std::vector<int64_t> first;  // number of each sequence's first scored token in the step
  int64_t tokens = 0;
};

Step make_step() {
  Step step;
  step.sequences = random_sequences(23, 40, 61, 5);
  for (const auto& s : step.sequences) {
    step.first.push_back(step.tokens);
    step.tokens += s.scored();
  }
  return step;
}

struct Result {
  at::Tensor logprob = {}, entropy = {};  // of all tokens of the step
  std::map<std::string, at::Tensor> gradients;
};

Result run(const model::Model& model, const Step& step, const std::vector<std::vector<int64_t>>& batches,
           const Loss& loss, const PolicyOptions& options) {
  clear_gradients(model);
  Result result{at::zeros({step.tokens}), at::zeros({step.tokens}), {}};
  for (const auto& chosen : batches) {
    const auto batch = pack_all(step.sequences, chosen);
    if (batch.targets.numel() == 0) continue;
    std::vector<at::Tensor> which;
    for (int64_t i : chosen) {
      const auto n = step.sequences[static_cast<size_t>(i)].scored();
      which.push_back(at::arange(n, at::kLong) + step.first[static_cast<size_t>(i)]);
    }
    const auto tokens = at::cat(which);
    const auto statistics = score(model, batch, 0.8, true, options);
    result.logprob.index_copy_(0, tokens, statistics.logprob.detach());
    result.entropy.index_copy_(0, tokens, statistics.entropy.detach());
    torch::autograd::backward({loss(statistics, tokens)}, {});
  }
  result.gradients = gradients_by_name(model);
  return result;
}

std::vector<std::pair<std::string, Loss>> losses(int64_t tokens) {
  const auto advantage = normal_tensor({tokens}, 1);
  const auto old_noise = normal_tensor({tokens}, 2, 0.2);
  const auto n = static_cast<double>(tokens);
  return {
      {"nll", [n](const TokenStatistics& s, const at::Tensor&) { return -s.logprob.sum() / n; }},
      {"policy_gradient",
       [=](const TokenStatistics& s, const at::Tensor& which) {
         return -(s.logprob * advantage.index_select(0, which)).sum() / n;
       }},
      {"entropy_alone", [n](const TokenStatistics& s, const at::Tensor&) { return -0.1 * s.entropy.sum() / n; }},
      {"clipped_with_entropy",
       [=](const TokenStatistics& s, const at::Tensor& which) {
         const auto ratio = (s.logprob - s.logprob.detach() + old_noise.index_select(0, which)).exp();
         const auto a = advantage.index_select(0, which);
         const auto clipped = at::minimum(ratio * a, ratio.clamp(0.8, 1.2) * a);
         return -(clipped.sum() + 0.02 * s.entropy.sum()) / n;
       }},
  };
}

class BatchInvariance : public testing::TestWithParam<model::Architecture> {};

TEST_P(BatchInvariance, MicroBatchesOrderAndRecomputation) {
  auto model = tiny_model(GetParam());
  model.set_trainable(true);
  const Step step = make_step();
  std::vector<int64_t> all(step.sequences.size()), lengths;
  std::iota(all.begin(), all.end(), 0);
  lengths.reserve(step.sequences.size());
  for (const auto& s : step.sequences) lengths.push_back(static_cast<int64_t>(s.ids.size()));
  std::vector<std::vector<int64_t>> alone;
  alone.reserve(all.size());
  for (int64_t i : all) alone.push_back({i});
  auto shuffled = all;
  Rng(DrawPurpose::procedural_data, {8}).shuffle(shuffled);

  for (const auto& [of_loss, loss] : losses(step.tokens)) {
    const std::string& name = of_loss;  // a structured binding is not captured
    const auto expected = run(model, step, {all}, loss, {});
    const auto compare = [&](const Result& got, double tolerance, const std::string& what) {
      EXPECT_TRUE(at::equal(got.logprob, expected.logprob)) << what;
      EXPECT_TRUE(at::equal(got.entropy, expected.entropy)) << what;
      for (const auto& [parameter, gradient] : expected.gradients)
        EXPECT_LE(relative_difference(got.gradients.at(parameter), gradient), tolerance) << name << what << parameter;
    };
    compare(run(model, step, {all}, loss, {/*recompute=*/true}), 0.0, " recomputed ");
    compare(run(model, step, {shuffled}, loss, {}), 3e-5, " shuffled ");
    compare(run(model, step, alone, loss, {}), 3e-5, " alone ");
    compare(run(model, step, split_by_tokens(lengths, 100), loss, {true, 1 << 10}), 3e-5, " packed, small chunks ");
    compare(run(model, step, split_by_tokens(lengths, 300), loss, {false, 1 << 14}), 3e-5, " packed ");
  }
}

TEST_P(BatchInvariance, FrozenModelsScoreTheSame) {
  auto model = tiny_model(GetParam());
  const auto sequences = random_sequences(9, 30, 61, 6);
  const auto batch = pack_all(sequences, {0, 1, 2, 4, 5, 6, 7, 8});
  const auto frozen = score(model, batch, 1.0, true, {});
  EXPECT_FALSE(frozen.logprob.requires_grad());
  model.set_trainable(true);
  const auto trained = score(model, batch, 1.0, true, {});
  EXPECT_TRUE(trained.logprob.requires_grad());
  EXPECT_TRUE(at::equal(trained.logprob.detach(), frozen.logprob));
  EXPECT_TRUE(at::equal(trained.entropy.detach(), frozen.entropy));
  const at::NoGradGuard no_grad;
  EXPECT_TRUE(at::equal(score(model, batch, 1.0, false, {}).logprob, frozen.logprob));
}

INSTANTIATE_TEST_SUITE_P(Kinds, BatchInvariance,
                         testing::Values(model::Architecture::llama, model::Architecture::qwen2,
                                         model::Architecture::qwen3));

TEST(Score, NothingToScore) {
  auto model = tiny_model(model::Architecture::qwen3);
  model.set_trainable(true);
  const auto batch = pack_all({{{1, 2, 3}, 3}}, {0});
  const auto statistics = score(model, batch, 1.0, true, {});
  EXPECT_EQ(statistics.logprob.numel(), 0);
  torch::autograd::backward({statistics.logprob.sum() + statistics.entropy.sum()}, {});
  for (const auto& [name, gradient] : gradients_by_name(model)) {
    if (gradient.defined()) {
      EXPECT_EQ(gradient.abs().sum().item<double>(), 0.0) << name;
    }
  }
}

TEST(Score, ASecondBackwardPassIsAnError) {
  auto model = tiny_model(model::Architecture::llama);
  model.set_trainable(true);
  const auto statistics = score(model, pack_all({{{1, 2, 3}, 1}}, {0}), 1.0, false, {});
  const auto loss = statistics.logprob.sum();
  torch::autograd::backward({loss}, {}, /*retain_graph=*/true);
  EXPECT_ANY_THROW(torch::autograd::backward({loss}, {}));
}

}  // namespace
}  // namespace laconic::policy
