// {% statements %}.
#include <array>

#include "laconic/core/text/jinja_parser.h"

namespace laconic::text::jinja {

namespace {

// Sets a value for a scope of the parser's own code and puts the old one back.
template <typename T>
class Restored {
 public:
  Restored(T& place, T value) : place_(place), old_(std::exchange(place, value)) {}
  ~Restored() { place_ = old_; }
  Restored(const Restored&) = delete;
  Restored& operator=(const Restored&) = delete;

 private:
  T& place_;
  T old_;
};

}  // namespace

Block Parser::parse() {
  Block block = statements({});
  if (current().kind != TokenKind::end) unexpected("template text");
  if (!unknown_.empty()) throw unknown_.front();
  return block;
}

// Up to the end of the template or a tag named in `ends`, whose name is then the current token.
Block Parser::statements(Names ends) {
  const Nested nested(*this);
  Block block;
  for (;;) {
    const int line = current().line;
    if (current().kind == TokenKind::data) {
      block.push_back({line, Text{next().text}});
    } else if (current().kind == TokenKind::variable_begin) {
      ++at_;
      Print print;
      print.values.push_back(tuple(true, false));
      block.push_back({line, std::move(print)});
      expect(TokenKind::variable_end, "'}}'");
    } else if (current().kind == TokenKind::block_begin) {
      ++at_;
      if (at_name(ends)) return block;
      block.push_back(statement());
      expect(TokenKind::block_end, "'%}'");
    } else {
      if (ends.size() > 0) {
        error(line, fmt::format("Unexpected end of template; looking for '{}'", fmt::join(ends, "' or '")));
      }
      return block;
    }
  }
}

Block Parser::body(Names ends) {
  skip_symbol(":");
  expect(TokenKind::block_end, "'%}'");
  return statements(ends);
}

Stmt Parser::statement() {
  const Token tag = expect_name();
  if (auto known = block_statement(tag.text, tag.line)) return std::move(*known);
  if (tag.text == "break" || tag.text == "continue") {
    if (loops_ == 0) error(tag.line, fmt::format("'{}' outside loop", tag.text));
    if (tag.text == "break") return {tag.line, Break{}};
    return {tag.line, Continue{}};
  }
  if (tag.text == "print") {
    Print print;
    while (current().kind != TokenKind::block_end) {
      if (!print.values.empty()) expect_symbol(",");
      print.values.push_back(expression());
    }
    return {tag.line, std::move(print)};
  }
  unknown_tag(tag.text, tag.line);
}

std::optional<Stmt> Parser::block_statement(const std::string& tag, int line) {
  if (tag == "set") return parse_set(line);
  if (tag == "if") return parse_if(line);
  if (tag == "for") return parse_for(line);
  if (tag == "macro") return parse_macro(line);
  if (tag == "call") return parse_call(line);
  if (tag == "filter") return parse_filter(line);
  if (tag == "with") return parse_with(line);
  if (tag != "generation") return std::nullopt;
  // It marks what the model wrote; the text is that of its body, which Jinja compiles as that of a call block.
  const Restored loops(loops_, 0);
  const Restored conditional(conditional_, false);
  Block content = body({"endgeneration"});
  ++at_;
  return Stmt{line, ScopeBlock{std::move(content)}};
}

void Parser::unknown_tag(const std::string& tag, int line) const {
  static constexpr std::array<std::string_view, 6> kUnsupported = {"autoescape", "block",  "extends",
                                                                   "from",       "import", "include"};
  if (std::find(kUnsupported.begin(), kUnsupported.end(), tag) != kUnsupported.end()) {
    throw Failure{ErrorKind::unsupported, fmt::format("the statement `{}` is not supported", tag), line};
  }
  error(line, fmt::format("Encountered unknown tag '{}'", tag));
}

Stmt Parser::parse_set(int line) {
  Target where = target(true);
  if (skip_symbol("=")) return {line, Set{std::move(where), tuple(true, false)}};
  ExprPtr filters = skip_symbol("|") ? filter_chain(nullptr) : nullptr;
  const Restored conditional(conditional_, false);
  Block content = body({"endset"});
  ++at_;
  return {line, SetBlock{std::move(where), std::move(filters), std::move(content)}};
}

Stmt Parser::parse_if(int line) {
  const Restored conditional(conditional_, true);
  If node;
  do {
    ExprPtr test = tuple(false, false);
    node.branches.emplace_back(std::move(test), body({"elif", "else", "endif"}));
  } while (skip_name("elif"));
  if (skip_name("else")) node.otherwise = body({"endif"});
  ++at_;  // endif
  return {line, std::move(node)};
}

Stmt Parser::parse_for(int line) {
  For node;
  node.target = target(false);
  if (!skip_name("in")) unexpected("'in'");
  node.iterable = tuple(false, false);
  const Restored conditional(conditional_, false);
  if (skip_name("if")) node.test = expression();
  node.recursive = skip_name("recursive");
  {
    const Restored loops(loops_, loops_ + 1);
    node.body = body({"endfor", "else"});
  }
  if (skip_name("else")) node.otherwise = body({"endfor"});
  ++at_;  // endfor
  return {line, std::move(node)};
}

Stmt Parser::parse_with(int line) {
  With node;
  while (current().kind != TokenKind::block_end) {
    if (!node.assignments.empty()) expect_symbol(",");
    Target where = target(false);
    expect_symbol("=");
    node.assignments.emplace_back(std::move(where), expression());
  }
  const Restored conditional(conditional_, false);
  node.body = body({"endwith"});
  ++at_;
  return {line, std::move(node)};
}

void Parser::signature(MacroDefinition& macro) {
  expect_symbol("(");
  while (!current().is_symbol(")")) {
    if (!macro.parameters.empty()) expect_symbol(",");
    const Target parameter = target_name();
    if (macro.has_parameter(parameter.name))
      error(parameter.line, fmt::format("duplicate argument '{}'", parameter.name));
    ExprPtr otherwise = skip_symbol("=") ? expression() : nullptr;
    if (!otherwise && !macro.parameters.empty() && macro.parameters.back().second) {
      error(parameter.line, "non-default argument follows default argument");
    }
    macro.parameters.emplace_back(parameter.name, std::move(otherwise));
  }
  expect_symbol(")");
}

void Parser::macro_body(MacroDefinition& macro, Names ends, int line) {
  const Restored loops(loops_, 0);
  const Restored conditional(conditional_, false);
  macros_.push_back(&macro);
  macro.body = body(ends);
  macros_.pop_back();
  ++at_;
  const auto caller = std::find_if(macro.parameters.begin(), macro.parameters.end(),
                                   [](const auto& parameter) { return parameter.first == "caller"; });
  if (macro.uses_caller && caller != macro.parameters.end() && !caller->second) {
    error(line, "the special \"caller\" argument of a macro must be omitted or be given a default");
  }
}

Stmt Parser::parse_macro(int line) {
  MacroDefinition macro;
  macro.name = target_name().name;
  signature(macro);
  macro_body(macro, {"endmacro"}, line);
  return {line, MacroStatement{std::move(macro)}};
}

Stmt Parser::parse_call(int line) {
  MacroDefinition macro;
  if (current().is_symbol("(")) signature(macro);
  ExprPtr call = expression();
  if (!std::holds_alternative<Call>(call->node)) error(line, "expected call");
  macro_body(macro, {"endcall"}, line);
  return {line, CallBlock{std::move(call), std::move(macro)}};
}

Stmt Parser::parse_filter(int line) {
  ExprPtr filters = filter_chain(nullptr);
  const Restored conditional(conditional_, false);
  Block content = body({"endfilter"});
  ++at_;
  return {line, FilterBlock{std::move(filters), std::move(content)}};
}

Target Parser::target_name() {
  const Token name = expect_name();
  for (const std::string_view constant : {"true", "True", "false", "False", "none", "None"}) {
    if (name.text == constant) error(name.line, fmt::format("can't assign to '{}'", constant));
  }
  if (loops_ > 0 && name.text == "loop") error(name.line, "Can't assign to special loop variable in for-loop target");
  return {name.text, "", {}, name.line};
}

Target Parser::target_part(bool with_namespace) {
  if (skip_symbol("(")) {
    const Nested nested(*this);
    Target inner = target(false);
    expect_symbol(")");
    return inner;
  }
  if (current().kind != TokenKind::name) unexpected("a name to assign to");
  if (with_namespace && ahead().is_symbol(".")) {
    const Token name = next();
    ++at_;
    return {name.text, expect_name().text, {}, name.line};
  }
  return target_name();
}

// One target or, with commas, a tuple of them.
Target Parser::target(bool with_namespace) {
  Target all{"", "", {}, current().line};
  bool comma = false;
  const auto at_end = [&] {
    const TokenKind kind = current().kind;
    return kind == TokenKind::variable_end || kind == TokenKind::block_end || current().is_symbol(")");
  };
  while (!at_end()) {
    all.parts.push_back(target_part(with_namespace));
    if (!skip_symbol(",")) break;
    comma = true;
  }
  if (!comma && all.parts.size() == 1) {
    Target only = std::move(all.parts[0]);
    return only;
  }
  if (!comma) unexpected("a name to assign to");
  return all;
}

}  // namespace laconic::text::jinja
