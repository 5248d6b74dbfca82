#include "laconic/rewards/expression.h"

namespace laconic::rewards {
namespace {

void add_symbols(const Expression& expression, std::set<std::string>& names) {
  if (expression.is(Kind::symbol)) names.insert(expression.name);
  for (const auto& arg : expression.args) add_symbols(arg, names);
}

bool same_form(const Expression& a, const Expression& b, int& budget);

bool same_arguments(const Expression& a, const Expression& b, int& budget) {
  const bool ordered = !a.is(Kind::sum) && !a.is(Kind::product);
  std::vector<bool> used(b.args.size());
  for (size_t i = 0; i < a.args.size(); ++i) {
    bool found = false;
    for (size_t j = ordered ? i : 0; j < (ordered ? i + 1 : b.args.size()) && !found; ++j) {
      if (used[j] || !same_form(a.args[i], b.args[j], budget)) continue;
      used[j] = found = true;
    }
    if (!found) return false;
  }
  return true;
}

bool same_form(const Expression& a, const Expression& b, int& budget) {
  if (--budget < 0 || a.kind != b.kind || a.name != b.name || a.args.size() != b.args.size()) return false;
  if (a.is(Kind::number) && a.value != b.value) return false;
  return same_arguments(a, b, budget);
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

bool same_form(const Expression& a, const Expression& b) {
  int budget = 4096;
  return same_form(a, b, budget);
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
