// Where a process learns which rank it is.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "laconic/core/distributed/rank_facts.h"
#include "tests/support/error_of.h"

namespace laconic::distributed {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using Variables = std::map<std::string, std::string>;

Environment of(const Variables& variables) {
  return [variables](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    if (found == variables.end()) return std::nullopt;
    return found->second;
  };
}

const Variables kTorchrun = {{"RANK", "3"},        {"WORLD_SIZE", "8"},
                             {"LOCAL_RANK", "1"},  {"LOCAL_WORLD_SIZE", "2"},
                             {"MASTER_ADDR", "a"}, {"MASTER_PORT", "29500"}};
const Variables kSlurm = {{"SLURM_JOB_ID", "77"},        {"SLURM_STEP_ID", "0"},
                          {"SLURM_PROCID", "2"},         {"SLURM_LOCALID", "0"},
                          {"SLURM_STEP_NUM_TASKS", "4"}, {"SLURM_STEP_TASKS_PER_NODE", "2(x2)"},
                          {"SLURM_CPUS_PER_TASK", "6"},  {"SLURM_STEP_NODELIST", "gpu[03-05,9]"}};

TEST(RankFacts, NobodySaysAnything) {
  const auto facts = rank_facts({}, of({}));
  EXPECT_TRUE(facts.alone());
  EXPECT_EQ(facts.source, "one process");
}

TEST(RankFacts, Torchrun) {
  const auto facts = rank_facts({}, of(kTorchrun));
  EXPECT_EQ(facts.rank, 3);
  EXPECT_EQ(facts.world_size, 8);
  EXPECT_EQ(facts.local_rank, 1);
  EXPECT_EQ(facts.local_world_size, 2);
  EXPECT_EQ(facts.host, "a");
  EXPECT_EQ(facts.port, 29500);
}

TEST(RankFacts, Slurm) {
  auto variables = kSlurm;
  const auto facts = rank_facts({}, of(variables));
  EXPECT_EQ(facts.rank, 2);
  EXPECT_EQ(facts.world_size, 4);
  EXPECT_EQ(facts.local_world_size, 2);
  EXPECT_EQ(facts.cores, 6);
  EXPECT_EQ(facts.host, "gpu03");
  EXPECT_EQ(facts.port, 20077);
  EXPECT_EQ(facts.run_id, "slurm 77.0");
  variables["MASTER_ADDR"] = "10.0.0.1";
  variables["MASTER_PORT"] = "1234";
  const auto told = rank_facts({}, of(variables));
  EXPECT_EQ(told.host, "10.0.0.1");
  EXPECT_EQ(told.port, 1234);
  // A batch script knows its job, but is no task of a step.
  EXPECT_TRUE(rank_facts({}, of({{"SLURM_JOB_ID", "77"}, {"SLURM_NTASKS", "4"}, {"SLURM_PROCID", "0"}})).alone());
}

TEST(RankFacts, TheNearestOneDecidesAlone) {
  auto variables = kSlurm;
  variables.insert(kTorchrun.begin(), kTorchrun.end());
  EXPECT_EQ(rank_facts({}, of(variables)).source, "torchrun's variables");
  variables["LACONIC_RANK"] = "0";
  variables["LACONIC_WORLD_SIZE"] = "2";
  variables["LACONIC_LOCAL_RANK"] = "0";
  variables["LACONIC_LOCAL_WORLD_SIZE"] = "2";
  variables["LACONIC_MEET"] = "file:/shared/x";
  const auto launched = rank_facts({}, of(variables));
  EXPECT_EQ(launched.source, "laconic launch");
  EXPECT_EQ(launched.file, "/shared/x");
  const auto by_hand = rank_facts({1, 2, {}, "h:5"}, of(variables));
  EXPECT_EQ(by_hand.source, "flags");
  EXPECT_EQ(by_hand.host, "h");
  EXPECT_EQ(by_hand.port, 5);
}

TEST(RankFacts, WhatIsWrongIsNamed) {
  const auto without = [](Variables variables, const std::string& name) {
    variables.erase(name);
    return error_of([&] { rank_facts({}, of(variables)); });
  };
  const auto with = [](Variables variables, const std::string& name, const std::string& value) {
    variables[name] = value;
    return error_of([&] { rank_facts({}, of(variables)); });
  };
  EXPECT_THAT(without(kTorchrun, "WORLD_SIZE"), HasSubstr("WORLD_SIZE is missing"));
  EXPECT_THAT(without(kTorchrun, "MASTER_PORT"), HasSubstr("MASTER_PORT is missing"));
  EXPECT_THAT(without(kSlurm, "SLURM_JOB_ID"), HasSubstr("SLURM_JOB_ID is missing"));
  EXPECT_THAT(with(kTorchrun, "RANK", "x"), AllOf(HasSubstr("RANK"), HasSubstr("`x`")));
  EXPECT_THAT(with(kTorchrun, "RANK", "8"), HasSubstr("rank 8 of a world size of 8"));
  EXPECT_THAT(with(kTorchrun, "MASTER_PORT", "70000"), HasSubstr("65535"));
  EXPECT_THAT(error_of([] { rank_facts({0, {}, {}, ""}, of({})); }), HasSubstr("--world-size"));
  EXPECT_THAT(error_of([] { rank_facts({0, 2, {}, "nowhere"}, of({})); }), HasSubstr("HOST:PORT"));
  EXPECT_THAT(error_of([] { rank_facts({0, 2, {}, "file:"}, of({})); }), HasSubstr("path"));
}

TEST(RankFacts, FirstHost) {
  for (const auto& [list, first] : Variables{
           {"a", "a"}, {"a,b", "a"}, {"n[1-2]", "n1"}, {"n[03-05,9],m1", "n03"}, {"n[7]", "n7"}, {"n[2,4]", "n2"}})
    EXPECT_EQ(first_host(list), first) << list;
}

}  // namespace
}  // namespace laconic::distributed
