// Options of speed and memory change no number: bit for bit where the order of additions is the same, else within
// rounding.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "laconic/core/metrics/jsonl.h"
#include "laconic/core/ops/parallel.h"
#include "tests/trainers/chain_runs.h"

namespace laconic::trainers {
namespace {

std::map<std::string, std::string> run(const std::vector<std::string>& overrides) {
  const TemporaryFolder folder;
  write_chain_model(folder / "model");
  RlTrainer(chain_config(folder.path(), overrides), {}).run();
  return reproducible_files(folder / "run");
}

TEST(Invariance, BudgetsThreadsAndRecomputationChangeNoBit) {
  const auto expected = run({});
  for (const std::vector<std::string>& option : std::vector<std::vector<std::string>>{{"--rollout.max_rows=3"},
                                                                                      {"--rollout.kv_tokens=160"},
                                                                                      {"--rollout.prefill_tokens=5"},
                                                                                      {"--train.recompute=true"},
                                                                                      {"--threads=1"},
                                                                                      {"--threads=3"},
                                                                                      {"--reward.threads=4"}}) {
    EXPECT_EQ(run(option), expected) << option.front();
  }
}

// A step's row by name.
nlohmann::ordered_json last_row(const std::map<std::string, std::string>& files) {
  const auto& text = files.at("metrics.jsonl");
  return nlohmann::ordered_json::parse(
      text.substr(text.rfind('{', text.size() - 2) == std::string::npos ? 0 : text.rfind('\n', text.size() - 2) + 1));
}

TEST(Invariance, MicroBatchesChangeNothingBeyondRounding) {
  const std::vector<std::string> once = {"--train.steps=1", "--eval.every=0"};
  auto with = once;
  const auto expected = last_row(run(once));
  for (const char* budget :
       {"--train.micro_batch_tokens=1", "--train.micro_batch_tokens=37", "--train.micro_batch_tokens=100000"}) {
    with = once;
    with.emplace_back(budget);
    const auto row = last_row(run(with));
    for (const auto& [name, value] : expected.items()) {
      if (!value.is_number()) continue;
      const double want = value.get<double>(), got = row.at(name).get<double>();
      EXPECT_NEAR(got, want, 2e-5 * std::max(1.0, std::abs(want))) << budget << " " << name;
    }
  }
}

TEST(Invariance, SamplerAndTrainerAgreeExactly) {
  const auto files = run({"--objective.temperature=0.7"});
  const TemporaryFolder folder;
  write_file_atomic(folder / "metrics.jsonl", files.at("metrics.jsonl"));
  for (const auto& row : metrics::read_jsonl(folder / "metrics.jsonl").rows)
    EXPECT_EQ(row.at("mismatch/max").get<double>(), 0.0);
}

TEST(Invariance, Bf16WeightsTrainThroughMasters) {
  const auto files = run({"--model.dtype=bf16", "--train.steps=2"});
  const auto row = last_row(files);
  EXPECT_EQ(row.at("mismatch/max").get<double>(), 0.0);
  EXPECT_TRUE(std::isfinite(row.at("optim/grad_norm").get<double>()));
}

}  // namespace
}  // namespace laconic::trainers
