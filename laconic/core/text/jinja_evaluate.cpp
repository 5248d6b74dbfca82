// Expressions.
#include "laconic/core/text/jinja_access.h"
#include "laconic/core/text/jinja_error.h"
#include "laconic/core/text/jinja_filters.h"
#include "laconic/core/text/jinja_interpreter.h"
#include "laconic/core/text/jinja_iterate.h"
#include "laconic/core/text/jinja_loop.h"
#include "laconic/core/text/jinja_macro.h"
#include "laconic/core/text/jinja_print.h"
#include "laconic/core/text/jinja_tests.h"

namespace laconic::text::jinja {

Value Interpreter::evaluate(const Expr& expr) {
  const Budget::Level level(budget_);
  budget_.spend(1);
  try {
    return std::visit([this](const auto& node) { return eval_node(node); }, expr.node);
  } catch (Failure& failure) {
    if (failure.line == 0) failure.line = expr.line;
    throw;
  }
}

Value Interpreter::look_up(std::string_view name) {
  for (Scope* scope = scope_.get(); scope != nullptr; scope = scope->parent.get()) {
    if (const Value* found = scope->find_here(name)) return *found;
  }
  const auto variable = variables_.find(std::string(name));
  if (variable != variables_.end()) return variable->second;
  if (auto global = find_global(name)) return *global;
  return Value::undefined(fmt::format("'{}' is undefined", name));
}

Value Interpreter::eval_node(const Name& node) {
  return look_up(node.name);
}

Value Interpreter::eval_node(const ListLiteral& node) {
  List items;
  items.reserve(node.items.size());
  for (const auto& item : node.items) items.push_back(evaluate(*item));
  return node.tuple ? Value::tuple(std::move(items)) : Value::list(std::move(items));
}

Value Interpreter::eval_node(const DictLiteral& node) {
  Dict dict;
  for (const auto& [key, value] : node.entries) {
    Value name = evaluate(*key);
    dict.set(std::move(name), evaluate(*value));
  }
  return Value::dict(std::move(dict));
}

Value Interpreter::eval_node(const AttributeAccess& node) {
  return get_attribute(evaluate(*node.object), node.name);
}

Value Interpreter::eval_node(const ItemAccess& node) {
  const Value object = evaluate(*node.object);
  const Value key = evaluate(*node.key);
  budget_.spend(object.is_string() ? object.weight() : key.weight());
  return get_item(object, key);
}

Value Interpreter::eval_node(const SliceAccess& node) {
  const auto bound = [&](const ExprPtr& expr) { return expr ? evaluate(*expr) : Value::none(); };
  const Value object = evaluate(*node.object);
  const Value start = bound(node.start);
  const Value stop = bound(node.stop);
  return slice(object, start, stop, bound(node.step), budget_);
}

Arguments Interpreter::evaluate(const CallArguments& arguments) {
  Arguments out;
  out.positional.reserve(arguments.positional.size());
  for (const auto& value : arguments.positional) out.positional.push_back(evaluate(*value));
  for (const auto& [name, value] : arguments.named) out.named.emplace_back(name, evaluate(*value));
  if (arguments.star) {
    const List more = to_list(evaluate(*arguments.star), budget_);
    out.positional.insert(out.positional.end(), more.begin(), more.end());
  }
  if (!arguments.double_star) return out;
  const Value more = evaluate(*arguments.double_star);
  if (!more.is(Kind::dict)) template_error("argument after ** must be a mapping, not {}", type_name(more));
  for (const auto& [key, value] : more.as_dict().entries()) {
    if (!key.is_string()) template_error("keywords must be strings");
    for (const auto& named : arguments.named) {
      if (named.first == key.text()) template_error("got multiple values for keyword argument '{}'", key.text());
    }
    budget_.spend(1 + arguments.named.size());
    out.named.emplace_back(key.text(), value);
  }
  return out;
}

Value Interpreter::eval_node(const Call& node) {
  const Value callee = evaluate(*node.callee);
  return call(callee, evaluate(node.arguments));
}

Value Interpreter::call(const Value& callee, const Arguments& arguments) {
  const Budget::Level level(budget_);
  if (callee.is_undefined()) template_error("{}", callee.undefined_message());
  if (const auto* function = callee.as<Function>()) return function->body(*this, arguments);
  if (const auto* macro = callee.as<Macro>()) return macro->call(*this, arguments);
  if (const auto* loop = callee.as<Loop>()) return loop->call(*this, arguments);
  template_error("'{}' object is not callable", type_name(callee));
}

Value Interpreter::call_filter(std::string_view name, const Value& input, const Arguments& arguments) {
  budget_.spend(input.is_string() ? input.weight() : 1);
  return find_filter(name)(*this, input, arguments);
}

Value Interpreter::eval_node(const FilterCall& node) {
  LACONIC_CHECK(node.input != nullptr || filter_input_ != nullptr, "a filter without input");
  const Value input = node.input ? evaluate(*node.input) : *filter_input_;
  return call_filter(node.name, input, evaluate(node.arguments));
}

Value Interpreter::eval_node(const TestCall& node) {
  const Value input = evaluate(*node.input);
  return Value::boolean(apply_test(node.name, input, evaluate(node.arguments), budget_));
}

Value Interpreter::eval_node(const Unary& node) {
  const Value operand = evaluate(*node.operand);
  switch (node.op) {
    case UnaryOperator::negate:
      return negated(operand);
    case UnaryOperator::plus:
      return plus(operand);
    case UnaryOperator::invert:
      break;
  }
  return Value::boolean(!truthy(operand));
}

Value Interpreter::eval_node(const Binary& node) {
  const Value left = evaluate(*node.left);
  return operate(left, node.op, evaluate(*node.right), budget_);
}

Value Interpreter::eval_node(const Concatenation& node) {
  Output out(budget_);
  for (const auto& part : node.parts) out.write(to_text(evaluate(*part), budget_));
  return Value::string(out.take());
}

Value Interpreter::eval_node(const Logical& node) {
  Value value;
  for (const auto& operand : node.operands) {
    value = evaluate(*operand);
    if (truthy(value) == node.is_or) break;
  }
  return value;
}

bool Interpreter::compare(const Value& left, Comparator comparator, const Value& right) {
  budget_.spend(std::min(left.weight(), right.weight()) / 4);
  switch (comparator) {
    case Comparator::equal:
      return equal(left, right);
    case Comparator::unequal:
      return !equal(left, right);
    case Comparator::less:
      return ordered(left, Order::less, right);
    case Comparator::less_equal:
      return ordered(left, Order::less_equal, right);
    case Comparator::greater:
      return ordered(left, Order::greater, right);
    case Comparator::greater_equal:
      return ordered(left, Order::greater_equal, right);
    case Comparator::in:
      return contains(right, left, budget_);
    case Comparator::not_in:
      return !contains(right, left, budget_);
  }
  return false;
}

Value Interpreter::eval_node(const Comparison& node) {
  Value left = evaluate(*node.first);
  for (const auto& [comparator, operand] : node.rest) {
    Value right = evaluate(*operand);
    if (!compare(left, comparator, right)) return Value::boolean(false);
    left = std::move(right);
  }
  return Value::boolean(true);
}

Value Interpreter::eval_node(const Conditional& node) {
  if (truthy(evaluate(*node.test))) return evaluate(*node.then);
  if (node.otherwise) return evaluate(*node.otherwise);
  return Value::undefined(fmt::format(
      "the inline if-expression on line {} evaluated to false and no else section was defined.", node.test->line));
}

}  // namespace laconic::text::jinja
