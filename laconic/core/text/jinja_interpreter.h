// Runs a parsed template once: variables in, text out.
#pragma once

#include <ctime>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "laconic/core/text/jinja_arguments.h"
#include "laconic/core/text/jinja_ast.h"
#include "laconic/core/text/jinja_budget.h"
#include "laconic/core/text/jinja_object.h"
#include "laconic/core/text/jinja_value.h"

namespace laconic::text::jinja {

// The names that one block of statements has set. Names live in the syntax tree, which outlives every scope.
struct Scope {
  std::shared_ptr<Scope> parent;  // shared: macros keep the scope that they were defined in
  std::vector<std::pair<std::string_view, Value>> names;

  Value* find_here(std::string_view name);
  void set(std::string_view name, Value value);
};
using ScopePtr = std::shared_ptr<Scope>;

class Interpreter {
 public:
  // `variables` are the names that the template starts with, beside Jinja's own functions.
  Interpreter(std::unordered_map<std::string, Value> variables, const Limits& limits, std::time_t now);
  ~Interpreter();
  Interpreter(const Interpreter&) = delete;
  Interpreter& operator=(const Interpreter&) = delete;

  std::string run(const Block& block);

  // For filters, methods and functions.
  Budget& budget() { return budget_; }
  std::time_t now() const { return now_; }
  Value call(const Value& callee, const Arguments& arguments);
  Value call_filter(std::string_view name, const Value& input, const Arguments& arguments);
  // To be released at the end, since it may be part of a cycle.
  void keep(std::shared_ptr<Object> object) { kept_.push_back(std::move(object)); }

  // For macros and loops (jinja_macro.cpp, jinja_loop.cpp).
  std::string run_macro(const MacroDefinition& macro, const ScopePtr& closure, Scope parameters);
  std::string run_loop_again(const For& loop, const ScopePtr& scope, const Value& iterable, int64_t depth);

 private:
  enum class Flow { normal, next_iteration, leave_loop };
  class InScope;   // another scope while it lives
  class InOutput;  // another output while it lives

  // Statements (jinja_execute.cpp).
  Flow execute(const Block& block);
  Flow execute(const Stmt& statement);
  Flow run_node(const Text& node);
  Flow run_node(const Print& node);
  Flow run_node(const If& node);
  Flow run_node(const For& node);
  Flow run_node(const Set& node);
  Flow run_node(const SetBlock& node);
  Flow run_node(const With& node);
  Flow run_node(const MacroStatement& node);
  Flow run_node(const CallBlock& node);
  Flow run_node(const FilterBlock& node);
  Flow run_node(const ScopeBlock& node);
  Flow run_node(const Break&) { return Flow::leave_loop; }
  Flow run_node(const Continue&) { return Flow::next_iteration; }
  Flow run_loop(const For& node, const Value& iterable, int64_t depth);
  Next filtered(const For& node, const Value& iterable);
  void assign(const Target& target, const Value& value);
  void write_result(const Value& result);
  Value make_macro(const MacroDefinition& definition);

  // Expressions (jinja_evaluate.cpp).
  Value evaluate(const Expr& expr);
  Value eval_node(const Constant& node) { return node.value; }
  Value eval_node(const Name& node);
  Value eval_node(const ListLiteral& node);
  Value eval_node(const DictLiteral& node);
  Value eval_node(const AttributeAccess& node);
  Value eval_node(const ItemAccess& node);
  Value eval_node(const SliceAccess& node);
  Value eval_node(const Call& node);
  Value eval_node(const FilterCall& node);
  Value eval_node(const TestCall& node);
  Value eval_node(const Unary& node);
  Value eval_node(const Binary& node);
  Value eval_node(const Concatenation& node);
  Value eval_node(const Logical& node);
  Value eval_node(const Comparison& node);
  Value eval_node(const Conditional& node);
  bool compare(const Value& left, Comparator comparator, const Value& right);
  Arguments evaluate(const CallArguments& arguments);
  Value look_up(std::string_view name);

  std::unordered_map<std::string, Value> variables_;
  Budget budget_;
  std::time_t now_;
  ScopePtr scope_;
  Output* output_ = nullptr;
  const Value* filter_input_ = nullptr;  // what a filter block or set block hands to its filters
  std::vector<std::shared_ptr<Object>> kept_;
};

// range, namespace, dict, raise_exception, strftime_now, ... or nothing for an unknown name.
std::optional<Value> find_global(std::string_view name);

}  // namespace laconic::text::jinja
