#include "laconic/core/text/jinja_template.h"

#include <unordered_map>
#include <utility>

#include "laconic/core/base/strings.h"
#include "laconic/core/text/jinja_ast.h"
#include "laconic/core/text/jinja_interpreter.h"
#include "laconic/core/text/jinja_json.h"
#include "laconic/core/text/jinja_lexer.h"
#include "laconic/core/text/jinja_parser.h"

namespace laconic::text::jinja {

struct Program {
  std::string name;
  Block block;
};

namespace {

[[noreturn]] void report(const std::string& name, const Failure& failure) {
  if (failure.line == 0) fail(failure.kind, "{}: {}", name, failure.message);
  fail(failure.kind, "{}:{}: {}", name, failure.line, failure.message);
}

}  // namespace

Template Template::parse(std::string_view source, std::string name) {
  const size_t bad = first_invalid_utf8(source);
  if (bad != std::string_view::npos) fail(ErrorKind::input, "{}: not valid UTF-8 at byte offset {}", name, bad);
  try {
    Block block = Parser(tokenize(source)).parse();
    return Template(std::make_shared<const Program>(Program{std::move(name), std::move(block)}));
  } catch (const Failure& failure) {
    report(name, failure);
  }
}

std::string Template::render(const nlohmann::ordered_json& variables, std::time_t now, const Limits& limits) const {
  if (!variables.is_object()) fail(ErrorKind::input, "{}: the variables must be a JSON object", program_->name);
  try {
    std::unordered_map<std::string, Value> values;
    for (const auto& [key, value] : variables.items()) values[key] = from_json(value);
    return Interpreter(std::move(values), limits, now).run(program_->block);
  } catch (const Failure& failure) {
    report(program_->name, failure);
  }
}

}  // namespace laconic::text::jinja
