// laconic grade --verifier code, and what doctor says of sandboxes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "laconic/sandbox/sandbox.h"
#include "tests/cli/run_cli.h"

namespace laconic::cli {
namespace {

using testing::HasSubstr;

TEST(CodeGrading, SaysWhichTestsPass) {
  for (const auto& state : sandbox::look_at_mechanisms()) {
    if (!state.problem.empty()) GTEST_SKIP() << "no sandbox here: " << state.problem;
  }
  const auto outcome = run_cli(
      {"grade", "--verifier", "code"},
      R"({"gold": ["assert f(2) == 4", "assert f(3) == 9"], "prediction": "```python\ndef f(x): return x + 2\n```"})"
      "\n");
  EXPECT_EQ(outcome.status, 0);
  EXPECT_THAT(outcome.out, HasSubstr(R"("correct":false)"));
  EXPECT_THAT(outcome.out, HasSubstr(R"("gold_answer":"2 tests")"));
  EXPECT_THAT(outcome.out, HasSubstr(R"("tests_passed":0.5)"));
}

TEST(CodeGrading, GoldThatHoldsNoTests) {
  const auto outcome =
      run_cli({"grade", "--verifier", "code"}, R"({"gold": [1], "prediction": "x", "options": {"sandbox": "none"}})"
                                               "\n");
  EXPECT_THAT(outcome.out, HasSubstr("expected statements"));
}

TEST(CodeGrading, DoctorNamesTheMechanisms) {
  const auto outcome = run_cli({"doctor"});
  EXPECT_THAT(outcome.out, HasSubstr("bubblewrap "));
  EXPECT_THAT(outcome.out, HasSubstr("namespaces "));
}

}  // namespace
}  // namespace laconic::cli
