// Every method trains the tiny model of the chain task, logs its diagnostics, and continues a stopped run with the same
// numbers.
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "laconic/core/metrics/jsonl.h"
#include "laconic/trainers/eval_run.h"
#include "tests/support/error_of.h"
#include "tests/trainers/chain_runs.h"

namespace laconic::trainers {
namespace {

namespace fs = std::filesystem;

struct MethodCase {
  std::string label;
  std::string name;
  std::vector<std::string> overrides;
  std::vector<std::string> diagnostics;  // metrics that every row must have
};

void PrintTo(const MethodCase& method, std::ostream* out) {
  *out << method.label;
}

// An untrained model is hardly ever right: the last number anywhere counts as its answer.
std::vector<std::string> common_overrides(const std::string& name) {
  return {"--objective.name=" + name,
          "--objective.group_size=6",
          "--objective.updates_per_rollout=1",
          "--objective.kl.coefficient=0",
          "--reward.verifier=numeric",
          "--reward.options={thinking: ignore}",
          "--train.steps=4",
          "--checkpoint.every=0"};
}

std::vector<std::string> with(std::vector<std::string> list, const std::vector<std::string>& more) {
  list.insert(list.end(), more.begin(), more.end());
  return list;
}

std::vector<MethodCase> method_cases() {
  const std::vector<std::string> exits = {"--objective.s_grpo.inducer=stop </think>",
                                          "--objective.s_grpo.answer_max_tokens=5"};
  const auto targets = [](const std::string& name) {
    return std::vector<std::string>{"--monitor.prompts=5", "--objective." + name + ".monitor_every=2",
                                    "--objective." + name + ".lower_bound_tokens=4",
                                    "--objective." + name + ".candidate_step=4"};
  };
  return {
      {"s_grpo",
       "s_grpo",
       with(exits, {"--objective.filter.keep=all", "--objective.filter.max_rounds=0"}),
       {"s_grpo/full_right", "s_grpo/exit_1_right", "s_grpo/exit_place", "groups/kept"}},
      // An untrained exit is rarely right, so that most groups are dropped and drawn again.
      {"s_grpo_refill", "s_grpo", with(exits, {"--objective.filter.max_rounds=6"}), {"groups/kept", "groups/drawn"}},
      {"grpo_lambda",
       "grpo_lambda",
       {"--objective.grpo_lambda.efficiency_share=0.5"},
       {"grpo_lambda/cut_ratio", "grpo_lambda/tied_at_cut", "grpo_lambda/efficiency_groups"}},
      {"length_penalty", "length_penalty", {}, {"length_penalty/cut_ratio"}},
      {"laser", "laser", {"--objective.laser.target_tokens=12"}, {"laser/bonus_share", "laser/target"}},
      {"laser_d",
       "laser_d",
       targets("laser_d"),
       {"laser_d/target_easy", "laser_d/target_hard", "laser_d/groups_hard", "laser_d/bonus_share", "monitor/tokens",
        "monitor/tokens_total"}},
      {"laser_de",
       "laser_de",
       targets("laser_de"),
       {"laser_de/target_medium", "laser_de/exploration_share", "laser_de/repetitive_share"}},
      {"truncation", "truncation", {"--objective.truncation.target_tokens=12"}, {"truncation/reward_right"}},
      {"group_penalty", "group_penalty", {}, {"group_penalty/reward_wrong"}},
      {"kimi_length", "kimi_length", {}, {"kimi_length/reward_right"}},
      {"l1_exact", "l1_exact", {"--objective.l1_exact.target_tokens=12"}, {"l1_exact/reward_right"}},
      {"l1_max", "l1_max", {"--objective.l1_max.target_tokens=12"}, {"l1_max/reward_right"}},
      {"adaptthink",
       "adaptthink",
       {"--objective.adaptthink.start_words=[a, z]", "--objective.adaptthink.no_thinking_max_tokens=12",
        "--data.chain_problems=12"},
       {"adaptthink/no_thinking_share", "adaptthink/advantage_mean", "adaptthink/accuracy_no_thinking",
        "adaptthink/accuracy_thinking", "adaptthink/probability_no_thinking"}},
      {"pear", "pear", {}, {"pear/entropy_thinking", "pear/entropy_answer", "pear/correct_not_positive"}},
  };
}

MethodCase case_of(const std::string& label) {
  const auto cases = method_cases();
  return *std::find_if(cases.begin(), cases.end(), [&](const auto& one) { return one.label == label; });
}

// Pass rates of the training problems under the model of `folder`, as `laconic eval` writes them.
void write_pass_rates(const fs::path& folder) {
  const std::string yaml = R"(
seed: 5
model: {tokenizer: chain, init: random}
data: {source: chain, chain_problems: 12, chain_evaluation: training}
reward: {verifier: numeric, options: {thinking: ignore}}
rollout: {max_tokens: 24}
eval: {samples_per_prompt: 8}
)";
  EvalConfig config;
  config::read_from_yaml(
      yaml, "test", {"--model.path=" + (folder / "model").string(), "--output.folder=" + (folder / "ref").string()},
      config);
  run_evaluation(config, "test");
}

std::vector<std::string> overrides_of(const MethodCase& method, const fs::path& folder) {
  auto overrides = common_overrides(method.name);
  overrides.insert(overrides.end(), method.overrides.begin(), method.overrides.end());
  if (method.name == "adaptthink")
    overrides.push_back("--reference.pass_rates=" + (folder / "ref/eval.jsonl").string());
  return overrides;
}

void prepare(const MethodCase& method, const fs::path& folder) {
  write_chain_model(folder / "model");
  if (method.name == "adaptthink") write_pass_rates(folder);
}

class EveryMethod : public testing::TestWithParam<MethodCase> {};

TEST_P(EveryMethod, TrainsLogsAndContinues) {
  const MethodCase& method = GetParam();
  const TemporaryFolder whole, pieces;
  prepare(method, whole.path());
  write_chain_model(pieces / "model");  // the pass rates are those of the other folder
  const auto overrides = overrides_of(method, whole.path());
  RlTrainer(chain_config(whole.path(), overrides), {}).run();

  const auto rows = metrics::read_jsonl(whole / "run/metrics.jsonl").rows;
  ASSERT_EQ(rows.size(), 4u);
  double gradient = 0;
  for (const auto& row : rows) {
    for (const auto& name : method.diagnostics) EXPECT_TRUE(row.contains(name)) << name << " in " << row.dump();
    EXPECT_EQ(row.at("mismatch/max").get<double>(), 0.0);
    gradient = std::max(gradient, row.value("optim/grad_norm", 0.0));
  }
  EXPECT_GT(gradient, 0.0);

  int count = 0;
  for (bool done = false; !done; ++count)
    done = RlTrainer(chain_config(pieces.path(), overrides), {metrics::ExistingRun::resume, "test", 1}).run();
  EXPECT_EQ(count, 4);
  const auto expected = reproducible_files(whole / "run"), got = reproducible_files(pieces / "run");
  for (const auto& [name, content] : expected) EXPECT_EQ(got.at(name), content) << name;
}

INSTANTIATE_TEST_SUITE_P(Methods, EveryMethod, testing::ValuesIn(method_cases()),
                         [](const auto& method) { return method.param.label; });

// The monitor pass depends on nothing but the weights, the seed and the step.
TEST(MonitorPass, ComesBeforeTheFirstStepAndThenRegularly) {
  const auto method = case_of("laser_d");
  const TemporaryFolder folder;
  prepare(method, folder.path());
  RlTrainer(chain_config(folder.path(), overrides_of(method, folder.path())), {}).run();
  const auto rows = metrics::read_jsonl(folder / "run/metrics.jsonl").rows;
  std::vector<int64_t> totals;
  totals.reserve(rows.size());
  for (const auto& row : rows) totals.push_back(row.at("monitor/tokens_total").get<int64_t>());
  EXPECT_GT(totals[0], 0);
  EXPECT_EQ(totals[1], totals[0]);
  EXPECT_GT(totals[2], totals[1]);
  EXPECT_EQ(totals[3], totals[2]);
  for (const auto& row : rows)
    EXPECT_EQ(row.at("laser_d/monitor_easy").get<double>() + row.at("laser_d/monitor_medium").get<double>() +
                  row.at("laser_d/monitor_hard").get<double>(),
              5.0);
}

TEST(MonitorPass, OfAnOwnDataSetAndOfTooFewPrompts) {
  const auto method = case_of("laser_d");
  const TemporaryFolder folder;
  prepare(method, folder.path());
  auto overrides = overrides_of(method, folder.path());
  overrides.insert(overrides.end(),
                   {"--monitor.data.source=chain", "--monitor.data.chain_problems=3", "--train.steps=1"});
  EXPECT_NE(error_of([&] {
              RlTrainer(chain_config(folder.path(), overrides), {}).run();
            }).find("monitor.prompts: expected at most the 3"),
            std::string::npos);
  overrides.emplace_back("--monitor.prompts=3");
  EXPECT_TRUE(RlTrainer(chain_config(folder.path(), overrides), {}).run());
  // A section that no objective asks for is refused.
  EXPECT_NE(error_of([&] { chain_config(folder.path(), {"--monitor.prompts=3"}); }).find("monitor"), std::string::npos);
}

TEST(PassRatesFile, IsCheckedOnLoad) {
  const TemporaryFolder folder;
  const auto method = case_of("adaptthink");
  prepare(method, folder.path());
  const fs::path file = folder / "ref/eval.jsonl";
  const auto message = [&](std::vector<std::string> more) {
    auto overrides = overrides_of(method, folder.path());
    overrides.insert(overrides.end(), more.begin(), more.end());
    return error_of([&] { RlTrainer(chain_config(folder.path(), overrides), {}); });
  };
  EXPECT_EQ(message({}), "");
  EXPECT_NE(message({"--reward.verifier=boxed_exact", "--reward.options={}"}).find("judged by `numeric"),
            std::string::npos);
  EXPECT_NE(message({"--data.chain_problems=13"}).find("no pass rate for the prompt"), std::string::npos);
  EXPECT_NE(message({"--reference.pass_rates=" + (folder / "none").string()}).find("does not exist"),
            std::string::npos);
  const std::string content = read_file(file);
  write_file_atomic(file, content.substr(0, content.rfind('\n', content.size() - 2) + 1));
  EXPECT_NE(message({}).find("not finished"), std::string::npos);
  write_file_atomic(file, "{\"a\": 1}\n");
  EXPECT_NE(message({}).find("eval.jsonl"), std::string::npos);
}

TEST(PassRatesFile, ChangedRatesAreNoticedOnResume) {
  const TemporaryFolder folder;
  const auto method = case_of("adaptthink");
  prepare(method, folder.path());
  const auto config = chain_config(folder.path(), overrides_of(method, folder.path()));
  EXPECT_FALSE(RlTrainer(config, {metrics::ExistingRun::refuse, "test", 1}).run());
  const fs::path file = folder / "ref/eval.jsonl";
  std::string content = read_file(file);
  const auto at = content.find("\"pass_rate\":");
  ASSERT_NE(at, std::string::npos);
  content.replace(at + 12, content.find(',', at) - at - 12, "0.987");
  write_file_atomic(file, content);
  EXPECT_NE(error_of([&] {
              RlTrainer(config, {metrics::ExistingRun::resume, "test", {}}).run();
            }).find("reference.pass_rates"),
            std::string::npos);
}

}  // namespace
}  // namespace laconic::trainers
