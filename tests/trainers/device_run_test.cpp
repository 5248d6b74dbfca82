// Whole runs through the device operations (their reference, on the CPU): rollout, rewards, updates, checkpoints and
// evaluation as a device makes them, near what the CPU's kernels give.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "laconic/core/metrics/jsonl.h"
#include "laconic/core/ops/device_ops.h"
#include "tests/trainers/chain_runs.h"

namespace laconic::trainers {
namespace {

using Rows = std::vector<nlohmann::ordered_json>;

Rows rows_of(const std::filesystem::path& file) {
  return metrics::read_jsonl(file).rows;
}

Rows rl_rows(const std::vector<std::string>& overrides) {
  const TemporaryFolder folder;
  write_chain_model(folder / "model");
  RlTrainer(chain_config(folder.path(), overrides), {}).run();
  return rows_of(folder / "run" / "metrics.jsonl");
}

Rows sft_rows(const std::vector<std::string>& overrides) {
  const TemporaryFolder folder;
  write_chain_model(folder / "model");
  SftTrainer(sft_config(folder.path(), overrides), {}).run();
  return rows_of(folder / "run" / "metrics.jsonl");
}

void expect_near(const Rows& got, const Rows& expected, const std::vector<const char*>& names, double tolerance) {
  ASSERT_EQ(got.size(), expected.size());
  for (size_t i = 0; i < got.size(); ++i) {
    for (const char* name : names) {
      const double want = expected[i].at(name).get<double>();
      EXPECT_NEAR(got[i].at(name).get<double>(), want, tolerance * std::max(1.0, std::abs(want))) << name << " " << i;
    }
  }
}

// The tokens are the same, so that everything follows within rounding; a second step would depend on whether a draw
// lies at the border between two tokens.
TEST(DeviceRun, GrpoStepOfTheKernels) {
  const std::vector<std::string> options = {"--train.steps=1"};
  const auto expected = rl_rows(options);
  const ops::ReferenceScope scope;
  const auto got = rl_rows(options);
  expect_near(got, expected, {"reward/mean", "loss/policy", "optim/grad_norm", "tokens/generated_total"}, 1e-4);
  EXPECT_LT(got.front().at("mismatch/max").get<double>(), 1e-4);
}

TEST(DeviceRun, GrpoInBf16Trains) {
  const ops::ReferenceScope scope;
  for (const auto& row : rl_rows({"--train.steps=2", "--model.dtype=bf16"})) {
    EXPECT_TRUE(std::isfinite(row.at("optim/grad_norm").get<double>()));
    EXPECT_EQ(row.at("optim/skipped").get<double>(), 0);
    EXPECT_LT(row.at("mismatch/max").get<double>(), 0.1);
  }
}

TEST(DeviceRun, SftStepsOfTheKernels) {
  const auto expected = sft_rows({});
  const ops::ReferenceScope scope;
  expect_near(sft_rows({}), expected, {"loss/train", "optim/grad_norm"}, 1e-4);
  expect_near(sft_rows({"--model.dtype=bf16"}), expected, {"loss/train"}, 0.02);
}

}  // namespace
}  // namespace laconic::trainers
