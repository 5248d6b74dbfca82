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
  bool same_up_to_factor(const Expression& a, const Expression& b, bool positive);
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
  // In long lists most pairs differ: that is told in double precision first.
  bool has_compared_many() const { return budget_ < kComparisons - kFewComparisons; }

  const EquivalenceOptions& options_;
  static constexpr int kComparisons = 400, kFewComparisons = 20;
  int budget_ = kComparisons;     // comparisons of parts
  int64_t exact_work_ = 10000;    // of exact algebra (exact.h)
  int64_t equation_work_ = 3000;  // likewise, where the steps are dearer: equations of many terms
  int64_t precise_work_ = 200;    // of multi-precision arithmetic (numeric.h)
  int depth_ = 0;
};

// Arithmetic on numbers that could have been carried out.
bool is_unevaluated(const Expression& expression);

}  // namespace laconic::rewards
