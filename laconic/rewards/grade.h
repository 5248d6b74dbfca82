// Grading of a gold / prediction pair outside of training: the `grade` filter.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "laconic/rewards/verifier.h"

namespace laconic::rewards {

struct Grade {
  bool correct = false;
  std::optional<std::string> answer;  // extracted from the prediction
  std::string gold_answer;
  std::string reason;
  std::optional<double> tests_passed;  // of verifiers that run tests
};

// Policies of the `math` verifier (policy.h): math_verify, strict, lenient; `default` is math_verify. Other verifiers
// know `default` alone. An unknown policy is an Error with the nearest name.
std::vector<std::string> grade_policies(std::string_view verifier);
VerifierOptions policy_options(std::string_view verifier, std::string_view policy);

Grade grade(const Verifier& verifier, std::string_view gold, std::string_view prediction);

// The same with a verifier made for the call; `options` override the policy's.
Grade grade(std::string_view gold, std::string_view prediction, std::string_view verifier = "math",
            std::string_view policy = "default", const VerifierOptions& options = {});

}  // namespace laconic::rewards
