// What a template is after parsing: statements that hold expressions. Owned by the template, never changed, valid for
// every rendering.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "laconic/core/text/jinja_compare.h"
#include "laconic/core/text/jinja_operators.h"
#include "laconic/core/text/jinja_value.h"

namespace laconic::text::jinja {

struct Expr;
using ExprPtr = std::unique_ptr<const Expr>;

// f(1, *rest, key=2, **more)
struct CallArguments {
  std::vector<ExprPtr> positional;
  std::vector<std::pair<std::string, ExprPtr>> named;
  ExprPtr star;
  ExprPtr double_star;
};

struct Constant {
  Value value;
};
struct Name {
  std::string name;
};
struct ListLiteral {
  bool tuple;
  std::vector<ExprPtr> items;
};
struct DictLiteral {
  std::vector<std::pair<ExprPtr, ExprPtr>> entries;
};
struct AttributeAccess {
  ExprPtr object;
  std::string name;
};
struct ItemAccess {
  ExprPtr object;
  ExprPtr key;
};
struct SliceAccess {
  ExprPtr object;
  ExprPtr start, stop, step;  // null where left out
};
struct Call {
  ExprPtr callee;
  CallArguments arguments;
};
struct FilterCall {
  ExprPtr input;  // null: the text of the filter block or set block around it
  std::string name;
  CallArguments arguments;
};
struct TestCall {
  ExprPtr input;
  std::string name;
  CallArguments arguments;
};
enum class UnaryOperator { negate, plus, invert };
struct Unary {
  UnaryOperator op;
  ExprPtr operand;
};
struct Binary {
  Operator op;
  ExprPtr left, right;
};
struct Concatenation {
  std::vector<ExprPtr> parts;
};
// `and` or `or`: the value of the operand that decides.
struct Logical {
  bool is_or;
  std::vector<ExprPtr> operands;
};
enum class Comparator { equal, unequal, less, less_equal, greater, greater_equal, in, not_in };
// a < b <= c, each operand evaluated once.
struct Comparison {
  ExprPtr first;
  std::vector<std::pair<Comparator, ExprPtr>> rest;
};
struct Conditional {
  ExprPtr test, then, otherwise;  // otherwise may be null: then the value is undefined
};

struct Expr {
  int line;
  int height;  // of the tree; the parser bounds it
  std::variant<Constant, Name, ListLiteral, DictLiteral, AttributeAccess, ItemAccess, SliceAccess, Call, FilterCall,
               TestCall, Unary, Binary, Concatenation, Logical, Comparison, Conditional>
      node;
};

// Where an assignment goes: a name, a field of a namespace, or several of them.
struct Target {
  std::string name;   // empty for a tuple
  std::string field;  // of the namespace `name`, empty for a plain name
  std::vector<Target> parts;
  int line;
};

struct Stmt;
using Block = std::vector<Stmt>;

struct Text {
  std::string text;
};
struct Print {
  std::vector<ExprPtr> values;
};
struct If {
  std::vector<std::pair<ExprPtr, Block>> branches;
  Block otherwise;
};
struct For {
  Target target;
  ExprPtr iterable;
  ExprPtr test;  // null where there is none
  bool recursive;
  Block body;
  Block otherwise;
};
struct Set {
  Target target;
  ExprPtr value;
};
struct SetBlock {
  Target target;
  ExprPtr filter;  // null, or filters whose innermost input is the body
  Block body;
};
struct With {
  std::vector<std::pair<Target, ExprPtr>> assignments;
  Block body;
};
// A macro, or the body of a call block (which has no name).
struct MacroDefinition {
  std::string name;
  std::vector<std::pair<std::string, ExprPtr>> parameters;  // with default or null
  bool uses_caller = false;
  bool uses_keywords = false;    // the body mentions `kwargs`
  bool uses_positional = false;  // the body mentions `varargs`
  Block body;
  bool has_parameter(std::string_view parameter) const {
    return std::any_of(parameters.begin(), parameters.end(), [&](const auto& p) { return p.first == parameter; });
  }
};
struct MacroStatement {
  MacroDefinition definition;
};
struct CallBlock {
  ExprPtr call;  // a Call
  MacroDefinition body;
};
struct FilterBlock {
  ExprPtr filter;
  Block body;
};
struct ScopeBlock {  // {% generation %}
  Block body;
};
struct Break {};
struct Continue {};

struct Stmt {
  int line;
  std::variant<Text, Print, If, For, Set, SetBlock, With, MacroStatement, CallBlock, FilterBlock, ScopeBlock, Break,
               Continue>
      node;
};

}  // namespace laconic::text::jinja
