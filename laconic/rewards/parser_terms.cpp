#include <algorithm>
#include <array>
#include <cctype>

#include "laconic/rewards/parser_impl.h"

namespace laconic::rewards {
namespace {

bool starts_atom(const Token& token) {
  constexpr std::array<std::string_view, 12> kNot = {"le", "ge",  "lt",  "gt",       "ne",  "approx",
                                                     "in", "cup", "cap", "setminus", "end", "pm"};
  constexpr std::array<std::string_view, 12> kMore = {"mp",     "div",   "bmod",   "mod", "pmod", "circ",
                                                      "rfloor", "rceil", "rangle", "mid", "}",    "equiv"};
  return std::find(kNot.begin(), kNot.end(), token.text) == kNot.end() &&
         std::find(kMore.begin(), kMore.end(), token.text) == kMore.end();
}

// Takes a percent or degree sign off: it belongs to more than what it stands behind.
std::optional<Kind> take_sign(Expression& e) {
  if (!e.is(Kind::percent) && !e.is(Kind::degrees)) return std::nullopt;
  const Kind sign = e.kind;
  Expression inside = std::move(e.args[0]);
  e = std::move(inside);
  return sign;
}

bool is_literal(const Expression& e) {
  return e.is(Kind::number) && !e.grouped;
}

}  // namespace

bool is_value(const Expression& e) {
  switch (e.kind) {
    case Kind::text:
    case Kind::sequence:
    case Kind::relation:
    case Kind::set_union:
    case Kind::intersection:
    case Kind::difference:
    case Kind::quantity:
      return false;
    default:
      return true;
  }
}

Parser::Result Parser::sum() {
  const Nesting nesting(*this);
  if (nesting.too_deep()) return std::nullopt;
  Result total = signed_term();
  while (total) {
    const Token token = peek();
    const bool plus = token.is_sign('+'), minus = token.is_sign('-');
    const bool plus_minus = token.is_command("pm") || (plus && text_.substr(token.end).starts_with("/-"));
    const bool minus_plus = token.is_command("mp");
    if (!plus && !minus && !plus_minus && !minus_plus) break;
    if (!is_value(*total)) return std::nullopt;
    take(token);
    if (plus_minus && plus) move_to(at_ + 2);
    Result term = signed_term();
    if (!term || !is_value(*term)) return std::nullopt;
    if (plus_minus || minus_plus) {
      total = node(make_node(Kind::plus_minus, std::move(*total), std::move(*term)));
      if (total) total->name = plus_minus ? "+" : "-";
      continue;
    }
    if (minus) term = node(make_node(Kind::negate, std::move(*term)));
    if (!term) return std::nullopt;
    if (total->is(Kind::sum) && !total->grouped) {
      total->args.push_back(std::move(*term));
    } else {
      total = node(make_node(Kind::sum, std::move(*total), std::move(*term)));
    }
  }
  if (!total) return std::nullopt;
  return with_unit(std::move(*total));
}

Parser::Result Parser::signed_term() {
  bool negative = false;
  for (;;) {
    if (accept_sign('-')) {
      negative = !negative;
    } else if (!accept_sign('+')) {
      break;
    }
  }
  const bool plus_minus = accept_command("pm");
  if (!plus_minus && accept_command("mp")) return std::nullopt;
  Result term = product();
  if (!term) return std::nullopt;
  if ((negative || plus_minus) && !is_value(*term)) return std::nullopt;
  if (plus_minus) {
    term = node(make_node(Kind::plus_minus, make_number(0), std::move(*term)));
    if (term) term->name = "+";
  }
  if (!negative || !term) return term;
  if (term->is(Kind::number) && !term->grouped) {  // -5 is a number as it stands
    term->value = -term->value;
    return term;
  }
  return node(make_node(Kind::negate, std::move(*term)));
}

Parser::Result Parser::product() {
  Result total = factor();
  const bool literal = total && total->is(Kind::number) && !total->grouped && total->places == 0 && total->base == 10;
  if (literal && mixed_number_follows()) {
    Result part = factor();
    if (!part) return std::nullopt;
    auto sign = take_sign(*part);
    if (accept_sign('/')) {
      Result bottom = factor();
      if (!bottom) return std::nullopt;
      sign = take_sign(*bottom);
      part = make_node(Kind::quotient, std::move(*part), std::move(*bottom));
    }
    total = node(make_node(Kind::sum, std::move(*total), std::move(*part)));
    if (total) total->grouped = true;
    if (total && sign) total = node(make_node(*sign, std::move(*total)));
  }
  while (total) {
    const Token token = peek();
    const auto behind = text_.substr(token.end);
    const bool letter_x = (token.is_word("x") || token.is_word("X")) && total->is(Kind::number) &&
                          (behind.starts_with("10^") || (token.spaced && behind.starts_with(" 10^")));
    if (token.is_sign('*') || letter_x) {
      take(token);
      Result next = signed_factor();
      if (!next || !is_value(*total) || !is_value(*next)) return std::nullopt;
      if (total->is(Kind::product) && !total->grouped) {
        total->args.push_back(std::move(*next));
      } else {
        total = node(make_node(Kind::product, std::move(*total), std::move(*next)));
      }
    } else if (token.is_sign('/') || token.is_command("div")) {
      take(token);
      Result next = signed_factor();
      if (!next || !is_value(*total) || !is_value(*next)) return std::nullopt;
      // 1/2% is a half of a percent.
      const bool literals = is_literal(*total) && next->is(Kind::percent) && is_literal(next->args[0]);
      const auto sign = literals ? take_sign(*next) : std::nullopt;
      total = node(make_node(Kind::quotient, std::move(*total), std::move(*next)));
      if (total && sign) total = node(make_node(*sign, std::move(*total)));
    } else if (token.is_command("bmod") || token.is_command("mod") || token.is_word("mod")) {
      take(token);
      Result next = signed_factor();
      if (!next) return std::nullopt;
      total = node(make(Kind::function, "mod", {std::move(*total), std::move(*next)}));
    } else if (starts_factor(token, *total)) {
      Result next = factor();
      if (!next || !is_value(*next)) return std::nullopt;
      const bool several = total->is(Kind::product) && !total->grouped;
      Expression& last = several ? total->args.back() : *total;
      if (last.is(Kind::symbol) && next->is(Kind::number) && next->grouped && next->value == 0) {
        last.name += "(0)";  // f(0) is no product
      } else if (several) {
        total->args.push_back(std::move(*next));
      } else {
        total = node(make_node(Kind::product, std::move(*total), std::move(*next)));
      }
    } else {
      break;
    }
  }
  return total;
}

Parser::Result Parser::signed_factor() {
  bool negative = false;
  while (peek().is_sign('-') || peek().is_sign('+')) {
    negative = negative != peek().is_sign('-');
    take(peek());
  }
  Result value = factor();
  if (!value || !negative) return value;
  return node(make_node(Kind::negate, std::move(*value)));
}

// Whether `token` continues a product without a sign between.
bool Parser::starts_factor(const Token& token, const Expression& last) {
  if (!is_value(last)) return false;
  switch (token.type) {
    case Token::Type::number:
      // 2^6 3^5
      if (token.spaced) return last.is(Kind::power) && char_at(token.end) == '^' && in_same_line(token);
      return last.grouped || last.is(Kind::root) || last.is(Kind::quotient);
    case Token::Type::word:
      return !is_connective(token.text) && !begins_unit(token, last);
    case Token::Type::command:
      return starts_atom(token);
    case Token::Type::sign:
      return token.is_sign('(') || token.is_sign('[') || token.is_sign('{') || (token.is_sign('|') && bars_ == 0);
    default:
      return false;
  }
}

Parser::Result Parser::factor() {
  const Nesting nesting(*this);
  if (nesting.too_deep()) return std::nullopt;
  Result base = atom();
  if (!base) return std::nullopt;
  return postfix(std::move(*base));
}

// ^\circ, ^{\circ}, \circ
bool Parser::accept_circle() {
  const size_t start = at_;
  const bool braced = accept_sign('^') && accept_sign('{');
  if (accept_command("circ") && (!braced || accept_sign('}'))) return true;
  move_to(start);
  return false;
}

Parser::Result Parser::postfix(Expression base) {
  for (;;) {
    const Token token = peek();
    if ((token.is_sign('^') || token.is_command("circ")) && accept_circle()) {
      Result wrapped = node(make_node(Kind::degrees, std::move(base)));
      if (!wrapped) return std::nullopt;
      base = std::move(*wrapped);
    } else if (token.is_sign('^')) {
      Result raised_base = raised(std::move(base));
      if (!raised_base) return std::nullopt;
      base = std::move(*raised_base);
    } else if (token.is_sign('!') && char_at(token.end) != '=') {
      take(token);
      const bool twice = char_at(at_) == '!' && accept_sign('!');
      Result wrapped = node(make(Kind::function, twice ? "double_factorial" : "factorial", {std::move(base)}));
      if (!wrapped) return std::nullopt;
      base = std::move(*wrapped);
    } else if (token.is_sign('%')) {
      take(token);
      Result wrapped = node(make_node(Kind::percent, std::move(base)));
      if (!wrapped) return std::nullopt;
      base = std::move(*wrapped);
    } else if (token.is_sign('\'') && base.is(Kind::symbol)) {
      take(token);
      base.name += '\'';
    } else {
      return base;
    }
  }
}

Parser::Result Parser::raised(Expression base) {
  take(peek());
  if (!is_value(base)) return std::nullopt;
  if (accept_command("prime") && base.is(Kind::symbol)) {
    base.name += '\'';
    return base;
  }
  const Token token = peek();
  const bool subscript_follows =
      base.is(Kind::symbol) && token.type == Token::Type::number && char_at(token.end) == '_';
  if (subscript_follows) {  // v^2_0 is v_0^2
    take(token);
    Result named = variable(base.name);
    if (!named) return std::nullopt;
    return node(make_node(Kind::power, std::move(*named), make_number(decimal_value(token.text))));
  }
  Result exponent = signed_factor();
  if (!exponent || !is_value(*exponent)) return std::nullopt;
  return node(make_node(Kind::power, std::move(base), std::move(*exponent)));
}

Parser::Result Parser::atom() {
  const Nesting nesting(*this);
  if (nesting.too_deep()) return std::nullopt;
  const Token token = peek();
  switch (token.type) {
    case Token::Type::number:
      return number();
    case Token::Type::word:
      return word();
    case Token::Type::command:
      return command_atom();
    case Token::Type::sign:
      break;
    default:
      return std::nullopt;
  }
  if (token.is_sign('(') || token.is_sign('[')) return bracketed(token.text[0]);
  if (token.is_sign('{')) return group_argument();
  if (token.is_sign('|')) {
    take(token);
    return between_bars('|');
  }
  return std::nullopt;
}

Parser::Result Parser::command_atom() {
  const Token token = peek();
  const std::string_view name = token.text;
  take(token);
  if (name == "frac") return fraction();
  if (name == "sqrt") return root();
  if (name == "{") return braced_set();
  if (name == "|") return between_bars('\\');
  if (name == "begin") return matrix();
  if (name == "langle") return vector();
  if (name == "lfloor") return enclosed("rfloor", "floor");
  if (name == "lceil") return enclosed("rceil", "ceil");
  if (name == "overline") return short_argument();
  if (name == "emptyset") return node(make(Kind::sequence, "{}"));
  if (name == "pi") return node(make(Kind::constant, "pi"));
  if (name == "infty") return node(make(Kind::constant, "infinity"));
  if (is_function_name(name)) return function(name);
  constexpr std::array<std::string_view, 13> kOperators = {
      "lim", "sum", "prod", "int", "partial", "nabla", "forall", "exists", "notin", "subset", "to", "begin", "dots"};
  if (name.empty() || std::find(kOperators.begin(), kOperators.end(), name) != kOperators.end()) return std::nullopt;
  if (std::isalpha(static_cast<unsigned char>(name[0])) == 0) return std::nullopt;
  return variable("\\" + std::string(name));
}

}  // namespace laconic::rewards
