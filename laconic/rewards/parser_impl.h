// The recursive-descent parser behind parser.h. Its files: parser.cpp (lists, relations, sets, brackets),
// parser_terms.cpp (sums, products, powers), parser_functions.cpp (arguments, functions), parser_atoms.cpp (numbers,
// words, units).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "laconic/rewards/lexer.h"
#include "laconic/rewards/parser.h"

namespace laconic::rewards {

class Parser {
 public:
  Parser(std::string_view text, const ParseOptions& options) : text_(text), thousands_(options.thousands) {}
  // All of the text; nothing when something remains or cannot be read.
  std::optional<Expression> answer();

 private:
  using Result = std::optional<Expression>;

  // Tokens. peek() is the next one; accept() takes it when it fits.
  const Token& peek();
  void take(const Token& token) { move_to(token.end); }
  void move_to(size_t position);
  bool accept_sign(char c);
  bool accept_command(std::string_view name);
  // Whether the next token stands in the line of what was read before it.
  bool in_same_line(const Token& token) const {
    return text_.substr(at_, token.begin - at_).find('\n') == std::string_view::npos;
  }
  char char_at(size_t position) const { return position < text_.size() ? text_[position] : '\0'; }
  // Makes a node, or fails the parse when there are too many.
  Result node(Expression expression);

  class Nesting {  // counts the depth of the recursion for as long as it lives
   public:
    explicit Nesting(Parser& parser) : parser_(parser) { ++parser_.depth_; }
    ~Nesting() { --parser_.depth_; }
    Nesting(const Nesting&) = delete;
    Nesting& operator=(const Nesting&) = delete;
    bool too_deep() const;

   private:
    Parser& parser_;
  };

  // parser.cpp
  Result list();
  Result relation();
  std::optional<char> accept_relation_sign();
  Result set_expression();
  Result bracketed(char open);
  Result braced_set();
  Result between_bars(char bar);
  Result enclosed(std::string_view closing, const char* function);
  Result vector();
  Result matrix();

  // parser_terms.cpp
  Result sum();
  Result signed_term();
  Result product();
  Result signed_factor();
  bool starts_factor(const Token& token, const Expression& last);
  Result factor();
  Result postfix(Expression base);
  Result raised(Expression base);
  Result atom();
  Result command_atom();
  bool accept_circle();

  // parser_functions.cpp
  Result fraction();
  Result root();
  Result function(std::string_view name);
  Result subscript_base();
  Result call(std::string_view name, Result exponent, Result base);
  Result function_argument();
  Result group_argument();
  Result short_argument();

  // parser_atoms.cpp
  Result number();
  bool repeating_part(Expression& number);
  bool base_part(std::string_view digits, Expression& number);
  void exponent_part(Expression& number);
  Result word();
  Result letters(std::string_view run);
  Result variable(std::string name);
  Result words();
  bool mixed_number_follows();
  bool ends_unit(size_t position) const;
  bool begins_unit(const Token& token, const Expression& value);
  Result with_unit(Expression value);

  std::string_view text_;
  bool thousands_;
  size_t at_ = 0;
  Token token_;  // the next one, when token_at_ == at_
  size_t token_at_ = std::string_view::npos;
  int depth_ = 0;
  int brackets_ = 0;  // inside of ( ) and the like commas separate
  int bars_ = 0;      // inside of | |
  size_t nodes_ = 0;
};

// Whether a word or command names a function that the verifier computes.
bool is_function_name(std::string_view name);
// Whether arithmetic can be done with it: a number or an expression, no list, relation or text.
bool is_value(const Expression& expression);
// Words between parts of an answer: and, or, if, ...
bool is_connective(std::string_view word);

}  // namespace laconic::rewards
