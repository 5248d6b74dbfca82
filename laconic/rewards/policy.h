// Policies of the math verifier: named answers to what graders disagree on. docs/verifier.md shows each with examples.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "laconic/rewards/equivalence.h"

namespace laconic::rewards {

struct MathPolicy {
  EquivalenceOptions equivalence;
  bool require_box = false;  // only a \boxed{} holds an answer
  bool one_box = false;      // boxes that differ are no answer; otherwise the last one counts
  bool last_number = true;   // a text without a marked answer answers with its last number
};

//   math_verify  equal values are equal answers; 50% is 0.5 and 50; decimals agree to 1e-6; lists have no order
//   strict       the last \boxed{} alone, and no other one beside it; exact values, carried out and in lowest terms; a
//                percent sign divides by 100; lists have an order
//   lenient      as math_verify; decimals agree to 1e-4 or are the gold value rounded; "1, 2" is (1, 2); 52 is 52_8
MathPolicy math_policy(std::string_view name);
std::vector<std::string> math_policy_names();

}  // namespace laconic::rewards
