#include "laconic/rewards/grade.h"

#include <algorithm>

#include "laconic/core/base/error.h"
#include "laconic/core/base/strings.h"
#include "laconic/rewards/policy.h"

namespace laconic::rewards {

std::vector<std::string> grade_policies(std::string_view verifier) {
  std::vector<std::string> names = {"default"};
  if (verifier == "math") {
    const auto math = math_policy_names();
    names.insert(names.end(), math.begin(), math.end());
  }
  return names;
}

VerifierOptions policy_options(std::string_view verifier, std::string_view policy) {
  if (policy == "default") return {};
  const auto policies = grade_policies(verifier);
  if (std::find(policies.begin(), policies.end(), policy) != policies.end()) return {{"policy", std::string(policy)}};
  fail(ErrorKind::usage, "unknown policy `{}` for verifier `{}`{}; there are {}", policy, verifier,
       did_you_mean(policy, policies), join(policies, ", "));
}

Grade grade(const Verifier& verifier, std::string_view gold, std::string_view prediction) {
  const auto verdict = verifier.verify({.text = prediction, .truncated = false, .prompt_text = {}}, gold);
  Grade result;
  result.correct = verdict.correct;
  if (verdict.answer_found) result.answer = verdict.answer;
  result.gold_answer = verifier.gold_answer(gold);
  result.reason = verdict.reason;
  result.tests_passed = verdict.tests_passed;
  return result;
}

Grade grade(std::string_view gold, std::string_view prediction, std::string_view verifier, std::string_view policy,
            const VerifierOptions& options) {
  VerifierOptions merged = policy_options(verifier, policy);
  for (const auto& [name, value] : options) merged[name] = value;
  return grade(*make_verifier(verifier, merged), gold, prediction);
}

}  // namespace laconic::rewards
