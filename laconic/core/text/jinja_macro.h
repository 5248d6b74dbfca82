// A macro as a value: what it does, and the scope that it was defined in.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "laconic/core/text/jinja_ast.h"
#include "laconic/core/text/jinja_interpreter.h"
#include "laconic/core/text/jinja_object.h"

namespace laconic::text::jinja {

class Macro : public Object {
 public:
  Macro(const MacroDefinition& macro, ScopePtr closure) : definition_(macro), closure_(std::move(closure)) {}
  std::string type_name() const override { return "Macro"; }
  std::string repr() const override;
  void release() override { closure_ = nullptr; }

  Value call(Interpreter& interpreter, const Arguments& arguments) const;
  // name, arguments, catch_kwargs, catch_varargs, caller.
  std::optional<Value> attribute(std::string_view name) const;

 private:
  Scope bind(const Arguments& arguments) const;

  const MacroDefinition& definition_;  // in the syntax tree
  ScopePtr closure_;
};

}  // namespace laconic::text::jinja
