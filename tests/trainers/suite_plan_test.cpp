// What a suite makes of the files on its command line.
#include "laconic/trainers/suite_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "laconic/core/base/files.h"
#include "tests/support/error_of.h"
#include "tests/support/temporary_folder.h"

namespace laconic::trainers {
namespace {

using testing::Contains;
using testing::HasSubstr;

class SuitePlanTest : public testing::Test {
 protected:
  SuiteFile file(const std::string& name, const std::string& kind, const std::string& yaml) const {
    std::filesystem::create_directories((folder_ / name).parent_path());
    write_file_atomic(folder_ / name, yaml);
    return {folder_ / name, kind};
  }
  SuiteFile base(const std::string& name = "base.yaml") const {
    return file(name, "sft",
                "model: {path: m, tokenizer: chain, init: random}\ndata: {source: chain}\n"
                "train: {steps: 100}\noutput: {folder: x}\n");
  }
  SuiteFile method(const std::string& name, const std::string& more = "") const {
    return file(name, "train",
                "model: {path: m}\ndata: {source: chain, chain_problems: 7}\n" + more + "output: {folder: x}\n");
  }
  SuitePlan plan(const std::vector<SuiteFile>& files) const {
    return make_suite_plan(files, {}, 0, 2, folder_ / "out");
  }

  TemporaryFolder folder_;
};

TEST_F(SuitePlanTest, OrdersMethodsAndKnowsWhatTheyNeed) {
  const auto p = plan({base(), method("grpo.yaml"),
                       method("think.yaml",
                              "objective: {name: adaptthink, group_size: 4}\n"
                              "reference: {pass_rates: some/eval.jsonl}\n"),
                       method("a.yaml"), file("suite.yaml", "suite", "suite: {order: [think, grpo]}\n")});
  ASSERT_EQ(p.methods.size(), 3u);
  EXPECT_EQ(p.methods[0].name, "think");
  EXPECT_TRUE(p.methods[0].needs_pass_rates);
  EXPECT_EQ(p.methods[1].name, "grpo");
  EXPECT_EQ(p.methods[2].name, "a");
  const auto overrides = run_overrides(p, p.bases[0], p.methods[0], 1, "model");
  EXPECT_THAT(overrides, Contains("--seed=1"));
  EXPECT_THAT(overrides,
              Contains("--reference.pass_rates=" + (folder_ / "out/bases/base/pass-rates-think/eval.jsonl").string()));
  const auto rates = pass_rate_evaluation(p, p.methods[0], "model", "rates");
  EXPECT_EQ(rates.data.chain_evaluation, ChainEvaluation::training);
  EXPECT_EQ(rates.eval.samples_per_prompt, 16);
  EXPECT_EQ(final_evaluation(p, p.methods[0], 1, "model", "final").data.chain_evaluation, ChainEvaluation::held_out);
}

TEST_F(SuitePlanTest, EachAttemptOfABaseIsLonger) {
  const auto p = plan({base(), method("grpo.yaml")});
  EXPECT_EQ(attempt_overrides(p, p.bases[0], 1).size(), 2u) << "the first is as its file says";
  EXPECT_THAT(attempt_overrides(p, p.bases[0], 3), Contains("--train.steps=156"));
}

TEST_F(SuitePlanTest, SaysWhatIsMissingOrAmbiguous) {
  EXPECT_THAT(error_of([&] { plan({method("grpo.yaml")}); }), HasSubstr("needs a base"));
  EXPECT_THAT(error_of([&] { plan({base()}); }), HasSubstr("needs a method"));
  EXPECT_THAT(error_of([&] { plan({base(), method("a.yaml"), method("b/a.yaml")}); }), HasSubstr("both called `a`"));
  EXPECT_THAT(error_of([&] {
                plan({base(), method("grpo.yaml"), file("suite.yaml", "suite", "suite: {order: [grpp]}\n")});
              }),
              HasSubstr("no file is called `grpp` (did you mean `grpo`?)"));
  EXPECT_THAT(error_of([&] {
                plan({base(), method("grpo.yaml"), file("e.yaml", "eval", "output: {folder: x}\n")});
              }),
              HasSubstr("a suite evaluates by itself"));
}

}  // namespace
}  // namespace laconic::trainers
