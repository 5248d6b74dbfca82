// The tree of an answer. The parser builds it, with the structure as it was written; equivalence.h compares two of
// them.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "laconic/rewards/rational.h"

namespace laconic::rewards {

enum class Kind : uint8_t {
  number,        // value; places, repeating, base say how it was written
  symbol,        // name: a variable, "x", "x_1", "\alpha"
  constant,      // name: pi, e, i, infinity
  sum,           // args
  product,       // args
  quotient,      // args[0] / args[1]
  negate,        // - args[0]
  power,         // args[0] ^ args[1]
  root,          // the args[1]-th root of args[0]
  function,      // name, args: sin, log (value, base), abs, factorial, binomial, ...
  plus_minus,    // args[0] name("+" or "-" first) args[1]
  percent,       // args[0]
  degrees,       // args[0]
  quantity,      // args[0] with the unit `name`
  relation,      // args[0] name[0] args[1] name[1] args[2] ...; see Relation signs below
  sequence,      // args; name is the pair of brackets "()", "[)", "{}", or "" for a bare list, ":" for a ratio
  set_union,     // args
  intersection,  // args
  difference,    // args[0] without args[1]
  matrix,        // args row by row, `columns` to a row
  text,          // name: words that are no expression
};

// Signs of a relation: = equal or approximately, < > less and greater, l g less or equal and greater or equal, ! not
// equal, @ element of.

struct Expression {
  Kind kind = Kind::number;
  bool repeating = false;  // number: with a repeating part
  bool grouped = false;    // stood in brackets of its own
  bool bound = false;  // relation and sets of numbers: the condition of \{x | ...\}, whose variable has no name outside
  int places = 0;      // number: digits after the decimal point
  int base = 10;       // number: of the notation it was written in
  size_t columns = 0;  // matrix
  std::string name;
  Rational value;
  std::vector<Expression> args;

  bool is(Kind k) const { return kind == k; }
  bool is_constant(const char* which) const { return kind == Kind::constant && name == which; }
};

Expression make(Kind kind, std::string name, std::vector<Expression> args = {});
Expression make_number(Rational value);
template <typename... Args>
Expression make_node(Kind kind, Args&&... args) {
  Expression node;
  node.kind = kind;
  node.args.reserve(sizeof...(args));
  (node.args.push_back(std::forward<Args>(args)), ...);
  return node;
}

size_t count_nodes(const Expression& expression);
// The names of the free variables.
std::set<std::string> symbols_of(const Expression& expression);
// True when some node satisfies the predicate.
template <typename Predicate>
bool any_node(const Expression& expression, const Predicate& predicate) {
  if (predicate(expression)) return true;
  for (const auto& arg : expression.args) {
    if (any_node(arg, predicate)) return true;
  }
  return false;
}
// A decimal with digits after the point: such a number may stand for a rounded one.
bool has_decimals(const Expression& expression);

// The same tree, brackets and the order of sums and products aside. False for trees that are too large to tell quickly.
bool same_form(const Expression& a, const Expression& b);

// The tree with every plus-or-minus read as plus (or as minus, and \mp the other way round).
Expression with_sign(const Expression& expression, bool plus);

}  // namespace laconic::rewards
