// Unusual losses and gradient norms, and the samples that are named with them.
#include "laconic/trainers/loss_outliers.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "laconic/core/distributed/thread_group.h"
#include "laconic/core/metrics/jsonl.h"
#include "laconic/core/ops/parallel.h"
#include "tests/trainers/chain_runs.h"
#include "tests/trainers/fixed_batches.h"

namespace laconic::trainers {
namespace {

using testing::AllOf;
using testing::HasSubstr;

UpdateReport report_of(double loss, double norm) {
  UpdateReport report;
  report.loss.policy_loss = loss;
  report.optimizer.grad_norm = norm;
  report.optimizer.skipped = !std::isfinite(norm);
  return report;
}

TEST(LossOutliers, JudgesByWhatWasUsual) {
  LossOutliers outliers;
  for (int i = 0; i < 30; ++i)
    EXPECT_TRUE(outliers.look_at(report_of(0.01 * std::sin(i), 1 + 0.1 * std::cos(i))).empty()) << i;
  EXPECT_TRUE(outliers.look_at(report_of(0.02, 0.1)).empty()) << "a small norm is none";
  const auto norm = outliers.look_at(report_of(0, 20));
  ASSERT_EQ(norm.size(), 1u);
  EXPECT_THAT(norm[0].text(), AllOf(HasSubstr("the gradient norm 20 is unusual"), HasSubstr("above the median")));
  const auto loss = outliers.look_at(report_of(-5, 1));
  ASSERT_EQ(loss.size(), 1u);
  EXPECT_THAT(loss[0].text(), AllOf(HasSubstr("the loss -5"), HasSubstr("below")));
}

TEST(LossOutliers, WhatIsNotFiniteIsAlwaysUnusual) {
  LossOutliers outliers;
  auto found = outliers.look_at(report_of(0.1, std::nan("")));
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].text(), "the gradient norm is not finite");
  found = outliers.look_at(report_of(std::nan(""), std::nan("")));
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].text(), "the loss is not finite");
  EXPECT_EQ(outliers.recent().losses, std::vector<double>{0.1});
}

// The parts of all samples add up to the loss; one with an enormous advantage comes first, on any number of ranks.
TEST(LossOutliers, NamesTheSamplesWithTheLargestParts) {
  ops::set_threads(1);
  auto groups = random_groups(3, 3, 4, 12);
  for (size_t g = 0; g < groups.size(); ++g) groups[g].prompt_index = 70 + g;
  groups[1].samples[2].advantage = {-40.0};
  std::vector<const algorithms::Group*> pointers;
  pointers.reserve(groups.size());
  for (const auto& group : groups) pointers.push_back(&group);
  for (int ranks = 1; ranks <= 3; ++ranks) {
    distributed::ThreadGroup(ranks).run([&](distributed::Communicator& c) {
      Learner learner(c, tiny_model(model::Architecture::qwen3), {}, 40);
      const algorithms::Objective objective{algorithms::ObjectiveConfig()};
      auto mini_batch = algorithms::make_mini_batch(objective.config().loss, pointers, 64);
      const auto report = accumulate_gradient(learner.model, objective, mini_batch, learner.options);
      const auto all = largest_losses(mini_batch, report, &c, 100);
      ASSERT_EQ(all.size(), 12u);
      double sum = 0;
      for (const auto& sample : all) sum += sample.at("loss").get<double>();
      EXPECT_NEAR(sum, report.loss.policy_loss, 1e-5);
      const auto first = largest_losses(mini_batch, report, &c, 1);
      ASSERT_EQ(first.size(), 1u);
      EXPECT_EQ(first[0].at("prompt_index"), 71);
      EXPECT_EQ(first[0].at("sample"), 2);
      EXPECT_EQ(first[0].at("tokens"), groups[1].samples[2].length);
      EXPECT_THAT(describe_sample(first[0]), AllOf(HasSubstr("prompt 71"), HasSubstr("completion 2"),
                                                   HasSubstr("advantage -40"), HasSubstr("least logprob")));
    });
  }
}

TEST(LossOutliers, ASampleWithoutAFiniteLossComesFirst) {
  ops::set_threads(1);
  auto groups = random_groups(3, 2, 2, 8);
  groups[1].samples[1].advantage = {std::nan("")};
  std::vector<const algorithms::Group*> pointers = {&groups[0], &groups[1]};
  distributed::ThreadGroup(1).run([&](distributed::Communicator& c) {
    Learner learner(c, tiny_model(model::Architecture::qwen3), {}, 40);
    const algorithms::Objective objective{algorithms::ObjectiveConfig()};
    auto mini_batch = algorithms::make_mini_batch(objective.config().loss, pointers, 64);
    const auto report = accumulate_gradient(learner.model, objective, mini_batch, learner.options);
    EXPECT_EQ(largest_losses(mini_batch, report, nullptr, 1).at(0).at("sample"), 1);
  });
}

class OutlierRuns : public testing::Test {
 protected:
  void TearDown() override { ::unsetenv("LACONIC_FAULT"); }
};

// Rows of a run with an update that was skipped, whole and in pieces.
TEST_F(OutlierRuns, ALineAndARowForWhatIsNotFinite) {
  ::setenv("LACONIC_FAULT", "nan_gradient:rank=0,step=3", 1);
  const TemporaryFolder whole, pieces;
  for (const auto* folder : {&whole, &pieces}) write_chain_model(*folder / "model");
  testing::internal::CaptureStderr();
  EXPECT_TRUE(RlTrainer(chain_config(whole.path()), {}).run());
  const auto console = testing::internal::GetCapturedStderr();
  EXPECT_THAT(console, AllOf(HasSubstr("step 3, update 1: the gradient norm is not finite"), HasSubstr("  prompt ")));
  const auto rows = metrics::read_jsonl(whole / "run/outliers.jsonl").rows;
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].at("step"), 3);
  EXPECT_EQ(rows[0].at("value"), "NaN");
  EXPECT_EQ(rows[0].at("samples").size(), 5u);
  for (bool done = false; !done;) {  // one update at a time: each part has the fault anew
    RunOptions options;
    options.existing = metrics::ExistingRun::resume;
    options.stop_after_updates = 1;
    done = RlTrainer(chain_config(pieces.path()), options).run();
  }
  const auto parts = metrics::read_jsonl(pieces / "run/outliers.jsonl").rows;
  ASSERT_EQ(parts.size(), 2u) << "both updates of the step, since each is the first of its process";
  EXPECT_EQ(parts[0], rows[0]);
}

TEST_F(OutlierRuns, SamplesOfSft) {
  ::setenv("LACONIC_FAULT", "nan_gradient:rank=0,step=3", 1);
  const TemporaryFolder whole, pieces;
  for (const auto* folder : {&whole, &pieces}) write_chain_model(*folder / "model");
  EXPECT_TRUE(SftTrainer(sft_config(whole.path()), {}).run());
  for (bool done = false; !done;) {
    RunOptions options;
    options.existing = metrics::ExistingRun::resume;
    options.stop_after_updates = 3;
    done = SftTrainer(sft_config(pieces.path()), options).run();
  }
  const auto rows = metrics::read_jsonl(whole / "run/outliers.jsonl").rows;
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].at("step"), 3);
  EXPECT_EQ(rows[0].at("what"), "gradient norm");
  EXPECT_EQ(rows[0].at("samples").size(), 5u);
  EXPECT_EQ(read_file(pieces / "run/outliers.jsonl"), read_file(whole / "run/outliers.jsonl"));
}

}  // namespace
}  // namespace laconic::trainers
