// The reckoning of `laconic plan` against the formulas of docs/plan.md, worked by hand where that can be done.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "laconic/core/config/config.h"
#include "laconic/trainers/costs.h"
#include "laconic/trainers/plan_report.h"
#include "tests/support/error_of.h"

namespace laconic::trainers {
namespace {

using distributed::Shard;
using testing::AllOf;
using testing::HasSubstr;

const PlanDivision kNone{Shard::none, true}, kOptimizer{Shard::optimizer, true}, kGradients{Shard::gradients, true},
    kWhole{Shard::parameters, true}, kLayers{Shard::parameters, false};

PlanHardware hardware(const std::string& name, int64_t nodes = 1) {
  PlanHardware hw;
  config::read_from_file(LACONIC_SOURCE_DIR "/configs/hardware/" + name + ".yaml", {}, hw);
  hw.nodes = nodes;
  return hw;
}
// Nothing is lost, nothing has a latency.
PlanHardware ideal(int64_t nodes, int64_t devices) {
  PlanHardware hw;
  hw.nodes = nodes;
  hw.devices_per_node = devices;
  hw.device = {1e12, 1e15, 0, 1e11, 1, 1, 1, 4, 0};
  hw.links = {{1e10, 0}, {4e9, 0}, 1};
  return hw;
}
model::ModelConfig shape(const std::string& name) {
  return model::read_model_config(LACONIC_SOURCE_DIR "/configs/shapes/" + name + ".json");
}

TEST(PlanCollectives, RingsAndTreesByHand) {
  const PlanCollectives one(ideal(1, 1)), node(ideal(1, 8)), nodes(ideal(4, 8));
  EXPECT_EQ(one.all_reduce(1e9), 0);
  EXPECT_EQ(one.all_gather_wire(1e9), 0);
  EXPECT_DOUBLE_EQ(node.all_reduce(8e9), 2 * 7e9 / 1e10);
  EXPECT_DOUBLE_EQ(node.all_gather(8e9), 7e9 / 1e10);
  EXPECT_DOUBLE_EQ(nodes.all_gather(32e9), 31e9 / 4e9) << "the node's way out is the narrow place";
  EXPECT_DOUBLE_EQ(nodes.all_reduce_wire(32e9), 62e9);
  auto slow = ideal(1024, 8);
  slow.links.within.latency = 1e-6;
  slow.links.between.latency = 1e-5;
  const PlanCollectives many(slow);
  EXPECT_NEAR(many.all_gather(8), 8191 * 1e-5, 1e-6) << "a ring has a hop per rank";
  EXPECT_NEAR(many.all_reduce(8), 2 * (10 * 1e-5 + 7 * 1e-6), 1e-6) << "a tree has few";
}

TEST(PlanStep, ADecodingStepIsTheBoundOfTheBenchmarks) {
  const auto model = shape("qwen2.5-1.5b");
  auto hw = ideal(1, 1);
  PlanWorkload w;
  w.bf16 = false;
  for (const double rows : {1.0, 7.0, 300.0}) {
    const auto step = decode_step(hw, model, w, rows, 500);
    EXPECT_NEAR(step.total() - step.sampling,
                decode_step_bound(model, rows, 500, 4, hw.device.flops, hw.device.bandwidth), 1e-12);
  }
  const auto one = decode_step(hw, model, w, 1, 500), many = decode_step(hw, model, w, 1000, 500);
  EXPECT_GT(one.weights, 0.99 * (one.weights + one.arithmetic)) << "few rows: the weights' way from the memory";
  EXPECT_EQ(many.weights, 0) << "many rows: arithmetic";
}

TEST(PlanStep, EqualLengthsByHand) {
  const auto model = shape("qwen2.5-1.5b");
  const auto hw = ideal(1, 1);
  PlanWorkload w;
  w.prompts = 4;
  w.group = 2;
  w.prompt_tokens = 100;
  w.new_tokens = 50;
  w.bf16 = false;
  const auto plan = plan_step(hw, model, w, kNone);
  EXPECT_EQ(plan.rows, 8);
  EXPECT_EQ(plan.tokens, 400);
  EXPECT_NEAR(plan.times.decode, 50 * decode_step(hw, model, w, 8, 125).total(), 1e-6 * plan.times.decode);
  EXPECT_DOUBLE_EQ(plan.times.prefill, 400 * training_flops_per_token(model, 100, false) / 3 / 1e12);
  EXPECT_NEAR(plan.times.forward + plan.times.backward, 8 * 150 * training_flops_per_token(model, 150, false) / 1e12,
              1e-9);
  EXPECT_DOUBLE_EQ(plan.times.optimizer, static_cast<double>(model.total_parameters()) * 28 / 1e11);
  EXPECT_EQ(plan.wire_bytes, 0);
  double causes = 0;
  for (const auto& cause : plan.causes) causes += cause.second;
  EXPECT_NEAR(causes, plan.times.total(), 1e-9) << "the causes are all of the time";
}

TEST(PlanStep, HalfTheRowsTakeTwiceTheSteps) {
  const auto model = shape("qwen2.5-1.5b");
  const auto hw = ideal(1, 1);
  PlanWorkload w;
  w.prompts = 32;
  w.max_rows = 128;
  const auto halved = plan_step(hw, model, w, kNone);
  EXPECT_EQ(halved.rows, 128);
  const auto step = decode_step(hw, model, w, 128, 256 + 512);
  EXPECT_NEAR(halved.times.decode, 2 * 1024 * step.total(), 1e-3 * halved.times.decode);
}

// The last completions of a step are decoded by few rows: longer ones cost more than their tokens.
TEST(PlanStep, TailsAreSlow) {
  const auto model = shape("qwen2.5-1.5b");
  const auto hw = hardware("h100");
  PlanWorkload equal, tailed;
  equal.new_tokens = 1000;
  tailed.new_tokens = 8000;
  tailed.mean_tokens = 1000;
  const auto a = plan_step(hw, model, equal, kNone), b = plan_step(hw, model, tailed, kNone);
  EXPECT_EQ(a.tokens, b.tokens);
  EXPECT_GT(b.times.decode, 2 * a.times.decode);
}

TEST(PlanStep, BytesOnTheWireAreThoseOfTheShards) {
  const auto model = shape("qwen2.5-7b");
  const auto hw = ideal(2, 8);
  PlanWorkload w;
  w.micro_batch_tokens = 20000;
  const double share = 15.0 / 16, parameters = static_cast<double>(model.total_parameters());
  const double n = 4 * parameters, weights = 2 * parameters;
  const double layers = weights - 2 * 2 * static_cast<double>(model.vocab_size * model.hidden);
  const double exchanged = share * 128 * 8 * 1024 * 10;
  const auto sent = [&](const PlanDivision& division) {
    return plan_step(hw, model, w, division).wire_bytes - exchanged;
  };
  const double m = 5;  // 64 sequences of 1280 tokens
  EXPECT_EQ(plan_step(hw, model, w, kNone).micro_batches, 5);
  const auto near = [](double got, double want) { EXPECT_NEAR(got, want, 1e-6 * want) /* units are padded */; };
  near(sent(kNone), 2 * share * n);
  near(sent(kOptimizer), share * (n + weights));
  near(sent(kGradients), share * (m * n + weights));
  near(sent(kWhole), share * (m * (n + weights + layers) + weights));
  EXPECT_GT(sent(kLayers), share * 1024 * layers) << "all layers for every decoding step";
}

TEST(PlanStep, DividingSavesMemory) {
  const auto model = shape("llama-3.1-70b");
  const auto hw = hardware("h100", 16);
  PlanWorkload w;
  w.recompute = true;
  w.micro_batch_tokens = 2048;  // several, so that whole gradients would have to wait
  double before = 1e30;
  for (const auto& division : {kNone, kOptimizer, kGradients, kWhole, kLayers}) {
    const auto plan = plan_step(hw, model, w, division);
    EXPECT_LT(plan.memory.total(), before) << describe(division);
    before = plan.memory.total();
  }
  const auto states = state_bytes(model, true);
  const auto none = plan_step(hw, model, w, kNone).memory, layers = plan_step(hw, model, w, kLayers).memory;
  const double all = static_cast<double>(states.total()),
               kept = static_cast<double>(states.weights + states.optimizer) / 128;
  EXPECT_NEAR(none.weights + none.gradients + none.optimizer, all, 1e-6 * all);
  EXPECT_NEAR(layers.weights + layers.optimizer, kept, 1e-6 * kept);
}

TEST(PlanStep, CommunicationHidesBehindLongPassesOnly) {
  const auto model = shape("qwen2.5-7b");
  auto hw = hardware("h100", 4);
  PlanWorkload w;
  const double fast = plan_step(hw, model, w, kNone).times.reduce;
  hw.links.between.bandwidth /= 1000;
  const double slow = plan_step(hw, model, w, kNone).times.reduce;
  EXPECT_LT(fast, 0.1);
  EXPECT_GT(slow, 100 * fast);
}

TEST(PlanReport, ASmallModelOnANodeNeedsNoDivision) {
  const auto plans = plan_steps(hardware("h100"), shape("qwen2.5-1.5b"), "small", {});
  ASSERT_TRUE(plans.best);
  EXPECT_EQ(plans.plans.size(), 5u);
  EXPECT_THAT(describe(plans), AllOf(HasSubstr("8 ranks"), HasSubstr("use       parallel.shard: "),
                                     HasSubstr("bound     "), HasSubstr("tokens/s")));
  EXPECT_NE(plans.plans[*plans.best].division.shard, Shard::parameters);
}

TEST(PlanReport, SeventyBillionParameters) {
  const auto model = shape("llama-3.1-70b");
  PlanWorkload w;
  w.recompute = true;
  const auto few = plan_steps(hardware("h100"), model, "70b", w);
  EXPECT_FALSE(few.best);
  ASSERT_TRUE(few.nodes_needed);
  EXPECT_THAT(describe(few), AllOf(HasSubstr("nothing fits"), HasSubstr("it fits from")));
  const auto enough = plan_steps(hardware("h100", *few.nodes_needed), model, "70b", w);
  ASSERT_TRUE(enough.best);
  EXPECT_EQ(enough.plans[*enough.best].division.shard, Shard::parameters);
  EXPECT_THAT(describe(enough), HasSubstr("parallel.gather_for_rollout: layers"));
}

TEST(PlanReport, SmallerActivationsMayBeEnough) {
  PlanWorkload w;
  w.micro_batch_tokens = 40000;
  const auto plans = plan_steps(hardware("h100"), shape("qwen2.5-7b"), "7b", w);
  EXPECT_FALSE(plans.best);
  EXPECT_THAT(describe(plans), HasSubstr("fits with train.recompute: true and train.micro_batch_tokens: 1280"));
}

TEST(PlanReport, ThousandsOfRanksWithoutPrompts) {
  const auto plans = plan_steps(hardware("h100", 512), shape("llama-3.1-70b"), "70b", {});
  EXPECT_THAT(describe(plans), HasSubstr("3968 of 4096 ranks have no prompt"));
  const auto json = to_json(plans);
  EXPECT_EQ(json["ranks"], 4096);
  EXPECT_EQ(json["plans"].size(), 5u);
}

TEST(PlanReport, OneDeviceHasNothingToDivide) {
  const auto plans = plan_steps(hardware("cpu"), shape("qwen2.5-1.5b"), "small", {});
  EXPECT_EQ(plans.plans.size(), 1u);
}

TEST(PlanHardware, MistakesAreNamed) {
  const auto problem = [](const std::string& yaml) {
    return error_of([&] {
      PlanHardware hw;
      config::read_from_yaml(yaml, "hw.yaml", {}, hw);
    });
  };
  EXPECT_THAT(problem("name: nothing"), AllOf(HasSubstr("device.flops: expected the speed of matrix products"),
                                              HasSubstr("device.memory"), HasSubstr("device.bandwidth")));
  EXPECT_THAT(problem("device: {flops: -1}"), HasSubstr("device.flops: expected a number > 0"));
  EXPECT_THAT(problem("device: {flps: 1}"), HasSubstr("did you mean `device.flops`"));
  EXPECT_THAT(problem("devices_per_node: 2\ndevice: {memory: 1}"), HasSubstr("links.within.bandwidth"));
  EXPECT_THAT(problem("device: {memory: 1, reserved: 2}"), HasSubstr("reserve less than there is"));
}

}  // namespace
}  // namespace laconic::trainers
