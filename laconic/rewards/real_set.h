// Sets of real numbers as answers give them: intervals, unions, inequalities in one variable, finite sets.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "laconic/rewards/expression.h"

namespace laconic::rewards {

// Between `low` and `high`, which are infinite where they hold the constant infinity (low: minus infinity).
struct Interval {
  Expression low, high;
  bool low_closed = false, high_closed = false;
  double low_value = 0, high_value = 0;
};

// The names in inequalities and what is made of them: x of x > 3 and of x in S, none of \{x | x > 3\} and of (3, 5).
std::set<std::string> free_variables(const Expression& set);

// Disjoint, in ascending order, with touching ones merged. Nothing when the expression is no such set, when it speaks
// of several variables (x > 3 and y < 5), or an end has no real value.
std::optional<std::vector<Interval>> real_set(const Expression& expression);

// True for what can only be a set of numbers: unions, inequalities, membership; an interval's brackets may also be a
// pair's.
bool is_set_notation(const Expression& expression);

using SameValue = std::function<bool(const Expression&, const Expression&)>;
bool same_real_set(const std::vector<Interval>& a, const std::vector<Interval>& b, const SameValue& same);

}  // namespace laconic::rewards
