// Are two answers the same? Exact on rational numbers, otherwise by a normal form of the text.
#pragma once

#include <string>
#include <string_view>

namespace laconic::rewards {

enum class PercentRule {
  ignore,  // the sign is a unit: 50% equals 50
  exact,   // the sign divides by 100: 50% equals 1/2
  any,     // both are accepted, whichever side has the sign
};

struct EquivalenceOptions {
  PercentRule percent = PercentRule::ignore;
  double tolerance = 0;  // relative, on numbers; 0 is exact
};

struct Equivalence {
  bool equal = false;
  std::string reason;
};

// Units are ignored unless both answers carry one of the known units of measurement and they differ (5 km is not 5 m).
Equivalence compare_answers(std::string_view gold, std::string_view answer, const EquivalenceOptions& options = {});

}  // namespace laconic::rewards
