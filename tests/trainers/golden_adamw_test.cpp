// Five optimizer steps of whole models against the reference implementation.
#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "laconic/core/optim/adamw.h"
#include "laconic/trainers/run_record.h"
#include "tests/support/golden_model.h"

namespace laconic::trainers {
namespace {

TEST(GoldenAdamW, LossesAndWeights) {
  for (const auto& name : golden_names()) {
    const auto path = LACONIC_TEST_DATA_OR_SKIP("golden_models/" + name);
    const GoldenModel golden(path);
    if (!golden.json.contains("adamw")) continue;
    SCOPED_TRACE(name);
    auto model = model::Model::from_folder(path, at::kFloat, at::kCPU);
    model.set_trainable(true);
    optim::AdamWOptions options;
    options.beta1 = 0.9;
    options.beta2 = 0.95;
    options.weight_decay = 0.1;
    options.decay_norms_and_biases = true;
    options.max_grad_norm = 0;
    optim::AdamW optimizer(trained_tensors(model), options);
    const auto batch = golden.packed("left");
    const auto& expected = golden.json["adamw"]["loss_before_step_0_to_5"];
    for (size_t step = 0; step < expected.size(); ++step) {
      const auto loss = -policy::score(model, batch, 1.0, false, {}).logprob.mean();
      const double want = expected[step].get<double>();
      EXPECT_NEAR(loss.item<double>(), want, 1e-4 * want) << step;
      torch::autograd::backward({loss}, {});
      optimizer.step(1e-3);
      if (step != 0) continue;
      const auto& after = golden.json["params_after_1_adamw_step"];
      for (const auto& named : model.named_tensors()) {
        const double norm = after.at(named.name).at("norm");
        EXPECT_NEAR(named.tensor.to(at::kDouble).norm().item<double>(), norm, 1e-4 * norm) << named.name;
        const auto flat = named.tensor.contiguous().flatten();
        for (int64_t i = 0; i < 8; ++i)
          EXPECT_NEAR(flat[i].item<double>(), after.at(named.name).at("first8")[static_cast<size_t>(i)].get<double>(),
                      1e-4)
              << named.name;
      }
    }
  }
}

}  // namespace
}  // namespace laconic::trainers
