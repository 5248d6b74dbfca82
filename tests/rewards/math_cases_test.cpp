// Pairs of answers that are the same or not, by kind: cases/math_cases.jsonl.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "laconic/rewards/equivalence.h"
#include "laconic/rewards/policy.h"

namespace laconic::rewards {
namespace {

TEST(MathCases, AreEqualOrNot) {
  std::ifstream file(std::string(LACONIC_SOURCE_DIR) + "/tests/rewards/cases/math_cases.jsonl");
  int count = 0;
  for (std::string line; std::getline(file, line);) {
    ++count;
    const auto c = nlohmann::json::parse(line);
    const auto policy = math_policy(c.value("policy", "math_verify"));
    const std::string gold = c["gold"], answer = c["answer"];
    const auto result = compare_answers(gold, answer, policy.equivalence);
    EXPECT_EQ(result.equal, c["equal"].get<bool>()) << line << " (" << result.reason << ")";
    // A wrong order of the two sides is no reason for another verdict, where no rule looks at one side alone.
    const bool one_sided = c["kind"] == "strict" || c["kind"] == "lenient" || c["kind"] == "gaming" ||
                           c["kind"] == "choices" || c["kind"] == "repeating decimals" || c["kind"] == "equations";
    if (one_sided) continue;
    EXPECT_EQ(compare_answers(answer, gold, policy.equivalence).equal, result.equal) << "turned: " << line;
  }
  EXPECT_GT(count, 300);
}

}  // namespace
}  // namespace laconic::rewards
