#include "laconic/rewards/expression.h"

namespace laconic::rewards {
namespace {

void add_symbols(const Expression& expression, std::set<std::string>& names) {
  if (expression.is(Kind::symbol)) names.insert(expression.name);
  for (const auto& arg : expression.args) add_symbols(arg, names);
}

}  // namespace

Expression make(Kind kind, std::string name, std::vector<Expression> args) {
  Expression expression;
  expression.kind = kind;
  expression.args = std::move(args);
  expression.name = std::move(name);
  return expression;
}

Expression make_number(Rational value) {
  Expression expression;
  expression.value = std::move(value);
  return expression;
}

size_t count_nodes(const Expression& expression) {
  size_t nodes = 1;
  for (const auto& arg : expression.args) nodes += count_nodes(arg);
  return nodes;
}

std::set<std::string> symbols_of(const Expression& expression) {
  std::set<std::string> names;
  add_symbols(expression, names);
  return names;
}

bool has_decimals(const Expression& expression) {
  return any_node(expression,
                  [](const Expression& e) { return e.is(Kind::number) && e.places > 0 && !is_integer(e.value); });
}

Expression with_sign(const Expression& expression, bool plus) {
  Expression copy = expression;
  for (auto& arg : copy.args) arg = with_sign(arg, plus);
  if (!copy.is(Kind::plus_minus)) return copy;
  const bool add = (copy.name == "+") == plus;
  if (!add) copy.args[1] = make_node(Kind::negate, Expression(copy.args[1]));
  copy.kind = Kind::sum;
  copy.name.clear();
  return copy;
}

}  // namespace laconic::rewards
