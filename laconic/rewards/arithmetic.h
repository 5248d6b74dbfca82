// Sums, differences, products and quotients of whole numbers: the expressions of number puzzles, evaluated exactly.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "laconic/rewards/rational.h"

namespace laconic::rewards {

struct Arithmetic {
  std::optional<Rational> value;  // nothing when the text is no such expression
  std::vector<int64_t> numbers;   // as they stand, from left to right
  std::string problem;            // why there is no value
};

// Whole numbers of at most 18 digits with + - * / and parentheses (also [ ] and { }), the signs also as the letter x,
// in Unicode (× ÷ − · ∗ ⋅ and full-width ones) and LaTeX (\times \cdot \div \frac{}{} \frac83 \left \right \Big). Signs
// in front of a number, powers, factorials, decimals, concatenation and products without a sign are refused. At most
// 4096 bytes and 64 levels.
Arithmetic evaluate_arithmetic(std::string_view text);

}  // namespace laconic::rewards
