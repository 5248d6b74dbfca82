// The verifier `code` within a run: tests as the gold field of a data set.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "laconic/core/base/error.h"
#include "laconic/core/metrics/jsonl.h"
#include "laconic/sandbox/sandbox.h"
#include "tests/support/error_of.h"
#include "tests/trainers/chain_runs.h"

namespace laconic::trainers {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class CodeRuns : public testing::Test {
 protected:
  void SetUp() override { write_chain_model(folder_ / "model"); }
  std::string failure_of(const std::string& gold, const std::vector<std::string>& overrides = {}) {
    write_file_atomic(folder_ / "data.jsonl", "{\"question\": \"5 z +2 ?\", \"tests\": " + gold + "}\n");
    std::vector<std::string> all = {"--data.path=" + (folder_ / "data.jsonl").string(), "--reward.verifier=code",
                                    "--train.steps=1", "--reward.terms=[tests_passed]"};
    all.insert(all.end(), overrides.begin(), overrides.end());
    const auto config =
        rl_config(folder_.path(), "data: {source: file, prompt_column: question, answer_column: tests}\n", all);
    return error_of([&] { RlTrainer(config, {}).run(); });
  }
  TemporaryFolder folder_;
};

TEST_F(CodeRuns, ListsAreTests) {
  for (const auto& state : sandbox::look_at_mechanisms()) {
    if (!state.problem.empty()) GTEST_SKIP() << "no sandbox here: " << state.problem;
  }
  EXPECT_EQ(failure_of(R"(["assert f(1) == 2"])"), "");
  const auto row = metrics::read_jsonl(folder_ / "run/metrics.jsonl").rows.front();
  EXPECT_EQ(row.at("reward/tests_passed"), 0.0);  // a random model writes no code
}

TEST_F(CodeRuns, GoldFieldsAreReadBeforeTheRun) {
  const std::vector<std::string> none = {"--reward.options.sandbox=none"};
  EXPECT_THAT(failure_of("[]", none), AllOf(HasSubstr("data.jsonl:1"), HasSubstr("no tests")));
  EXPECT_THAT(failure_of(R"({"inputs": ["1"]})", none), AllOf(HasSubstr("data.jsonl:1"), HasSubstr("outputs")));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "run"));
}

TEST_F(CodeRuns, NothingRunsWithoutASandbox) {
  ASSERT_EQ(::setenv("LACONIC_GUARD", "/bin/false", 1), 0);
  EXPECT_THAT(failure_of(R"(["assert True"])"), HasSubstr("sandbox: none"));
  ::unsetenv("LACONIC_GUARD");
}

}  // namespace
}  // namespace laconic::trainers
