#include "laconic/core/text/jinja_macro.h"

#include <algorithm>

#include "laconic/core/text/jinja_error.h"
#include "laconic/core/text/jinja_print.h"

namespace laconic::text::jinja {

std::string Macro::repr() const {
  return definition_.name.empty() ? "<Macro anonymous>" : "<Macro " + string_repr(definition_.name) + ">";
}

Value Macro::call(Interpreter& interpreter, const Arguments& arguments) const {
  return Value::string(interpreter.run_macro(definition_, closure_, bind(arguments)));
}

std::optional<Value> Macro::attribute(std::string_view name) const {
  if (name == "name") return definition_.name.empty() ? Value::none() : Value::string(definition_.name);
  if (name == "catch_kwargs") return Value::boolean(definition_.uses_keywords);
  if (name == "catch_varargs") return Value::boolean(definition_.uses_positional);
  if (name == "caller") return Value::boolean(definition_.uses_caller);
  if (name != "arguments") return std::nullopt;
  List names;
  for (const auto& [parameter, otherwise] : definition_.parameters) names.push_back(Value::string(parameter));
  return Value::tuple(std::move(names));
}

// The parameters that were given; run_macro adds the defaults of the others, which may refer to these.
Scope Macro::bind(const Arguments& arguments) const {
  const auto& parameters = definition_.parameters;
  Scope scope;
  const size_t direct = std::min(parameters.size(), arguments.positional.size());
  for (size_t i = 0; i < direct; ++i) scope.set(parameters[i].first, arguments.positional[i]);
  Dict keywords;
  Value caller = Value::undefined("No caller defined");
  const bool implicit_caller = definition_.uses_caller && !definition_.has_parameter("caller");
  for (const auto& [name, value] : arguments.named) {
    const auto parameter = std::find_if(parameters.begin() + static_cast<std::ptrdiff_t>(direct), parameters.end(),
                                        [&name = name](const auto& candidate) { return candidate.first == name; });
    if (parameter != parameters.end()) {
      scope.set(parameter->first, value);
    } else if (name == "caller" && implicit_caller) {
      caller = value;
    } else if (definition_.uses_keywords) {
      keywords.set(name, value);
    } else if (name == "caller") {
      template_error("macro '{}' was invoked with two values for the special caller argument", definition_.name);
    } else {
      template_error("macro '{}' takes no keyword argument '{}'", definition_.name, name);
    }
  }
  if (implicit_caller) scope.set("caller", caller);
  if (definition_.uses_keywords && !definition_.has_parameter("kwargs")) scope.set("kwargs", Value::dict(keywords));
  List rest(arguments.positional.begin() + static_cast<std::ptrdiff_t>(direct), arguments.positional.end());
  if (definition_.uses_positional && !definition_.has_parameter("varargs")) {
    scope.set("varargs", Value::tuple(std::move(rest)));
  } else if (!rest.empty()) {
    template_error("macro '{}' takes not more than {} argument(s)", definition_.name, parameters.size());
  }
  return scope;
}

}  // namespace laconic::text::jinja
