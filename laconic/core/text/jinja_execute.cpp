// Statements.
#include "laconic/core/text/jinja_error.h"
#include "laconic/core/text/jinja_interpreter.h"
#include "laconic/core/text/jinja_iterate.h"
#include "laconic/core/text/jinja_loop.h"
#include "laconic/core/text/jinja_macro.h"
#include "laconic/core/text/jinja_print.h"

namespace laconic::text::jinja {

class Interpreter::InScope {
 public:
  InScope(Interpreter& interpreter, ScopePtr scope)
      : interpreter_(interpreter), old_(std::exchange(interpreter.scope_, std::move(scope))) {}
  // A new scope inside the current one.
  explicit InScope(Interpreter& interpreter)
      : InScope(interpreter, std::make_shared<Scope>(Scope{interpreter.scope_, {}})) {}
  ~InScope() { interpreter_.scope_ = std::move(old_); }
  InScope(const InScope&) = delete;
  InScope& operator=(const InScope&) = delete;

 private:
  Interpreter& interpreter_;
  ScopePtr old_;
};

class Interpreter::InOutput {
 public:
  explicit InOutput(Interpreter& interpreter)
      : interpreter_(interpreter), own_(interpreter.budget_), old_(std::exchange(interpreter.output_, &own_)) {}
  ~InOutput() { interpreter_.output_ = old_; }
  InOutput(const InOutput&) = delete;
  InOutput& operator=(const InOutput&) = delete;
  std::string take() { return own_.take(); }

 private:
  Interpreter& interpreter_;
  Output own_;
  Output* old_;
};

Value* Scope::find_here(std::string_view name) {
  for (auto& [known, value] : names) {
    if (known == name) return &value;
  }
  return nullptr;
}

void Scope::set(std::string_view name, Value value) {
  if (Value* known = find_here(name)) {
    *known = std::move(value);
  } else {
    names.emplace_back(name, std::move(value));
  }
}

Interpreter::Interpreter(std::unordered_map<std::string, Value> variables, const Limits& limits, std::time_t now)
    : variables_(std::move(variables)), budget_(limits), now_(now), scope_(std::make_shared<Scope>()) {}

Interpreter::~Interpreter() {
  for (const auto& object : kept_) object->release();
}

std::string Interpreter::run(const Block& block) {
  InOutput output(*this);
  execute(block);
  return output.take();
}

Interpreter::Flow Interpreter::execute(const Block& block) {
  for (const Stmt& statement : block) {
    const Flow flow = execute(statement);
    if (flow != Flow::normal) return flow;
  }
  return Flow::normal;
}

Interpreter::Flow Interpreter::execute(const Stmt& statement) {
  const Budget::Level level(budget_);
  budget_.spend(1);
  try {
    return std::visit([this](const auto& node) { return run_node(node); }, statement.node);
  } catch (Failure& failure) {
    if (failure.line == 0) failure.line = statement.line;
    throw;
  }
}

Interpreter::Flow Interpreter::run_node(const Text& node) {
  output_->write(node.text);
  return Flow::normal;
}

Interpreter::Flow Interpreter::run_node(const Print& node) {
  for (const auto& expr : node.values) {
    const Value value = evaluate(*expr);
    if (value.is_string()) {
      output_->write(value.text());
    } else {
      output_->write(to_text(value, budget_));
    }
  }
  return Flow::normal;
}

// Blocks of text, unlike {{ }}, take nothing but text from what they call.
void Interpreter::write_result(const Value& result) {
  if (!result.is_string()) template_error("expected a text, got '{}'", type_name(result));
  output_->write(result.text());
}

Interpreter::Flow Interpreter::run_node(const If& node) {
  for (const auto& [test, block] : node.branches) {
    if (truthy(evaluate(*test))) return execute(block);
  }
  return execute(node.otherwise);
}

void Interpreter::assign(const Target& target, const Value& value) {
  if (!target.field.empty()) {
    const Value holder = look_up(target.name);
    auto* fields = holder.as<Namespace>();
    if (fields == nullptr) template_error("cannot assign attribute on non-namespace object");
    fields->fields.set(target.field, value);
  } else if (!target.name.empty()) {
    scope_->set(target.name, value);
  } else {
    const Next next = iterate(value);
    size_t count = 0;
    for (auto item = next(); item; item = next()) {
      if (count == target.parts.size()) {
        template_error("too many values to unpack (expected {})", target.parts.size());
      }
      assign(target.parts[count++], *item);
    }
    if (count < target.parts.size()) {
      template_error("not enough values to unpack (expected {}, got {})", target.parts.size(), count);
    }
  }
}

// The items that pass the loop's own test, which sees the target but nothing of the body.
Next Interpreter::filtered(const For& node, const Value& iterable) {
  return [this, &node, source = iterate(iterable), outer = scope_]() -> std::optional<Value> {
    const Budget::Level level(budget_);
    while (auto item = source()) {
      budget_.spend(1);
      const InScope scope(*this, std::make_shared<Scope>(Scope{outer, {}}));
      assign(node.target, *item);
      if (truthy(evaluate(*node.test))) return item;
    }
    return std::nullopt;
  };
}

Interpreter::Flow Interpreter::run_node(const For& node) {
  const Value iterable = evaluate(*node.iterable);
  return run_loop(node, iterable, 0);
}

Interpreter::Flow Interpreter::run_loop(const For& node, const Value& iterable, int64_t depth) {
  const auto loop = std::make_shared<Loop>(node, scope_, node.test ? filtered(node, iterable) : iterate(iterable),
                                           node.test ? std::nullopt : length_of(iterable), depth, iterable.depth() + 1);
  bool finished_a_body = false;
  Flow flow = Flow::normal;
  while (flow != Flow::leave_loop) {
    const auto item = loop->advance();
    if (!item) break;
    budget_.spend(1);
    const InScope scope(*this);
    scope_->set("loop", Value::object(loop));
    assign(node.target, *item);
    flow = execute(node.body);
    // `else` belongs to loops none of whose bodies ran to its end: so Jinja compiles it.
    finished_a_body = finished_a_body || flow == Flow::normal;
  }
  if (finished_a_body) return Flow::normal;
  const InScope scope(*this);
  return execute(node.otherwise);
}

std::string Interpreter::run_loop_again(const For& loop, const ScopePtr& scope, const Value& iterable, int64_t depth) {
  const InScope in_scope(*this, scope);
  InOutput output(*this);
  run_loop(loop, iterable, depth);
  return output.take();
}

Interpreter::Flow Interpreter::run_node(const Set& node) {
  assign(node.target, evaluate(*node.value));
  return Flow::normal;
}

Interpreter::Flow Interpreter::run_node(const SetBlock& node) {
  Value value;
  {
    const InScope scope(*this);
    InOutput output(*this);
    const Flow flow = execute(node.body);
    if (flow != Flow::normal) return flow;
    value = Value::string(output.take());
    if (node.filter) {
      const Value* outer = std::exchange(filter_input_, &value);
      value = evaluate(*node.filter);
      filter_input_ = outer;
    }
  }
  assign(node.target, value);
  return Flow::normal;
}

Interpreter::Flow Interpreter::run_node(const FilterBlock& node) {
  const InScope scope(*this);
  Value value;
  {
    InOutput output(*this);
    const Flow flow = execute(node.body);
    if (flow != Flow::normal) return flow;
    value = Value::string(output.take());
  }
  const Value* outer = std::exchange(filter_input_, &value);
  const Value filtered_text = evaluate(*node.filter);
  filter_input_ = outer;
  write_result(filtered_text);
  return Flow::normal;
}

Interpreter::Flow Interpreter::run_node(const With& node) {
  auto inner = std::make_shared<Scope>(Scope{scope_, {}});
  for (const auto& [target, expr] : node.assignments) {
    const Value value = evaluate(*expr);
    const InScope scope(*this, inner);
    assign(target, value);
  }
  const InScope scope(*this, inner);
  return execute(node.body);
}

Interpreter::Flow Interpreter::run_node(const ScopeBlock& node) {
  const InScope scope(*this);
  return execute(node.body);
}

Value Interpreter::make_macro(const MacroDefinition& definition) {
  budget_.spend(1);
  auto macro = std::make_shared<Macro>(definition, scope_);
  keep(macro);  // the scope that it keeps holds it
  return Value::object(std::move(macro));
}

Interpreter::Flow Interpreter::run_node(const MacroStatement& node) {
  scope_->set(node.definition.name, make_macro(node.definition));
  return Flow::normal;
}

Interpreter::Flow Interpreter::run_node(const CallBlock& node) {
  const auto& call_node = std::get<Call>(node.call->node);
  const Value callee = evaluate(*call_node.callee);
  Arguments arguments = evaluate(call_node.arguments);
  arguments.named.emplace_back("caller", make_macro(node.body));
  write_result(call(callee, arguments));
  return Flow::normal;
}

std::string Interpreter::run_macro(const MacroDefinition& macro, const ScopePtr& closure, Scope parameters) {
  parameters.parent = closure;
  const InScope scope(*this, std::make_shared<Scope>(std::move(parameters)));
  for (const auto& [name, otherwise] : macro.parameters) {
    if (scope_->find_here(name) != nullptr) continue;
    Value value =
        otherwise ? evaluate(*otherwise) : Value::undefined(fmt::format("parameter '{}' was not provided", name));
    scope_->set(name, std::move(value));
  }
  InOutput output(*this);
  execute(macro.body);
  return output.take();
}

}  // namespace laconic::text::jinja
