#include <algorithm>
#include <array>
#include <cctype>

#include "laconic/core/base/strings.h"
#include "laconic/rewards/parser_impl.h"
#include "laconic/rewards/units.h"

namespace laconic::rewards {
namespace {

constexpr int64_t kMaxExponent = 1000;  // 10 to it has fewer than kMaxBits bits

bool is_digit(char c) {
  return std::isdigit(static_cast<unsigned char>(c)) != 0;
}
bool is_letter(char c) {
  return std::isalpha(static_cast<unsigned char>(c)) != 0;
}

int digit_value(char c) {
  if (is_digit(c)) return c - '0';
  return is_letter(c) ? std::toupper(static_cast<unsigned char>(c)) - 'A' + 10 : 99;
}

bool is_greek_name(std::string_view name) {
  constexpr std::array<std::string_view, 17> kNames = {"alpha", "beta", "gamma", "delta",  "epsilon", "zeta",
                                                       "theta", "iota", "kappa", "lambda", "sigma",   "omega",
                                                       "rho",   "tau",  "phi",   "psi",    "chi"};
  return std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

// Two letters that are a word rather than a product.
bool is_small_word(std::string_view word) {
  constexpr std::array<std::string_view, 12> kWords = {"of", "to", "it", "at", "by", "on",
                                                       "we", "so", "as", "an", "be", "he"};
  return std::find(kWords.begin(), kWords.end(), word) != kWords.end();
}

// The end of an argument of \frac at `at` that is an integer, {12} or one digit; 0 when it is something else.
size_t integer_argument_end(std::string_view text, size_t at) {
  const auto skip = [&] {
    while (at < text.size() && std::isspace(static_cast<unsigned char>(text[at])) != 0) ++at;
  };
  skip();
  if (at < text.size() && is_digit(text[at])) return at + 1;
  if (at == text.size() || text[at] != '{') return 0;
  ++at;
  skip();
  const size_t digits = at;
  while (at < text.size() && is_digit(text[at])) ++at;
  if (at == digits) return 0;
  skip();
  return at < text.size() && text[at] == '}' ? at + 1 : 0;
}

}  // namespace

bool is_connective(std::string_view word) {
  constexpr std::array<std::string_view, 10> kWords = {"and",  "or",   "if", "where", "for",
                                                       "when", "with", "is", "then",  "U"};
  return std::find(kWords.begin(), kWords.end(), word) != kWords.end();
}

// 12, 1,234.5, 1e-3, 0.1\overline{6}, 0.(3), 1101_2
Parser::Result Parser::number() {
  const Token token = peek();
  take(token);
  std::string digits(token.text);
  std::erase_if(digits, [](char c) { return c == ',' || c == ' '; });
  const size_t point = digits.find('.');
  Expression result = make_number(decimal_value(digits));
  result.places = point == std::string::npos ? 0 : static_cast<int>(digits.size() - point - 1);
  if (point != std::string::npos && !repeating_part(result)) return std::nullopt;
  if (point == std::string::npos && !base_part(digits, result)) return std::nullopt;
  exponent_part(result);
  return node(std::move(result));
}

// Behind the digits of a decimal: a repeating part. False when it is malformed.
bool Parser::repeating_part(Expression& number) {
  const Token token = peek();
  std::string_view part;
  size_t end = 0;
  const bool bar = token.is_command("overline") || token.is_command("dot");
  const size_t open = bar ? token.end : token.begin;
  const char bracket = char_at(open);
  if (token.spaced || bracket != (bar ? '{' : '(')) return true;
  const size_t close = text_.substr(0, std::min(text_.size(), open + 64)).find(bar ? '}' : ')', open);
  if (close == std::string_view::npos) return !bar;
  part = text_.substr(open + 1, close - open - 1);
  end = close + 1;
  const bool plain = !part.empty() && std::all_of(part.begin(), part.end(), is_digit);
  if (!plain) return !bar;
  move_to(end);
  const auto places = static_cast<int64_t>(number.places);
  const auto length = static_cast<int64_t>(part.size());
  if (places + length > kMaxExponent) return false;
  const Rational nines = *power(Rational(10), length) - 1;
  number.value += decimal_value(part) / nines / *power(Rational(10), places);
  number.places += static_cast<int>(length);
  number.repeating = true;
  return true;
}

// Behind the digits of an integer: the base as a subscript. False when a digit is too large for it.
bool Parser::base_part(std::string_view digits, Expression& number) {
  if (char_at(at_) != '_') return true;
  const size_t start = at_ + 1;
  const bool braced = char_at(start) == '{';
  size_t end = braced ? start + 1 : start;
  int base = 0;
  while (is_digit(char_at(end)) && base < 100) base = base * 10 + (text_[end++] - '0');
  if (base < 2 || base > 36 || (braced && char_at(end++) != '}')) return false;
  Integer value = 0;
  for (const char c : digits) {
    if (digit_value(c) >= base) return false;
    value = value * base + digit_value(c);
  }
  number.value = Rational(value);
  number.base = base;
  move_to(end);
  return true;
}

void Parser::exponent_part(Expression& number) {
  const char letter = char_at(at_);
  if (letter != 'e' && letter != 'E') return;
  size_t end = at_ + 1;
  const bool negative = char_at(end) == '-';
  if (negative || char_at(end) == '+') ++end;
  if (!is_digit(char_at(end))) return;
  int64_t exponent = 0;
  while (is_digit(char_at(end)) && exponent <= kMaxExponent) exponent = exponent * 10 + (text_[end++] - '0');
  if (exponent > kMaxExponent || is_letter(char_at(end))) return;
  move_to(end);
  number.value *= *power(Rational(10), negative ? -exponent : exponent);
}

// 2 1/2 and 2\frac12: an integer and a fraction of integers.
bool Parser::mixed_number_follows() {
  const Token token = peek();
  if (token.is_command("frac")) {
    const size_t top = integer_argument_end(text_, token.end);
    return top != 0 && integer_argument_end(text_, top) != 0;
  }
  if (token.type == Token::Type::number && token.spaced && in_same_line(token) &&
      token.text.find('.') == std::string_view::npos) {
    const Token slash = next_token(text_, token.end, false);
    const Token bottom = next_token(text_, slash.end, false);
    return slash.is_sign('/') && bottom.type == Token::Type::number && bottom.text.find('.') == std::string_view::npos;
  }
  return false;
}

Parser::Result Parser::word() {
  const Token token = peek();
  const std::string_view run = token.text;
  if (is_connective(run) && run != "U") return std::nullopt;
  if (is_function_name(run)) {
    take(token);
    return function(run);
  }
  if (run == "pi" || run == "Pi") {
    take(token);
    return node(make(Kind::constant, "pi"));
  }
  if (run == "infinity" || run == "inf" || run == "oo" || run == "Infinity") {
    take(token);
    return node(make(Kind::constant, "infinity"));
  }
  if (is_greek_name(run)) {
    take(token);
    return variable("\\" + std::string(run));
  }
  if (run.size() == 1) {
    take(token);
    return letters(run);
  }
  if (token.words) return words();
  const Token next = next_token(text_, token.end, false);
  const bool touches =
      token.begin > 0 && !token.spaced && std::isalnum(static_cast<unsigned char>(text_[token.begin - 1])) != 0;
  // "Answer (7)" is a word and not the product of its letters.
  const bool called = next.is_sign('(') && run.size() > 3;
  const bool operated = !called && next.type == Token::Type::sign &&
                        std::string_view("^*/+-=<>_()").find(next.text) != std::string_view::npos;
  if (run.size() > 6 || (run.size() > 2 && !touches && !operated)) return words();
  // The letters of a product; postfixes belong to the last.
  move_to(token.begin + 1);
  return letters(run.substr(0, 1));
}

// One letter: a constant or a variable with its subscript.
Parser::Result Parser::letters(std::string_view run) {
  const bool subscript = char_at(at_) == '_';
  if (!subscript && (run == "e" || run == "i")) return node(make(Kind::constant, std::string(run)));
  return variable(std::string(run));
}

Parser::Result Parser::variable(std::string name) {
  std::string subscript;
  if (char_at(at_) == '_') {
    size_t end = at_ + 1;
    if (char_at(end) == '{') {
      const size_t close = text_.substr(0, std::min(text_.size(), end + 32)).find('}', end);
      if (close == std::string_view::npos) return std::nullopt;
      subscript = text_.substr(end + 1, close - end - 1);
      end = close + 1;
    } else if (end < text_.size()) {
      subscript = text_[end++];
    }
    move_to(end);
  } else if (is_digit(char_at(at_)) && name[0] != '\\') {  // x1
    size_t end = at_;
    while (is_digit(char_at(end))) ++end;
    subscript = text_.substr(at_, end - at_);
    move_to(end);
  }
  std::erase_if(subscript, [](char c) { return c == ' ' || static_cast<unsigned char>(c) < 0x20; });
  if (!subscript.empty()) name += "_" + subscript;
  return node(make(Kind::symbol, std::move(name)));
}

// Words that are a part of the answer by themselves: "none", "New York".
Parser::Result Parser::words() {
  std::string text;
  while (peek().type == Token::Type::word && !is_connective(peek().text)) {
    if (!text.empty()) text += ' ';
    text += peek().text;
    take(peek());
  }
  return node(make(Kind::text, std::move(text)));
}

// Whether a unit of one letter ends at `position`, with its exponent: 5 m, 5 m^2, 5 m/s; but not 5 m^2 n.
bool Parser::ends_unit(size_t position) const {
  Token next = next_token(text_, position, false);
  if (next.is_sign('^')) {
    next = next_token(text_, next.end, false);
    const bool braced = next.is_sign('{');
    if (braced) next = next_token(text_, next.end, false);
    if (next.text != "2" && next.text != "3") return false;
    next = next_token(text_, next.end, false);
    if (braced && !next.is_sign('}')) return false;
    if (braced) next = next_token(text_, next.end, false);
  }
  return next.at_end() || next.is_sign(',') || next.is_sign('/');
}

bool Parser::begins_unit(const Token& token, const Expression& value) {
  if (token.type != Token::Type::word) return false;
  const std::string_view run = token.text;
  const bool minutes = run == "min" && value.is(Kind::number) && !text_.substr(token.end).starts_with("(");
  if (minutes && token.spaced) return true;
  const bool known =
      is_function_name(run) || is_greek_name(run) || run == "pi" || run == "infinity" || is_connective(run);
  const bool capitals = std::all_of(run.begin(), run.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
  if (known || (capitals && value.is(Kind::symbol))) return false;  // \angle ABC
  const bool literal = value.is(Kind::number) || value.is(Kind::quotient) || value.is(Kind::percent);
  if (run.size() == 1) {
    if (token.words) return value.is(Kind::number) && run != "e" && run != "i";
    return token.spaced && value.is(Kind::number) && ends_unit(token.end) &&
           std::string_view("mgLlsh").find(run[0]) != std::string_view::npos;
  }
  if (token.words) return true;
  const bool counted = static_cast<unsigned char>(run[0]) >= 0x80;  // 12\u4e2a
  if (counted && literal) return true;
  if (is_measure_word(run)) return token.spaced || literal;
  return token.spaced && (run.size() >= 3 || is_small_word(run));
}

// A number and what it counts: 5 km, 3 million dollars, 45 degrees, 18 dollars per day.
Parser::Result Parser::with_unit(Expression value) {
  const Token first = peek();
  const bool takes_unit = !value.is(Kind::text) && !value.is(Kind::sequence) && !value.is(Kind::matrix);
  if (!takes_unit || !begins_unit(first, value)) return value;
  std::string unit;
  for (;;) {
    const Token token = peek();
    if (token.type == Token::Type::word && !is_connective(token.text)) {
      take(token);
      const std::string lower = to_lower(token.text);
      const auto scale = unit.empty() ? scale_word(lower) : std::nullopt;
      if (scale) {
        Result scaled = node(make_node(Kind::product, std::move(value), make_number(*scale)));
        if (!scaled) return std::nullopt;
        value = std::move(*scaled);
        continue;
      }
      if (!unit.empty() && unit.back() != '/' && unit.back() != '-') unit += ' ';
      unit += lower;
    } else if (token.is_sign('.') && !unit.empty()) {  // sq. units
      take(token);
    } else if ((token.is_sign('/') || token.is_sign('-')) && !unit.empty()) {
      take(token);
      unit += token.text;
    } else if (token.is_sign('^') && !unit.empty()) {
      take(token);
      const bool braced = accept_sign('{');
      const Token power = peek();
      if (power.text != "2" && power.text != "3") return std::nullopt;
      take(power);
      if (braced && !accept_sign('}')) return std::nullopt;
      unit += '^';
      unit += power.text;
    } else {
      break;
    }
  }
  if (unit.empty()) return value;
  const auto wrapped = [&](Kind kind) { return node(make_node(kind, std::move(value))); };
  if (unit == "percent") return wrapped(Kind::percent);
  if (unit == "degrees" || unit == "degree" || unit == "deg") return wrapped(Kind::degrees);
  Result quantity = wrapped(Kind::quantity);
  if (quantity) quantity->name = std::move(unit);
  return quantity;
}

}  // namespace laconic::rewards
