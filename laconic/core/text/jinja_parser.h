// Tokens to the syntax tree. Nesting is bounded, so that neither parsing nor walking the tree can exhaust the stack.
// Throws Failure with the line.
#pragma once

#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "laconic/core/text/jinja_ast.h"
#include "laconic/core/text/jinja_error.h"
#include "laconic/core/text/jinja_lexer.h"

namespace laconic::text::jinja {

class Parser {
 public:
  explicit Parser(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}
  Block parse();

 private:
  static constexpr int kMaxDepth = 100;   // of brackets and blocks inside each other
  static constexpr int kMaxHeight = 200;  // of one expression, chains like a.b.c included

  using Names = std::initializer_list<std::string_view>;
  class Nested;  // counts one level for its lifetime

  // Tokens (jinja_parse_expression.cpp).
  const Token& current() const { return tokens_[at_]; }
  const Token& ahead() const { return tokens_[std::min(at_ + 1, tokens_.size() - 1)]; }
  Token next();
  bool skip_name(std::string_view name);
  bool skip_symbol(std::string_view symbol);
  bool at_name(Names names) const;
  void expect_symbol(std::string_view symbol);
  Token expect_name();
  void expect(TokenKind kind, std::string_view what);
  [[noreturn]] void error(int line, const std::string& message) const;
  [[noreturn]] void unexpected(std::string_view wanted) const;

  // Expressions (jinja_parse_expression.cpp), by falling precedence.
  ExprPtr expression(bool with_conditional = true);
  ExprPtr conditional();
  ExprPtr logical_or();
  ExprPtr logical_and();
  ExprPtr logical_not();
  ExprPtr comparison();
  std::optional<Comparator> comparator();
  ExprPtr sum();
  ExprPtr concatenation();
  ExprPtr product();
  ExprPtr power();
  ExprPtr unary(bool with_filter = true);
  ExprPtr primary();
  // One expression or, with commas, a tuple.
  ExprPtr tuple(bool with_conditional, bool in_parentheses);

  // Parts of expressions (jinja_parse_parts.cpp).
  ExprPtr name_or_constant();
  ExprPtr list_literal();
  ExprPtr dict_literal();
  ExprPtr postfix(ExprPtr expr);
  ExprPtr subscript(ExprPtr object);
  ExprPtr index_or_slice(ExprPtr object, int line);
  ExprPtr call(ExprPtr callee);
  ExprPtr filters_and_tests(ExprPtr expr);
  ExprPtr filter(ExprPtr input);
  ExprPtr filter_chain(ExprPtr input);
  ExprPtr test(ExprPtr input);
  CallArguments call_arguments();
  void call_argument(CallArguments& arguments, int line);
  std::string dotted_name();
  void check_known(bool known, std::string_view what, const std::string& name, int line);

  template <typename Node>
  ExprPtr make(int line, Node node, std::initializer_list<const Expr*> children);
  ExprPtr make(int line, ListLiteral node);
  ExprPtr with_height(int line, int height, decltype(Expr::node) node) const;

  // Statements (jinja_parse_statement.cpp).
  Block statements(Names ends);
  Block body(Names ends);
  Stmt statement();
  std::optional<Stmt> block_statement(const std::string& tag, int line);
  Stmt parse_set(int line);
  Stmt parse_for(int line);
  Stmt parse_if(int line);
  Stmt parse_with(int line);
  Stmt parse_macro(int line);
  Stmt parse_call(int line);
  Stmt parse_filter(int line);
  void signature(MacroDefinition& macro);
  void macro_body(MacroDefinition& macro, Names ends, int line);
  Target target(bool with_namespace);
  Target target_part(bool with_namespace);
  Target target_name();
  [[noreturn]] void unknown_tag(const std::string& tag, int line) const;

  std::vector<Token> tokens_;
  size_t at_ = 0;
  int depth_ = 0;
  // Unknown filters and tests count at once, but inside {% if %} and `a if b` only when they are reached.
  bool conditional_ = false;
  std::vector<Failure> unknown_;
  int loops_ = 0;                         // loops around, up to the nearest macro
  std::vector<MacroDefinition*> macros_;  // around, outermost first
};

// Counts a level of nesting while it lives.
class Parser::Nested {
 public:
  explicit Nested(Parser& parser) : parser_(parser) {
    if (++parser_.depth_ > kMaxDepth) {
      --parser_.depth_;
      parser_.error(parser_.current().line, fmt::format("nested more than {} deep", kMaxDepth));
    }
  }
  ~Nested() { --parser_.depth_; }
  Nested(const Nested&) = delete;
  Nested& operator=(const Nested&) = delete;

 private:
  Parser& parser_;
};

inline int height_of(const Expr* expr) {
  return expr == nullptr ? 0 : expr->height;
}

template <typename Node>
ExprPtr Parser::make(int line, Node node, std::initializer_list<const Expr*> children) {
  int height = 0;
  for (const Expr* child : children) height = std::max(height, height_of(child));
  return with_height(line, height + 1, std::move(node));
}

}  // namespace laconic::text::jinja
