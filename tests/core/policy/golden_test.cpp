// The model and the chunked head against the numbers of the reference implementation.
#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>

#include "laconic/core/ops/linear.h"
#include "laconic/core/ops/norm.h"
#include "laconic/core/policy/policy.h"
#include "tests/support/golden_model.h"
#include "tests/support/temporary_folder.h"

namespace laconic {
namespace {

using model::Model;

at::Tensor all_logits(const Model& model, const std::vector<int32_t>& ids) {
  const at::NoGradGuard no_grad;
  const auto tokens = at::tensor(std::vector<int64_t>(ids.begin(), ids.end()), at::kLong);
  const std::vector<int64_t> offsets = {0, tokens.numel()};
  const auto hidden = model.hidden_states(tokens, at::arange(tokens.numel(), at::kLong), offsets);
  auto normed = at::empty_like(hidden);
  ops::rms_norm_into(hidden, model.final_norm(), model.config().rms_epsilon, normed);
  return ops::linear(normed, model.head(), at::Tensor());
}

double largest_difference(const at::Tensor& a, const at::Tensor& b) {
  return (a - b).abs().max().item<double>();
}

class Golden : public testing::TestWithParam<std::string> {};

TEST_P(Golden, Logits) {
  const auto path = LACONIC_TEST_DATA_OR_SKIP("golden_models/" + GetParam());
  const GoldenModel golden(path);
  const auto model = Model::from_folder(path, at::kFloat, at::kCPU);
  for (const std::string variant : {"full", "left", "right"}) {
    const auto expected = golden.tensors.tensor(variant + ".logits");
    const auto rows = golden.rows(variant);
    for (size_t r = 0; r < rows.size(); ++r) {
      const auto n = static_cast<int64_t>(rows[r].ids.size());
      EXPECT_LT(largest_difference(all_logits(model, rows[r].ids),
                                   expected[static_cast<int64_t>(r)].narrow(0, rows[r].begin, n)),
                1e-4)
          << variant;
    }
  }
}

TEST_P(Golden, LogprobsAndEntropies) {
  const auto path = LACONIC_TEST_DATA_OR_SKIP("golden_models/" + GetParam());
  const GoldenModel golden(path);
  const auto model = Model::from_folder(path, at::kFloat, at::kCPU);
  for (const std::string variant : {"full", "left", "right"}) {
    for (const std::string temperature : {"1.0", "0.7"}) {
      const auto rows = golden.rows(variant);
      const auto batch = golden.packed(variant);
      const auto got = policy::score(model, batch, std::stod(temperature), true, {});
      for (size_t r = 0; r < rows.size(); ++r) {
        const auto n = static_cast<int64_t>(rows[r].ids.size()) - 1;
        const auto slice = [&](const at::Tensor& t) { return t.narrow(0, batch.scored_offsets[r], n); };
        const auto want = [&](const std::string& kind) {
          return golden.tensors.tensor(variant + "." + kind + ".t" + temperature)[static_cast<int64_t>(r)].narrow(
              0, rows[r].begin, n);
        };
        EXPECT_LT(largest_difference(slice(got.logprob), want("logprob")), 1e-4);
        EXPECT_LT(largest_difference(slice(got.entropy), want("entropy")), 1e-4);
      }
    }
  }
}

TEST_P(Golden, GradientsOfTheNll) {
  const auto path = LACONIC_TEST_DATA_OR_SKIP("golden_models/" + GetParam());
  const GoldenModel golden(path);
  if (!golden.json.contains("gradients_of_nll.left")) GTEST_SKIP() << "this checkpoint comes without gradients";
  for (const bool recompute : {false, true}) {
    auto model = Model::from_folder(path, at::kFloat, at::kCPU);
    model.set_trainable(true);
    const auto statistics = policy::score(model, golden.packed("left"), 1.0, false, {recompute, 4096});
    const auto loss = -statistics.logprob.mean();
    EXPECT_NEAR(loss.item<double>(), golden.json["nll.left"].get<double>(), 1e-4);
    torch::autograd::backward({loss}, {});

    auto gradients = model.clone_frozen();
    auto slots = gradients.parameters();
    const auto parameters = model.parameters();
    for (size_t i = 0; i < slots.size(); ++i) slots[i].tensor.copy_(parameters[i].tensor.grad());
    const auto& expected = golden.json["gradients_of_nll.left"];
    for (const auto& named : gradients.named_tensors()) {
      ASSERT_TRUE(expected.contains(named.name)) << named.name;
      const double norm = expected[named.name]["norm"];
      EXPECT_NEAR(named.tensor.to(at::kDouble).norm().item<double>(), norm, 1e-4 * norm) << named.name;
      const auto flat = named.tensor.contiguous().flatten();
      for (int64_t i = 0; i < 8; ++i) {
        const double value = expected[named.name]["first8"][static_cast<size_t>(i)];
        EXPECT_NEAR(flat[i].item<double>(), value,
                    1e-4 * std::max(std::abs(value), norm / std::sqrt(static_cast<double>(flat.numel()))))
            << named.name << " " << i;
      }
    }
  }
}

TEST_P(Golden, OldConfigStyleLoadsTheSame) {
  const auto path = LACONIC_TEST_DATA_OR_SKIP("golden_models/" + GetParam());
  const TemporaryFolder folder;
  std::filesystem::copy(path / "config_v4.json", folder / "config.json");
  std::filesystem::create_symlink(std::filesystem::absolute(path) / "model.safetensors", folder / "model.safetensors");
  const GoldenModel golden(path);
  const auto ids = golden.rows("full")[0].ids;
  EXPECT_TRUE(at::equal(all_logits(Model::from_folder(folder.path(), at::kFloat, at::kCPU), ids),
                        all_logits(Model::from_folder(path, at::kFloat, at::kCPU), ids)));
}

TEST_P(Golden, WritingAFolderKeepsTheModel) {
  const auto path = LACONIC_TEST_DATA_OR_SKIP("golden_models/" + GetParam());
  const TemporaryFolder folder;
  const auto model = Model::from_folder(path, at::kFloat, at::kCPU);
  model.save_folder(folder.path(), at::kFloat);
  const auto ids = GoldenModel(path).rows("full")[0].ids;
  EXPECT_TRUE(
      at::equal(all_logits(model, ids), all_logits(Model::from_folder(folder.path(), at::kFloat, at::kCPU), ids)));
}

INSTANTIATE_TEST_SUITE_P(All, Golden, testing::ValuesIn(golden_names()), [](const auto& test) {
  std::string name = test.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

TEST(GoldenModels, ShardsEqualTheSingleFile) {
  const auto sharded = LACONIC_TEST_DATA_OR_SKIP("golden_models/tiny-qwen2-sharded");
  const auto single = LACONIC_TEST_DATA_OR_SKIP("golden_models/tiny-qwen2");
  const std::vector<int32_t> ids = {3, 14, 159, 26, 53};
  EXPECT_TRUE(at::equal(all_logits(Model::from_folder(sharded, at::kFloat, at::kCPU), ids),
                        all_logits(Model::from_folder(single, at::kFloat, at::kCPU), ids)));
}

TEST(GoldenModels, Stories) {
  const auto path = LACONIC_TEST_DATA_OR_SKIP("checkpoints/stories260K");
  const auto golden = nlohmann::json::parse(std::ifstream(path / "golden.json"));
  const auto model = Model::from_folder(path, at::kFloat, at::kCPU);
  const auto tokens = golden["greedy_tokens"].get<std::vector<int32_t>>();
  const auto logits = all_logits(model, tokens);
  const auto& expected = golden["logits_first_8_positions"];
  for (size_t p = 0; p < expected.size(); ++p) {
    for (size_t v = 0; v < expected[p].size(); ++v) {
      EXPECT_NEAR(logits[static_cast<int64_t>(p)][static_cast<int64_t>(v)].item<double>(), expected[p][v].get<double>(),
                  1e-4);
    }
  }
  for (size_t p = 0; p + 1 < tokens.size(); ++p) {
    EXPECT_EQ(logits[static_cast<int64_t>(p)].argmax().item<int64_t>(), tokens[p + 1]) << p;
  }
}

}  // namespace
}  // namespace laconic
