// Are two answers the same? Exact where algebra decides, by values at seeded points otherwise, without regard to order
// where the answer is a set.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace laconic::rewards {

enum class PercentRule {
  ignore,  // the sign is a unit: 50% equals 50
  exact,   // the sign divides by 100: 50% equals 1/2
  any,     // both are accepted, whichever side has the sign
};

// What graders disagree on. The defaults are those of the policy `math_verify` (policy.h).
struct EquivalenceOptions {
  PercentRule percent = PercentRule::any;
  // Only where a decimal with a fractional part is involved: |a - b| <= tolerance * min(1, max(|a|, |b|)). 0 is exact.
  double tolerance = 1e-6;
  bool ordered_lists = false;  // "1, 2" is not "2, 1"; sets in braces never have an order
  bool simplified = false;     // 2/4 and 1+1 are not accepted where the gold answer is 1/2 or 2
  bool rounded = false;        // a decimal of at least two places may be the gold value rounded to them
  bool loose = false;          // "1, 2" is (1, 2); 52 is 52_8; the letter case of a choice does not matter
};

struct Equivalence {
  bool equal = false;
  std::string reason;
};

// Units are ignored unless both answers carry units of measurement: then 5 km is 5000 m and is not 5 m.
// Never throws; bounded time whatever the texts are.
Equivalence compare_answers(std::string_view gold, std::string_view answer, const EquivalenceOptions& options = {});

// What the options of a question are called: A to J.
inline bool is_choice_letter(char c) {
  return c >= 'A' && c <= 'J';
}

// True when the text reads as mathematics from beginning to end: a number, an expression, a list, an equation, ...
bool is_mathematics(std::string_view text);

// True when `answer` stands in `question` (white space and LaTeX's ways of writing aside) and is no result: arithmetic
// that was not carried out (2+3, 6/4, 2^3; not 3/4, 2 sqrt(3)), or an expression with variables of another form than
// the gold answer.
bool restates(std::string_view question, std::string_view answer, std::string_view gold);

}  // namespace laconic::rewards
