#include <algorithm>
#include <array>

#include "laconic/rewards/parser_impl.h"

namespace laconic::rewards {
namespace {

constexpr std::array<std::string_view, 37> kFunctions = {
    "sin",    "cos",    "tan",    "cot",    "sec",  "csc",     "sinh",     "cosh", "tanh", "coth",
    "arcsin", "arccos", "arctan", "arccot", "asin", "acos",    "atan",     "ln",   "log",  "lg",
    "exp",    "max",    "min",    "gcd",    "lcm",  "abs",     "floor",    "ceil", "sqrt", "cbrt",
    "det",    "mod",    "binom",  "choose", "sgn",  "arcsinh", "factorial"};

std::string canonical_function(std::string_view name) {
  if (name == "asin" || name == "acos" || name == "atan") return "arc" + std::string(name.substr(1));
  return std::string(name);
}

bool takes_several(std::string_view name) {
  return name == "max" || name == "min" || name == "gcd" || name == "lcm" || name == "binom";
}

}  // namespace

bool is_function_name(std::string_view name) {
  return std::find(kFunctions.begin(), kFunctions.end(), name) != kFunctions.end();
}

// { ... }: one expression, or plain braces around a list, which are a set.
Parser::Result Parser::group_argument() {
  const Nesting nesting(*this);
  if (nesting.too_deep() || !accept_sign('{')) return std::nullopt;
  const int bars = std::exchange(bars_, 0);
  Result inside = list();
  bars_ = bars;
  if (!inside) return std::nullopt;
  if (accept_command("choose")) {
    Result lower = sum();
    if (!lower) return std::nullopt;
    inside = node(make(Kind::function, "binom", {std::move(*inside), std::move(*lower)}));
  }
  if (!inside || !accept_sign('}')) return std::nullopt;
  if (inside->is(Kind::sequence) && inside->name.empty()) {
    inside->name = "{}";
  } else {
    inside->grouped = true;
  }
  return inside;
}

// The argument of \frac and the like: a group, one digit, or one letter or command.
Parser::Result Parser::short_argument() {
  const Token token = peek();
  if (token.is_sign('{')) return group_argument();
  if (token.type == Token::Type::number) {
    move_to(token.begin + 1);
    return node(make_number(Rational(static_cast<int>(text_[token.begin]) - '0')));
  }
  if (token.type == Token::Type::word && !token.words && token.text.size() > 1) {
    move_to(token.begin + 1);
    return letters(token.text.substr(0, 1));
  }
  return atom();
}

Parser::Result Parser::fraction() {
  Result top = short_argument();
  if (!top) return std::nullopt;
  Result bottom = short_argument();
  if (!bottom || !is_value(*top) || !is_value(*bottom)) return std::nullopt;
  Result result = node(make_node(Kind::quotient, std::move(*top), std::move(*bottom)));
  if (result) result->grouped = true;
  return result;
}

// \sqrt{x}, \sqrt[3]{x}, \sqrt3, sqrt(x)
Parser::Result Parser::root() {
  Result degree = make_number(2);
  if (accept_sign('[')) {
    degree = sum();
    if (!degree || !accept_sign(']')) return std::nullopt;
  }
  const Token token = peek();
  Result radicand;
  if (token.is_sign('{')) {
    radicand = group_argument();
  } else if (token.type == Token::Type::word && token.text.size() > 1 && !is_function_name(token.text)) {
    radicand = short_argument();
  } else {
    radicand = atom();
  }
  if (!radicand || !is_value(*radicand)) return std::nullopt;
  return node(make_node(Kind::root, std::move(*radicand), std::move(*degree)));
}

// Behind the name: an exponent, a base and the argument.
Parser::Result Parser::function(std::string_view name) {
  const Nesting nesting(*this);
  if (nesting.too_deep()) return std::nullopt;
  if (name == "sqrt") return root();
  if (name == "cbrt") {
    Result radicand = atom();
    if (!radicand) return std::nullopt;
    return node(make_node(Kind::root, std::move(*radicand), make_number(3)));
  }
  if (name == "binom") {
    Result upper = peek().is_sign('(') ? atom() : short_argument();
    if (upper && upper->is(Kind::sequence)) return node(make(Kind::function, "binom", std::move(upper->args)));
    Result lower = short_argument();
    if (!upper || !lower) return std::nullopt;
    return node(make(Kind::function, "binom", {std::move(*upper), std::move(*lower)}));
  }
  Result exponent, base;
  for (;;) {
    if (!base && accept_sign('_')) {
      base = subscript_base();
      if (!base) return std::nullopt;
    } else if (!exponent && accept_sign('^')) {
      exponent = peek().is_sign('{') ? group_argument() : signed_factor();
      if (!exponent) return std::nullopt;
    } else {
      break;
    }
  }
  return call(name, std::move(exponent), std::move(base));
}

// The base of a logarithm: {10}, a run of digits, or one letter.
Parser::Result Parser::subscript_base() {
  size_t end = at_;
  while (char_at(end) >= '0' && char_at(end) <= '9') ++end;
  if (end == at_) return short_argument();
  const auto digits = text_.substr(at_, end - at_);
  move_to(end);
  return node(make_number(decimal_value(digits)));
}

Parser::Result Parser::call(std::string_view name, Result exponent, Result base) {
  Result argument = peek().is_sign('(') ? atom() : function_argument();
  if (!argument) return std::nullopt;
  Expression result = make(Kind::function, canonical_function(name));
  if (argument->is(Kind::sequence) && takes_several(name)) {
    result.args = std::move(argument->args);
  } else {
    if (!is_value(*argument) && !argument->is(Kind::quantity)) return std::nullopt;
    result.args.push_back(std::move(*argument));
  }
  if (name == "log" && base) result.args.push_back(std::move(*base));
  if (base && name != "log") return std::nullopt;
  if (name == "lg") result.name = "log";
  if (!exponent) return node(std::move(result));
  const bool inverse = exponent->is(Kind::number) && exponent->value == -1;
  if (inverse && result.name.size() == 3 && name != "log") {  // \sin^{-1} x
    result.name = "arc" + result.name;
    return node(std::move(result));
  }
  return node(make_node(Kind::power, std::move(result), std::move(*exponent)));
}

// The argument of a function without brackets: \sin 2x, \ln x^2, \cos\frac{\pi}{3}; up to a sign or the next function.
Parser::Result Parser::function_argument() {
  const bool negative = accept_sign('-');
  Result argument = factor();
  while (argument) {
    const Token token = peek();
    const bool next_function = (token.type == Token::Type::command || token.type == Token::Type::word) &&
                               is_function_name(token.text) && !token.is_command("sqrt") && !token.is_command("binom");
    if (next_function || token.is_sign('(') || token.is_sign('[') || !starts_factor(token, *argument)) break;
    Result next = factor();
    if (!next || !is_value(*next)) return std::nullopt;
    argument = node(make_node(Kind::product, std::move(*argument), std::move(*next)));
  }
  if (!argument || !negative) return argument;
  return node(make_node(Kind::negate, std::move(*argument)));
}

}  // namespace laconic::rewards
