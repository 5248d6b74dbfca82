// Comparison of two answer trees, case by case; the work behind compare_answers().
#pragma once

#include <cstdint>
#include <vector>

#include "laconic/rewards/equivalence.h"
#include "laconic/rewards/expression.h"

namespace laconic::rewards {

class Comparer {
 public:
  explicit Comparer(const EquivalenceOptions& options) : options_(options) {}
  bool same(const Expression& gold, const Expression& answer);

 private:
  bool same_relation(const Expression& gold, const Expression& answer);
  bool same_equation(const Expression& gold, const Expression& answer);
  bool same_inequality(const Expression& gold, const Expression& answer);
  bool same_set(const Expression& gold, const Expression& answer);
  bool same_sequence(const Expression& gold, const Expression& answer);
  bool same_ordered(const std::vector<Expression>& gold, const std::vector<Expression>& answer);
  bool same_unordered(const std::vector<Expression>& gold, const std::vector<Expression>& answer);
  bool covers(const std::vector<Expression>& whole, const std::vector<Expression>& part);
  bool same_matrix(const Expression& gold, const Expression& answer);
  bool same_value(const Expression& gold, const Expression& answer);
  bool same_bare_value(const Expression& gold, const Expression& answer);
  bool same_number(const Expression& gold, const Expression& answer);
  bool rounds_to(const Expression& gold, const Expression& answer) const;
  bool spend() { return --budget_ > 0; }

  const EquivalenceOptions& options_;
  static constexpr int kComparisons = 400;
  int budget_ = kComparisons;   // comparisons of parts
  int64_t exact_work_ = 10000;  // of exact algebra, see compare_exactly()
  int64_t precise_work_ = 200;  // of multi-precision arithmetic, see compare_numerically()
  int depth_ = 0;
};

// Arithmetic on numbers that could have been carried out.
bool is_unevaluated(const Expression& expression);

}  // namespace laconic::rewards
