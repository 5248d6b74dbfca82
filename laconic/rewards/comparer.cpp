#include "laconic/rewards/comparer.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>

#include "laconic/rewards/equations.h"
#include "laconic/rewards/exact.h"
#include "laconic/rewards/notation.h"
#include "laconic/rewards/numeric.h"
#include "laconic/rewards/real_set.h"
#include "laconic/rewards/units.h"

namespace laconic::rewards {
namespace {

constexpr int kMaxDepth = 16;
constexpr size_t kMaxElements = 64;

bool has_plus_minus(const Expression& e) {
  return any_node(e, [](const Expression& node) { return node.is(Kind::plus_minus); });
}

bool is_scalar(const Expression& e) {
  return !e.is(Kind::sequence) && !e.is(Kind::relation) && !e.is(Kind::matrix) && !is_set_notation(e);
}

// Elements of a list, with each plus-or-minus as its two values.
std::vector<Expression> elements_of(const Expression& list) {
  std::vector<Expression> elements;
  for (const auto& arg : list.args) {
    if (has_plus_minus(arg) && is_scalar(arg)) {
      elements.push_back(with_sign(arg, true));
      elements.push_back(with_sign(arg, false));
    } else {
      elements.push_back(arg);
    }
  }
  return elements;
}

Expression expanded(const Expression& e) {
  Expression list = make_node(Kind::sequence, Expression(e));
  list.args = elements_of(list);
  return list;
}

// Not for x > 3 and y > 3.
bool same_variable(const Expression& set, const Expression& other) {
  const auto names = free_variables(set), others = free_variables(other);
  return names.size() != 1 || others.size() != 1 || names == others;
}

bool is_degrees(const Expression& e) {
  return e.is(Kind::degrees);
}

Expression without_degrees(const Expression& e) {
  if (is_degrees(e)) return without_degrees(e.args[0]);
  Expression copy = e;
  for (auto& arg : copy.args) arg = without_degrees(arg);
  return copy;
}

Expression difference_of_sides(const Expression& relation) {
  return make_node(Kind::sum, Expression(relation.args[0]), make_node(Kind::negate, Expression(relation.args[1])));
}

// The amount inside of a percent sign, a degree sign or a unit.
const Expression& bare(const Expression& e) {
  const Expression* inside = &e;
  while (inside->is(Kind::percent) || inside->is(Kind::degrees) || inside->is(Kind::quantity))
    inside = &inside->args[0];
  return *inside;
}

std::optional<Measure> measure(const Expression& e) {
  if (e.is(Kind::quantity)) return measure_of(e.name);
  return std::nullopt;
}

// What a sign or a unit of measurement says an amount to be of; nothing where there is none.
std::string kind_of_amount(const Expression& e) {
  if (e.is(Kind::percent)) return "percent";
  if (is_degrees(e)) return "angle";
  const auto unit = measure(e);
  return unit ? unit->dimension : "";
}

Expression times(const Expression& e, const Rational& factor) {
  return make_node(Kind::product, make_number(factor), Expression(e));
}

bool is_infinity(const Expression& e) {
  return any_node(e, [](const Expression& node) { return node.is_constant("infinity"); });
}

// x = 2, y = 1: values of different variables, of which x, y and z have an order.
bool assigns_coordinates(const std::vector<Expression>& items) {
  std::set<std::string> names;
  std::string last_coordinate;
  for (const auto& item : items) {
    if (assigned_value(item) == nullptr || !item.args[0].is(Kind::symbol)) return false;
    const std::string& name = item.args[0].name;
    if (!names.insert(name).second) return false;
    if (name != "x" && name != "y" && name != "z") continue;
    if (name < last_coordinate) return false;
    last_coordinate = name;
  }
  return true;
}

// The cells of [[1, 2], [3, 4]], row by row; none when a row is not so long.
std::vector<Expression> cells_of_rows(const Expression& list, size_t columns) {
  std::vector<Expression> cells;
  for (const auto& row : list.args) {
    const bool is_row = row.is(Kind::sequence) && (row.name == "[]" || row.name == "()") && row.args.size() == columns;
    if (!is_row) return {};
    cells.insert(cells.end(), row.args.begin(), row.args.end());
  }
  return cells;
}

// "5 t" read as a quantity, where the other side has the variable t.
Expression as_product(const Expression& e) {
  return make_node(Kind::product, Expression(e.args[0]), make(Kind::symbol, e.name));
}

}  // namespace

bool Comparer::same(const Expression& gold, const Expression& answer) {
  if (!spend() || depth_ > kMaxDepth) return false;
  ++depth_;
  const bool result = [&] {
    if (gold.is(Kind::text) || answer.is(Kind::text))
      return gold.is(Kind::text) && answer.is(Kind::text) && words_key(gold.name) == words_key(answer.name);
    if (gold.is(Kind::relation) || answer.is(Kind::relation)) return same_relation(gold, answer);
    if (is_set_notation(gold) || is_set_notation(answer)) return same_set(gold, answer);
    const bool gold_list = gold.is(Kind::sequence), answer_list = answer.is(Kind::sequence);
    const bool gold_pair = !gold_list && has_plus_minus(gold), answer_pair = !answer_list && has_plus_minus(answer);
    if (gold_list || answer_list || gold_pair || answer_pair)
      return same_sequence(gold_pair ? expanded(gold) : gold, answer_pair ? expanded(answer) : answer);
    if (gold.is(Kind::matrix) || answer.is(Kind::matrix)) return same_matrix(gold, answer);
    return same_value(gold, answer);
  }();
  --depth_;
  return result;
}

bool Comparer::same_relation(const Expression& gold, const Expression& answer) {
  const bool both = gold.is(Kind::relation) && answer.is(Kind::relation);
  if (both && is_equation(gold) && is_equation(answer)) return same_equation(gold, answer);
  if (both && !same_variable(gold, answer)) return false;
  // x in S, and x = value, stand for S and the value.
  const auto value = [](const Expression& e) -> const Expression* {
    if (e.is(Kind::relation) && e.name == "@" && is_name(e.args[0])) return &e.args[1];
    return assigned_value(e);
  };
  // x^2 + y^2 = 1 is an equation where it is the gold answer, and no way to write 1.
  const bool unnamed = is_equation(gold) && !is_valued(gold);
  if (const auto* inside = unnamed ? nullptr : value(gold)) {
    if (same(*inside, answer)) return true;
    const auto* exact = rounded_value(gold);
    return exact != nullptr && same(*exact, answer);
  }
  if (const auto* inside = gold.is(Kind::relation) ? nullptr : value(answer)) {
    if (same(gold, *inside)) return true;
    const auto* exact = rounded_value(answer);
    return exact != nullptr && same(gold, *exact);
  }
  // Where the gold answer is a set, an inequality that has yet to be solved is none.
  if (real_set(gold)) return same_set(gold, answer);
  return both && same_inequality(gold, answer);
}

bool Comparer::same_equation(const Expression& gold, const Expression& answer) {
  const Expression *left = assigned_value(gold), *right = assigned_value(answer);
  if (left != nullptr && defines_itself(answer)) return false;
  // A solution is not the equation that it solves: 2x + 1 = 11 for x = 5.
  if (left != nullptr && is_valued(gold) && symbols_of(*left).empty() && (right == nullptr || !is_valued(answer)))
    return false;
  if (left != nullptr && right != nullptr && is_valued(gold) && is_valued(answer)) {
    const Expression &name = gold.args[0], &other = answer.args[0];
    if (!is_name(name) || !is_name(other) || same_form(name, other)) {
      if (same(*left, *right)) return true;
      const auto *before = rounded_value(gold), *exact = rounded_value(answer);
      const bool rounded = before != nullptr || exact != nullptr;
      if (rounded && same(before != nullptr ? *before : *left, exact != nullptr ? *exact : *right)) return true;
    }
  }
  if (gold.args.size() != 2 || answer.args.size() != 2) return false;
  if (same_form(gold.args[0], answer.args[0]) && !defines_itself(answer) && same(gold.args[1], answer.args[1]))
    return true;
  if (!is_scalar(gold.args[0]) || !is_scalar(gold.args[1]) || !is_scalar(answer.args[0]) || !is_scalar(answer.args[1]))
    return false;
  const Expression a = difference_of_sides(gold), b = difference_of_sides(answer);
  return same_up_to_factor(a, b, false);
}

// a = 0 and b = 0, or a > 0 and b > 0 where `positive`, say the same.
bool Comparer::same_up_to_factor(const Expression& a, const Expression& b, bool positive) {
  if (symbols_of(a) != symbols_of(b)) return false;
  if (surely_no_multiple(a, b, positive)) return false;
  const auto certainty = compare_up_to_factor(a, b, positive, equation_work_);
  if (certainty != Certainty::unknown) return certainty == Certainty::equal;
  return compare_numerically_up_to_factor(a, b, positive, precise_work_) == Certainty::equal;
}

// One sign between two expressions: x + y < 3 and 3 > y + x.
bool Comparer::same_inequality(const Expression& gold, const Expression& answer) {
  if (gold.args.size() != 2 || answer.args.size() != 2) return false;
  Expression a = difference_of_sides(gold), b = difference_of_sides(answer);
  const auto turned = [](const Expression& e) { return e.name == ">" || e.name == "g"; };
  const auto strict = [](const Expression& e) { return e.name == "<" || e.name == ">"; };
  const bool equality = gold.name == "!" || gold.name == "=";
  if (equality != (answer.name == "!" || answer.name == "=") || strict(gold) != strict(answer)) return false;
  if (equality && gold.name != answer.name) return false;
  if (turned(gold)) a = make_node(Kind::negate, std::move(a));
  if (turned(answer)) b = make_node(Kind::negate, std::move(b));
  return same_up_to_factor(a, b, !equality);
}

bool Comparer::same_set(const Expression& gold, const Expression& answer) {
  const auto left = real_set(gold);
  const auto right = left ? real_set(answer) : std::nullopt;
  if (!left || !right) return false;
  if (!same_variable(gold, answer)) return false;
  return same_real_set(*left, *right, [this](const Expression& a, const Expression& b) { return same(a, b); });
}

bool Comparer::same_ordered(const std::vector<Expression>& gold, const std::vector<Expression>& answer) {
  if (gold.size() != answer.size()) return false;
  for (size_t i = 0; i < gold.size(); ++i) {
    if (!same(gold[i], answer[i])) return false;
  }
  return true;
}

bool Comparer::same_unordered(const std::vector<Expression>& gold, const std::vector<Expression>& answer) {
  if (gold.size() != answer.size() || gold.size() > kMaxElements) return false;
  std::vector<bool> used(answer.size());
  for (const auto& element : gold) {
    bool found = false;
    for (size_t i = 0; i < answer.size() && !found; ++i) {
      if (used[i] || !same(element, answer[i])) continue;
      used[i] = found = true;
    }
    if (!found) return false;
  }
  return true;
}

// Whether each element of `part` is one of `whole`.
bool Comparer::covers(const std::vector<Expression>& whole, const std::vector<Expression>& part) {
  return whole.size() <= kMaxElements && std::all_of(part.begin(), part.end(), [&](const Expression& element) {
           return std::any_of(whole.begin(), whole.end(),
                              [&](const Expression& other) { return same(other, element); });
         });
}

bool Comparer::same_sequence(const Expression& gold, const Expression& answer) {
  const auto unordered = [](const Expression& e) { return e.is(Kind::sequence) && (e.name.empty() || e.name == "{}"); };
  // One element alone is that element; a pair of numbers may be meant by a ratio's quotient.
  if (gold.is(Kind::sequence) != answer.is(Kind::sequence)) {
    const Expression& list = gold.is(Kind::sequence) ? gold : answer;
    const Expression& other = gold.is(Kind::sequence) ? answer : gold;
    if (list.name == ":" && list.args.size() == 2 && is_scalar(other))
      return same(make_node(Kind::quotient, Expression(list.args[0]), Expression(list.args[1])), other);
    if (other.is(Kind::matrix) && (list.name == "()" || list.name == "[]") &&
        (other.columns == 1 || other.columns == other.args.size()))
      return same_ordered(list.args, other.args);
    if (other.is(Kind::matrix)) {
      const auto cells = cells_of_rows(list, other.columns);
      return gold.is(Kind::matrix) ? same_ordered(gold.args, cells) : same_ordered(cells, answer.args);
    }
    const auto elements = elements_of(list);
    if (!unordered(list) || elements.size() != 1) return false;
    return gold.is(Kind::sequence) ? same(elements[0], answer) : same(gold, elements[0]);
  }
  if (unordered(gold) && unordered(answer)) {
    const bool by_order = options_.ordered_lists && gold.name.empty() && answer.name.empty();
    const auto left = elements_of(gold), right = elements_of(answer);
    if (by_order) return same_ordered(left, right);
    if (same_unordered(left, right)) return true;
    // A set has each element once, however often it is written.
    return gold.name == "{}" && answer.name == "{}" && covers(left, right) && covers(right, left);
  }
  if (unordered(gold) != unordered(answer)) {
    const Expression& list = unordered(gold) ? gold : answer;
    const bool assignments = assigns_coordinates(list.args);
    const bool tuples = gold.name != ":" && answer.name != ":" && list.name.empty();
    if (!tuples || !(assignments || options_.loose)) return false;
    return same_ordered(gold.args, answer.args);
  }
  const bool same_brackets =
      gold.name == answer.name || (gold.args.size() > 2 && gold.name != ":" && answer.name != ":");
  return same_brackets && same_ordered(gold.args, answer.args);
}

bool Comparer::same_matrix(const Expression& gold, const Expression& answer) {
  if (!gold.is(Kind::matrix) || !answer.is(Kind::matrix)) {
    const Expression& matrix = gold.is(Kind::matrix) ? gold : answer;
    return matrix.args.size() == 1 &&
           same(gold.is(Kind::matrix) ? gold.args[0] : gold, answer.is(Kind::matrix) ? answer.args[0] : answer);
  }
  return gold.columns == answer.columns && same_ordered(gold.args, answer.args);
}

bool Comparer::same_value(const Expression& gold, const Expression& answer) {
  if (gold.is(Kind::quantity) != answer.is(Kind::quantity)) {
    const Expression& quantity = gold.is(Kind::quantity) ? gold : answer;
    const Expression& other = gold.is(Kind::quantity) ? answer : gold;
    if (quantity.name.size() == 1 && symbols_of(other).count(quantity.name) > 0)
      return same_bare_value(as_product(quantity), other);
  }
  const std::string kind = kind_of_amount(gold), other_kind = kind_of_amount(answer);
  if (!kind.empty() && !other_kind.empty() && kind != other_kind) return false;
  const auto left = measure(gold), right = measure(answer);
  if (left && right) {
    return same_bare_value(times(bare(gold), left->factor), times(bare(answer), right->factor));
  }
  const Expression &x = bare(gold), &y = bare(answer);
  if (gold.is(Kind::percent) != answer.is(Kind::percent)) {
    if (options_.percent != PercentRule::exact && same_bare_value(x, y)) return true;
    return options_.percent != PercentRule::ignore && same_bare_value(gold, answer);
  }
  if (gold.is(Kind::degrees) != answer.is(Kind::degrees)) {
    if (same_bare_value(x, y)) return true;
    const Expression& other = gold.is(Kind::degrees) ? answer : gold;
    const bool radians = any_node(other, [](const Expression& e) { return e.is_constant("pi"); });
    return radians && same_bare_value(gold, answer);
  }
  if (same_bare_value(x, y)) return true;
  return any_node(x, is_degrees) != any_node(y, is_degrees) && same_bare_value(without_degrees(x), without_degrees(y));
}

bool Comparer::same_bare_value(const Expression& gold, const Expression& answer) {
  if (options_.simplified && rewards::is_unevaluated(answer) && !rewards::is_unevaluated(gold)) return false;
  if (is_infinity(gold) || is_infinity(answer)) {
    const auto negative = [](const Expression& e) { return e.is(Kind::negate) && e.args[0].is_constant("infinity"); };
    const auto positive = [](const Expression& e) { return e.is_constant("infinity"); };
    return (negative(gold) && negative(answer)) || (positive(gold) && positive(answer));
  }
  return same_number(gold, answer) || rounds_to(gold, answer);
}

bool Comparer::same_number(const Expression& gold, const Expression& answer) {
  if (gold.is(Kind::number) && answer.is(Kind::number) && gold.value == answer.value) return true;
  const bool inexact = options_.tolerance > 0 && (has_decimals(gold) || has_decimals(answer));
  if (has_compared_many() && surely_different(gold, answer, inexact ? options_.tolerance : 0)) return false;
  const auto certainty = compare_exactly(gold, answer, exact_work_);
  if (certainty == Certainty::equal) return true;
  if (certainty == Certainty::different && !inexact) return false;
  if (inexact) {
    const auto left = rational_value(gold), right = rational_value(answer);
    if (left && right) return tolerated(*left, *right, options_.tolerance);
  }
  return compare_numerically(gold, answer, inexact ? options_.tolerance : 0, precise_work_) == Certainty::equal;
}

// 16.67 for 16.666...: a repeating decimal has no other finite writing. For other values only where rounding is
// allowed.
bool Comparer::rounds_to(const Expression& gold, const Expression& answer) const {
  const bool negative = answer.is(Kind::negate);
  const Expression& decimal = negative ? answer.args[0] : answer;
  if (!decimal.is(Kind::number) || decimal.places < 1 || decimal.repeating) return false;
  if (!gold.is(Kind::number) || !gold.repeating) {
    if (!options_.rounded || decimal.places < 2) return false;
  }
  const auto value = real_value(gold), shown = real_value(answer);
  if (!value || !shown) return false;
  return std::abs(*value - *shown) <= 0.5 * std::pow(10.0, -decimal.places) * (1 + 1e-9);
}

bool is_unevaluated(const Expression& e) {
  switch (e.kind) {
    case Kind::sum: {
      if (e.grouped && e.args.size() == 2 && e.args[1].is(Kind::quotient)) return is_unevaluated(e.args[1]);  // mixed
      size_t numbers = 0;
      for (const auto& arg : e.args) numbers += rational_value(arg) ? 1 : 0;
      if (numbers > 1) return true;
      break;
    }
    case Kind::product: {
      size_t numbers = 0;
      for (const auto& arg : e.args) numbers += rational_value(arg) ? 1 : 0;
      const bool scientific = e.args.size() == 2 && e.args[1].is(Kind::power) && e.args[1].args[0].is(Kind::number) &&
                              e.args[1].args[0].value == 10;
      if (scientific) return false;
      if (numbers > 1) return true;
      break;
    }
    case Kind::quotient: {
      const auto top = rational_value(e.args[0]), bottom = rational_value(e.args[1]);
      if (!top || !bottom) break;
      if (!is_integer(*top) || !is_integer(*bottom) || *bottom <= 1) return true;
      return gcd(Integer(numerator(*top)), Integer(numerator(*bottom))) != 1 || is_unevaluated(e.args[0]);
    }
    case Kind::power:
    case Kind::function:
    case Kind::root:
      if (rational_value(e)) return true;
      if (e.is(Kind::root)) {
        const auto radicand = rational_value(e.args[0]), degree = rational_value(e.args[1]);
        const int64_t n = degree ? small_integer(*degree, 64).value_or(0) : 0;
        if (radicand && is_integer(*radicand) && *radicand > 1 && n >= 2 && bits_of(*radicand) <= 256)
          return exact_root(Integer(numerator(*radicand)), n).has_value();
      }
      break;
    default:
      break;
  }
  return std::any_of(e.args.begin(), e.args.end(), [](const Expression& arg) { return is_unevaluated(arg); });
}

}  // namespace laconic::rewards
