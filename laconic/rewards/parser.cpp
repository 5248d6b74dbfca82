#include "laconic/rewards/parser.h"

#include <algorithm>
#include <array>

#include "laconic/rewards/parser_impl.h"

namespace laconic::rewards {
namespace {

constexpr int kMaxDepth = 64;
constexpr size_t kMaxNodes = 512;

bool is_inequality(const Expression& e) {
  return e.is(Kind::relation) && e.name.find_first_of("<>lg!") != std::string::npos;
}

// Words and nothing else, at least one of which is no name of mathematics.
bool only_words(std::string_view text) {
  bool wordy = false;
  for (size_t at = 0;;) {
    const Token token = next_token(text, at, false);
    if (token.at_end()) return wordy;
    const bool joins = token.is_sign('-') || token.is_sign('\'') || token.is_sign('.');
    if (token.type != Token::Type::word && !joins) return false;
    wordy = wordy || (token.text.size() >= 3 && !is_function_name(token.text) && !is_connective(token.text) &&
                      token.text != "infinity" && token.text != "inf");
    at = token.end;
  }
}

// "about 5" is 5.
bool is_approximately(std::string_view word) {
  constexpr std::array<std::string_view, 7> kWords = {"about",  "approximately", "around", "roughly",
                                                      "nearly", "exactly",       "approx"};
  return std::find(kWords.begin(), kWords.end(), word) != kWords.end();
}

}  // namespace

bool Parser::Nesting::too_deep() const {
  return parser_.depth_ > kMaxDepth;
}

const Token& Parser::peek() {
  if (token_at_ != at_) {
    token_ = next_token(text_, at_, thousands_ && brackets_ == 0);
    token_at_ = at_;
  }
  return token_;
}

void Parser::move_to(size_t position) {
  at_ = std::min(position, text_.size());
  token_at_ = std::string_view::npos;
}

bool Parser::accept_sign(char c) {
  if (!peek().is_sign(c)) return false;
  take(peek());
  return true;
}

bool Parser::accept_command(std::string_view name) {
  if (!peek().is_command(name)) return false;
  take(peek());
  return true;
}

Parser::Result Parser::node(Expression expression) {
  if (++nodes_ > kMaxNodes) return std::nullopt;
  return expression;
}

Parser::Result Parser::answer() {
  while (peek().type == Token::Type::word && is_approximately(peek().text)) take(peek());
  if (peek().is_sign('=') || peek().is_command("approx")) take(peek());
  if (peek().at_end()) return std::nullopt;
  if (only_words(text_.substr(at_))) return make(Kind::text, std::string(text_.substr(at_)));
  Result result = list();
  if (!result || !peek().at_end()) return std::nullopt;
  return result;
}

// item, item; item and item
Parser::Result Parser::list() {
  const Nesting nesting(*this);
  if (nesting.too_deep()) return std::nullopt;
  std::vector<Expression> items;
  bool or_between = false, and_between = false;
  for (bool more = true; more;) {
    Result item = relation();
    if (!item) return std::nullopt;
    items.push_back(std::move(*item));
    more = false;
    for (;;) {
      const Token token = peek();
      const bool or_word = token.is_word("or"), and_word = token.is_word("and");
      if (!or_word && !and_word && !token.is_sign(',') && !token.is_sign(';')) break;
      or_between = or_between || or_word;
      and_between = and_between || and_word;
      more = true;
      take(token);
    }
    if (peek().at_end()) more = false;
  }
  if (items.size() == 1) return std::move(items[0]);
  const bool inequalities = std::all_of(items.begin(), items.end(), is_inequality);
  if (inequalities && or_between != and_between)
    return node(make(or_between ? Kind::set_union : Kind::intersection, {}, std::move(items)));
  return node(make(Kind::sequence, {}, std::move(items)));
}

std::optional<char> Parser::accept_relation_sign() {
  const Token token = peek();
  if (token.type == Token::Type::command) {
    constexpr std::array<std::pair<std::string_view, char>, 9> kSigns = {{{"le", 'l'},
                                                                          {"ge", 'g'},
                                                                          {"lt", '<'},
                                                                          {"gt", '>'},
                                                                          {"ne", '!'},
                                                                          {"approx", '='},
                                                                          {"equiv", '='},
                                                                          {"sim", '='},
                                                                          {"in", '@'}}};
    for (const auto& [name, sign] : kSigns) {
      if (!token.is_command(name)) continue;
      take(token);
      return sign;
    }
    return std::nullopt;
  }
  if (token.type != Token::Type::sign) return std::nullopt;
  const char c = token.text[0];
  if (c != '=' && c != '<' && c != '>' && !(c == '!' && char_at(token.end) == '=')) return std::nullopt;
  take(token);
  if (char_at(at_) != '=') return c;
  move_to(at_ + 1);
  return c == '<' ? 'l' : c == '>' ? 'g' : c;
}

Parser::Result Parser::relation() {
  Result first = set_expression();
  if (!first) return std::nullopt;
  if (peek().is_sign(':') && first->is(Kind::number)) {
    std::vector<Expression> parts;
    parts.push_back(std::move(*first));
    while (accept_sign(':')) {
      Result part = set_expression();
      if (!part) return std::nullopt;
      parts.push_back(std::move(*part));
    }
    return node(make(Kind::sequence, ":", std::move(parts)));
  }
  std::vector<Expression> parts;
  std::string signs;
  while (const auto sign = accept_relation_sign()) {
    if (signs.empty()) parts.push_back(std::move(*first));
    Result part = set_expression();
    if (!part) return std::nullopt;
    signs += *sign;
    parts.push_back(std::move(*part));
  }
  if (signs.empty()) return first;
  return node(make(Kind::relation, std::move(signs), std::move(parts)));
}

Parser::Result Parser::set_expression() {
  Result left = sum();
  while (left) {
    const Token token = peek();
    Kind kind = Kind::set_union;
    const bool letter = (token.is_word("U") || token.is_word("u")) && left->kind != Kind::number;
    if (token.is_command("cap")) {
      kind = Kind::intersection;
    } else if (token.is_command("setminus")) {
      kind = Kind::difference;
    } else if (!token.is_command("cup") && !letter) {
      break;
    }
    take(token);
    Result right = sum();
    if (!right) return std::nullopt;
    if (left->is(kind) && kind != Kind::difference && !left->grouped) {
      left->args.push_back(std::move(*right));
    } else {
      left = node(make_node(kind, std::move(*left), std::move(*right)));
    }
  }
  return left;
}

// ( ... ) and [ ... ], which may close each other: a group, a tuple or an interval.
Parser::Result Parser::bracketed(char open) {
  take(peek());
  ++brackets_;
  const int bars = std::exchange(bars_, 0);
  token_at_ = std::string_view::npos;
  Result inside = list();
  bars_ = bars;
  const Token close = peek();
  --brackets_;
  if (!inside || !(close.is_sign(')') || close.is_sign(']'))) return std::nullopt;
  take(close);
  const char closed = close.text[0];
  const bool several = inside->is(Kind::sequence) && inside->name.empty();
  const bool matched = (open == '(') == (closed == ')');
  if (several) {
    inside->name = {open, closed};
    return inside;
  }
  if (!matched) return std::nullopt;
  inside->grouped = true;
  return inside;
}

// \{ ... \}, with elements or as \{ x | condition \}, which is its condition.
Parser::Result Parser::braced_set() {
  ++brackets_;
  ++bars_;
  token_at_ = std::string_view::npos;
  Result inside;
  const bool empty = peek().is_command("}");
  if (!empty) inside = list();
  const bool such_that = peek().is_sign('|') || peek().is_sign(':') || peek().is_command("mid");
  if (inside && such_that) {
    take(peek());
    inside = list();
  }
  const bool closed = (empty || inside) && peek().is_command("}");
  --brackets_;
  --bars_;
  if (!closed) return std::nullopt;
  take(peek());
  if (such_that) {
    inside->grouped = inside->bound = true;
    return inside;
  }
  if (empty) return node(make(Kind::sequence, "{}"));
  if (inside->is(Kind::sequence) && inside->name.empty()) {
    inside->name = "{}";
    return inside;
  }
  return node([&] {
    Expression single = make_node(Kind::sequence, std::move(*inside));
    single.name = "{}";
    return single;
  }());
}

Parser::Result Parser::between_bars(char bar) {
  ++bars_;
  Result inside = sum();
  --bars_;
  const bool closed = bar == '|' ? peek().is_sign('|') : peek().is_command("|");
  if (!inside || !closed) return std::nullopt;
  take(peek());
  return node(make(Kind::function, "abs", {std::move(*inside)}));
}

Parser::Result Parser::enclosed(std::string_view closing, const char* function) {
  Result inside = sum();
  if (!inside || !accept_command(closing)) return std::nullopt;
  return node(make(Kind::function, function, {std::move(*inside)}));
}

// \langle 1, 2 \rangle
Parser::Result Parser::vector() {
  ++brackets_;
  token_at_ = std::string_view::npos;
  Result inside = list();
  const bool closed = accept_command("rangle");
  --brackets_;
  token_at_ = std::string_view::npos;
  if (!inside || !closed || !inside->is(Kind::sequence)) return std::nullopt;
  inside->name = "()";
  return inside;
}

// Behind \begin: {matrix} a & b \\ c & d \end{matrix}
Parser::Result Parser::matrix() {
  const auto environment = [this](std::string_view name) {
    if (!text_.substr(at_).starts_with(name)) return false;
    move_to(at_ + name.size());
    return true;
  };
  const bool determinant = environment("{vmatrix}");
  if (!determinant && !environment("{matrix}")) return std::nullopt;
  ++brackets_;
  const int bars = std::exchange(bars_, 0);
  Expression result = make(Kind::matrix, {});
  size_t row_start = 0;
  bool good = true;
  while (good) {
    if (peek().is_command("end") || peek().type == Token::Type::row_end) {
      const size_t width = result.args.size() - row_start;
      if (result.columns == 0) result.columns = width;
      good = width == 0 || width == result.columns;
      row_start = result.args.size();
      const bool last = peek().is_command("end");
      take(peek());
      if (last) break;
      continue;
    }
    if (result.args.size() > row_start) good = accept_sign('&');
    Result cell = good ? sum() : std::nullopt;
    good = cell.has_value();
    if (good) result.args.push_back(std::move(*cell));
  }
  --brackets_;
  bars_ = bars;
  if (!good || result.columns == 0 || !(environment("{matrix}") || environment("{vmatrix}"))) return std::nullopt;
  if (!determinant) return node(std::move(result));
  return node(make(Kind::function, "det", {std::move(result)}));
}

std::optional<Expression> parse_answer(std::string_view notation, const ParseOptions& options) {
  if (notation.size() > kMaxParsed) return std::nullopt;
  return Parser(notation, options).answer();
}

}  // namespace laconic::rewards
