// Operators, by precedence.
#include <array>

#include "laconic/core/text/jinja_parser.h"

namespace laconic::text::jinja {

namespace {

std::string described(const Token& token) {
  switch (token.kind) {
    case TokenKind::end:
      return "end of template";
    case TokenKind::block_end:
      return "%}";
    case TokenKind::variable_end:
      return "}}";
    case TokenKind::string:
      return "a string";
    case TokenKind::data:
      return "template text";
    default:
      return token.text;
  }
}

struct BinarySymbol {
  std::string_view symbol;
  Operator op;
};

}  // namespace

Token Parser::next() {
  Token token = current();
  if (token.kind != TokenKind::end) ++at_;
  return token;
}

bool Parser::skip_name(std::string_view name) {
  if (!current().is_name(name)) return false;
  ++at_;
  return true;
}

bool Parser::skip_symbol(std::string_view symbol) {
  if (!current().is_symbol(symbol)) return false;
  ++at_;
  return true;
}

bool Parser::at_name(Names names) const {
  return std::any_of(names.begin(), names.end(), [&](std::string_view name) { return current().is_name(name); });
}

void Parser::expect_symbol(std::string_view symbol) {
  if (!skip_symbol(symbol)) unexpected(fmt::format("'{}'", symbol));
}

Token Parser::expect_name() {
  if (current().kind != TokenKind::name) unexpected("a name");
  return next();
}

void Parser::expect(TokenKind kind, std::string_view what) {
  if (current().kind != kind) unexpected(what);
  ++at_;
}

void Parser::error(int line, const std::string& message) const {
  throw Failure{ErrorKind::input, message, line};
}

void Parser::unexpected(std::string_view wanted) const {
  error(current().line, fmt::format("expected {}, got '{}'", wanted, described(current())));
}

ExprPtr Parser::with_height(int line, int height, decltype(Expr::node) node) const {
  if (height > kMaxHeight) error(line, fmt::format("an expression is nested more than {} deep", kMaxHeight));
  return std::make_unique<const Expr>(Expr{line, height, std::move(node)});
}

ExprPtr Parser::expression(bool with_conditional) {
  return with_conditional ? conditional() : logical_or();
}

ExprPtr Parser::conditional() {
  const Nested nested(*this);
  const size_t unknown = unknown_.size();
  const int line = current().line;
  ExprPtr value = logical_or();
  while (skip_name("if")) {
    ExprPtr test = logical_or();
    ExprPtr otherwise = skip_name("else") ? conditional() : nullptr;
    unknown_.resize(std::min(unknown, unknown_.size()));
    const std::initializer_list<const Expr*> children = {test.get(), value.get(), otherwise.get()};
    value = make(line, Conditional{std::move(test), std::move(value), std::move(otherwise)}, children);
  }
  return value;
}

ExprPtr Parser::logical_or() {
  const int line = current().line;
  ExprPtr first = logical_and();
  if (!current().is_name("or")) return first;
  Logical node{true, {}};
  int height = first->height;
  node.operands.push_back(std::move(first));
  while (skip_name("or")) {
    node.operands.push_back(logical_and());
    height = std::max(height, node.operands.back()->height);
  }
  return with_height(line, height + 1, std::move(node));
}

ExprPtr Parser::logical_and() {
  const int line = current().line;
  ExprPtr first = logical_not();
  if (!current().is_name("and")) return first;
  Logical node{false, {}};
  int height = first->height;
  node.operands.push_back(std::move(first));
  while (skip_name("and")) {
    node.operands.push_back(logical_not());
    height = std::max(height, node.operands.back()->height);
  }
  return with_height(line, height + 1, std::move(node));
}

ExprPtr Parser::logical_not() {
  if (!current().is_name("not")) return comparison();
  const Nested nested(*this);
  const int line = next().line;
  ExprPtr operand = logical_not();
  const std::initializer_list<const Expr*> children = {operand.get()};
  return make(line, Unary{UnaryOperator::invert, std::move(operand)}, children);
}

// Takes the comparison operator that stands here, if one does.
std::optional<Comparator> Parser::comparator() {
  static constexpr std::array<std::pair<std::string_view, Comparator>, 6> kSymbols = {
      {{"==", Comparator::equal},
       {"!=", Comparator::unequal},
       {"<", Comparator::less},
       {"<=", Comparator::less_equal},
       {">", Comparator::greater},
       {">=", Comparator::greater_equal}}};
  for (const auto& [symbol, op] : kSymbols) {
    if (skip_symbol(symbol)) return op;
  }
  if (skip_name("in")) return Comparator::in;
  if (current().is_name("not") && ahead().is_name("in")) {
    at_ += 2;
    return Comparator::not_in;
  }
  return std::nullopt;
}

ExprPtr Parser::comparison() {
  const int line = current().line;
  ExprPtr first = sum();
  auto op = comparator();
  if (!op) return first;
  int height = first->height;
  Comparison node{std::move(first), {}};
  for (; op; op = comparator()) {
    node.rest.emplace_back(*op, sum());
    height = std::max(height, node.rest.back().second->height);
  }
  return with_height(line, height + 1, std::move(node));
}

ExprPtr Parser::sum() {
  ExprPtr left = concatenation();
  while (current().is_symbol("+") || current().is_symbol("-")) {
    const Token op = next();
    ExprPtr right = concatenation();
    const std::initializer_list<const Expr*> children = {left.get(), right.get()};
    const auto which = op.text == "+" ? Operator::add : Operator::subtract;
    left = make(op.line, Binary{which, std::move(left), std::move(right)}, children);
  }
  return left;
}

ExprPtr Parser::concatenation() {
  const int line = current().line;
  ExprPtr first = product();
  if (!current().is_symbol("~")) return first;
  int height = first->height;
  Concatenation node;
  node.parts.push_back(std::move(first));
  while (skip_symbol("~")) {
    node.parts.push_back(product());
    height = std::max(height, node.parts.back()->height);
  }
  return with_height(line, height + 1, std::move(node));
}

ExprPtr Parser::product() {
  static constexpr std::array<BinarySymbol, 4> kOperators = {
      {{"*", Operator::multiply}, {"/", Operator::divide}, {"//", Operator::floor_divide}, {"%", Operator::modulo}}};
  ExprPtr left = power();
  for (;;) {
    const auto found = std::find_if(kOperators.begin(), kOperators.end(),
                                    [&](const BinarySymbol& entry) { return current().is_symbol(entry.symbol); });
    if (found == kOperators.end()) return left;
    const int line = next().line;
    ExprPtr right = power();
    const std::initializer_list<const Expr*> children = {left.get(), right.get()};
    left = make(line, Binary{found->op, std::move(left), std::move(right)}, children);
  }
}

// ** binds to the left in Jinja, and weaker than a sign.
ExprPtr Parser::power() {
  ExprPtr left = unary();
  while (current().is_symbol("**")) {
    const int line = next().line;
    ExprPtr right = unary();
    const std::initializer_list<const Expr*> children = {left.get(), right.get()};
    left = make(line, Binary{Operator::power, std::move(left), std::move(right)}, children);
  }
  return left;
}

ExprPtr Parser::unary(bool with_filter) {
  ExprPtr value;
  if (current().is_symbol("-") || current().is_symbol("+")) {
    const Nested nested(*this);
    const Token sign = next();
    ExprPtr operand = unary(false);
    const std::initializer_list<const Expr*> children = {operand.get()};
    const auto op = sign.text == "-" ? UnaryOperator::negate : UnaryOperator::plus;
    value = make(sign.line, Unary{op, std::move(operand)}, children);
  } else {
    value = primary();
  }
  value = postfix(std::move(value));
  return with_filter ? filters_and_tests(std::move(value)) : std::move(value);
}

ExprPtr Parser::tuple(bool with_conditional, bool in_parentheses) {
  const int line = current().line;
  ListLiteral items{true, {}};
  bool comma = false;
  const auto at_end = [&] {
    const TokenKind kind = current().kind;
    return kind == TokenKind::variable_end || kind == TokenKind::block_end || current().is_symbol(")");
  };
  while (!at_end()) {
    items.items.push_back(expression(with_conditional));
    if (!skip_symbol(",")) break;
    comma = true;
  }
  if (!comma && !items.items.empty()) return std::move(items.items[0]);
  if (!comma && !in_parentheses) unexpected("an expression");
  return make(line, std::move(items));
}

}  // namespace laconic::text::jinja
