// Names, literals, and what follows a value: .name, [key], (arguments), |filter, `is test`.
#include "laconic/core/text/jinja_filters.h"
#include "laconic/core/text/jinja_parser.h"
#include "laconic/core/text/jinja_tests.h"

namespace laconic::text::jinja {

namespace {

int arguments_height(const CallArguments& arguments) {
  int height = std::max(height_of(arguments.star.get()), height_of(arguments.double_star.get()));
  for (const auto& value : arguments.positional) height = std::max(height, value->height);
  for (const auto& [name, value] : arguments.named) height = std::max(height, value->height);
  return height;
}

}  // namespace

ExprPtr Parser::make(int line, ListLiteral node) {
  int height = 0;
  for (const auto& item : node.items) height = std::max(height, item->height);
  return with_height(line, height + 1, std::move(node));
}

ExprPtr Parser::primary() {
  const Token& token = current();
  const int line = token.line;
  switch (token.kind) {
    case TokenKind::name:
      return name_or_constant();
    case TokenKind::string: {
      std::string text;
      while (current().kind == TokenKind::string) text += next().text;  // neighbours are one text
      return make(line, Constant{Value::string(std::move(text))}, {});
    }
    case TokenKind::integer:
      return make(line, Constant{Value::integer(next().integer)}, {});
    case TokenKind::floating:
      return make(line, Constant{Value::floating(next().floating)}, {});
    default:
      break;
  }
  if (skip_symbol("(")) {
    ExprPtr inner = tuple(true, true);
    expect_symbol(")");
    return inner;
  }
  if (token.is_symbol("[")) return list_literal();
  if (token.is_symbol("{")) return dict_literal();
  unexpected("an expression");
}

ExprPtr Parser::name_or_constant() {
  const Token token = next();
  const std::string& name = token.text;
  if (name == "true" || name == "True") return make(token.line, Constant{Value::boolean(true)}, {});
  if (name == "false" || name == "False") return make(token.line, Constant{Value::boolean(false)}, {});
  if (name == "none" || name == "None") return make(token.line, Constant{Value::none()}, {});
  for (MacroDefinition* macro : macros_) {
    macro->uses_caller = macro->uses_caller || name == "caller";
    macro->uses_keywords = macro->uses_keywords || name == "kwargs";
    macro->uses_positional = macro->uses_positional || name == "varargs";
  }
  return make(token.line, Name{name}, {});
}

ExprPtr Parser::list_literal() {
  const int line = next().line;
  ListLiteral node{false, {}};
  while (!current().is_symbol("]")) {
    node.items.push_back(expression());
    if (!skip_symbol(",")) break;
  }
  expect_symbol("]");
  return make(line, std::move(node));
}

ExprPtr Parser::dict_literal() {
  const int line = next().line;
  DictLiteral node;
  int height = 0;
  while (!current().is_symbol("}")) {
    ExprPtr key = expression();
    expect_symbol(":");
    ExprPtr value = expression();
    height = std::max({height, key->height, value->height});
    node.entries.emplace_back(std::move(key), std::move(value));
    if (!skip_symbol(",")) break;
  }
  expect_symbol("}");
  return with_height(line, height + 1, std::move(node));
}

ExprPtr Parser::postfix(ExprPtr expr) {
  for (;;) {
    if (current().is_symbol(".") || current().is_symbol("[")) {
      expr = subscript(std::move(expr));
    } else if (current().is_symbol("(")) {
      expr = call(std::move(expr));
    } else {
      return expr;
    }
  }
}

ExprPtr Parser::subscript(ExprPtr object) {
  const Token open = next();
  if (open.text == "[") return index_or_slice(std::move(object), open.line);
  const std::initializer_list<const Expr*> children = {object.get()};
  if (current().kind == TokenKind::name) {
    return make(open.line, AttributeAccess{std::move(object), next().text}, children);
  }
  if (current().kind != TokenKind::integer) unexpected("a name or a number");
  ExprPtr key = make(open.line, Constant{Value::integer(next().integer)}, {});
  return make(open.line, ItemAccess{std::move(object), std::move(key)}, children);
}

ExprPtr Parser::index_or_slice(ExprPtr object, int line) {
  ExprPtr start;
  if (current().is_symbol("]")) {  // x[] is x[()]
    start = make(line, ListLiteral{true, {}});
  } else if (!current().is_symbol(":")) {
    start = expression();
    if (current().is_symbol(",")) {
      ListLiteral keys{true, {}};
      keys.items.push_back(std::move(start));
      while (skip_symbol(",")) keys.items.push_back(expression());
      start = make(line, std::move(keys));
    }
  }
  if (start && skip_symbol("]")) {
    const std::initializer_list<const Expr*> children = {object.get(), start.get()};
    return make(line, ItemAccess{std::move(object), std::move(start)}, children);
  }
  expect_symbol(":");
  const auto bound = [&]() -> ExprPtr {
    return current().is_symbol(":") || current().is_symbol("]") ? nullptr : expression();
  };
  ExprPtr stop = bound();
  ExprPtr step = skip_symbol(":") ? bound() : nullptr;
  if (current().is_symbol(",")) {
    throw Failure{ErrorKind::unsupported, "a slice among several keys is not supported", line};
  }
  expect_symbol("]");
  const std::initializer_list<const Expr*> children = {object.get(), start.get(), stop.get(), step.get()};
  return make(line, SliceAccess{std::move(object), std::move(start), std::move(stop), std::move(step)}, children);
}

ExprPtr Parser::call(ExprPtr callee) {
  const int line = current().line;
  CallArguments arguments = call_arguments();
  const int height = std::max(callee->height, arguments_height(arguments));
  return with_height(line, height + 1, Call{std::move(callee), std::move(arguments)});
}

CallArguments Parser::call_arguments() {
  const int line = current().line;
  expect_symbol("(");
  CallArguments arguments;
  while (!current().is_symbol(")")) {
    call_argument(arguments, line);
    if (!skip_symbol(",")) break;
  }
  expect_symbol(")");
  return arguments;
}

void Parser::call_argument(CallArguments& arguments, int line) {
  const auto ensure = [&](bool right) {
    if (!right) error(line, "invalid syntax for function call expression");
  };
  if (skip_symbol("*")) {
    ensure(!arguments.star && !arguments.double_star);
    arguments.star = expression();
  } else if (skip_symbol("**")) {
    ensure(!arguments.double_star);
    arguments.double_star = expression();
  } else if (current().kind == TokenKind::name && ahead().is_symbol("=")) {
    ensure(!arguments.double_star);
    std::string name = next().text;
    ++at_;
    const bool known = std::any_of(arguments.named.begin(), arguments.named.end(),
                                   [&](const auto& named) { return named.first == name; });
    if (known) error(line, fmt::format("keyword argument repeated: {}", name));
    ExprPtr value = expression();
    arguments.named.emplace_back(std::move(name), std::move(value));
  } else {
    ensure(!arguments.star && !arguments.double_star && arguments.named.empty());
    arguments.positional.push_back(expression());
  }
}

ExprPtr Parser::filters_and_tests(ExprPtr expr) {
  for (;;) {
    if (skip_symbol("|")) {
      expr = filter(std::move(expr));
    } else if (current().is_name("is")) {
      expr = test(std::move(expr));
    } else if (current().is_symbol("(")) {
      expr = call(std::move(expr));
    } else {
      return expr;
    }
  }
}

std::string Parser::dotted_name() {
  std::string name = expect_name().text;
  while (skip_symbol(".")) name += "." + expect_name().text;
  return name;
}

void Parser::check_known(bool known, std::string_view what, const std::string& name, int line) {
  if (known || conditional_) return;
  unknown_.push_back({ErrorKind::input, fmt::format("No {} named '{}'", what, name), line});
}

// The name and arguments behind a |.
ExprPtr Parser::filter(ExprPtr input) {
  const int line = current().line;
  FilterCall node{std::move(input), dotted_name(), {}};
  check_known(is_filter(node.name), "filter", node.name, line);
  if (current().is_symbol("(")) node.arguments = call_arguments();
  const int height = std::max(height_of(node.input.get()), arguments_height(node.arguments));
  return with_height(line, height + 1, std::move(node));
}

ExprPtr Parser::filter_chain(ExprPtr input) {
  input = filter(std::move(input));
  while (skip_symbol("|")) input = filter(std::move(input));
  return input;
}

ExprPtr Parser::test(ExprPtr input) {
  const int line = next().line;
  const bool negated = skip_name("not");
  TestCall node{std::move(input), dotted_name(), {}};
  check_known(is_test(node.name), "test", node.name, line);
  const TokenKind kind = current().kind;
  const bool argument = kind == TokenKind::name || kind == TokenKind::string || kind == TokenKind::integer ||
                        kind == TokenKind::floating || current().is_symbol("[") || current().is_symbol("{");
  if (current().is_symbol("(")) {
    node.arguments = call_arguments();
  } else if (argument && !at_name({"else", "or", "and"})) {
    if (current().is_name("is")) error(line, "You cannot chain multiple tests with is");
    const Nested nested(*this);
    node.arguments.positional.push_back(postfix(primary()));
  }
  const int height = std::max(node.input->height, arguments_height(node.arguments));
  ExprPtr result = with_height(line, height + 1, std::move(node));
  if (!negated) return result;
  const std::initializer_list<const Expr*> children = {result.get()};
  return make(line, Unary{UnaryOperator::invert, std::move(result)}, children);
}

}  // namespace laconic::text::jinja
