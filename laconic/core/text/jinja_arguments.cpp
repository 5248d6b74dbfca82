#include "laconic/core/text/jinja_arguments.h"

#include <algorithm>

#include "laconic/core/text/jinja_error.h"

namespace laconic::text::jinja {

Parameters::Parameters(const Arguments& arguments, std::string_view function,
                       std::initializer_list<std::string_view> names, size_t required)
    : function_(function), values_(names.size(), nullptr) {
  if (arguments.positional.size() > names.size()) {
    template_error("{}() takes at most {} arguments ({} given)", function, names.size(), arguments.positional.size());
  }
  for (size_t i = 0; i < arguments.positional.size(); ++i) values_[i] = &arguments.positional[i];
  for (const auto& [name, value] : arguments.named) {
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end()) template_error("{}() got an unexpected keyword argument '{}'", function, name);
    const Value*& slot = values_[static_cast<size_t>(found - names.begin())];
    if (slot != nullptr) template_error("{}() got multiple values for argument '{}'", function, name);
    slot = &value;
  }
  for (size_t i = 0; i < required; ++i) {
    if (values_[i] == nullptr) template_error("{}() is missing its argument '{}'", function, names.begin()[i]);
  }
}

Parameters Parameters::positional(const Arguments& arguments, std::string_view function, size_t most, size_t required) {
  if (!arguments.named.empty()) template_error("{}() takes no keyword arguments", function);
  const size_t given = arguments.positional.size();
  if (given > most || given < required) {
    template_error("{}() takes {} {} argument{} ({} given)", function,
                   required == most ? "exactly"
                   : given > most   ? "at most"
                                    : "at least",
                   given > most ? most : required, (given > most ? most : required) == 1 ? "" : "s", given);
  }
  Parameters out(function);
  out.values_.assign(most, nullptr);
  for (size_t i = 0; i < given; ++i) out.values_[i] = &arguments.positional[i];
  return out;
}

const Value& Parameters::at(size_t i) const {
  LACONIC_CHECK(values_.at(i) != nullptr, "{}: parameter {} was not required", function_, i);
  return *values_[i];
}

Value Parameters::value(size_t i, const Value& otherwise) const {
  return values_[i] != nullptr ? *values_[i] : otherwise;
}

bool Parameters::flag(size_t i, bool otherwise) const {
  return values_[i] != nullptr ? truthy(*values_[i]) : otherwise;
}

int64_t Parameters::integer(size_t i, int64_t otherwise) const {
  return values_[i] != nullptr ? require_integer(*values_[i], function_) : otherwise;
}

const std::string& Parameters::text(size_t i) const {
  if (!at(i).is_string()) wrong_type(at(i), "a string");
  return at(i).text();
}

std::optional<std::string_view> Parameters::optional_text(size_t i) const {
  if (values_[i] == nullptr || values_[i]->is_none()) return std::nullopt;
  return text(i);
}

void Parameters::wrong_type(const Value& value, std::string_view wanted) const {
  if (value.is_undefined()) template_error("{}() wants {}, but {}", function_, wanted, value.undefined_message());
  template_error("{}() wants {}, not '{}'", function_, wanted, type_name(value));
}

int64_t require_integer(const Value& value, std::string_view function) {
  if (value.is(Kind::integer)) return value.as_integer();
  if (value.is(Kind::boolean)) return static_cast<int64_t>(value.as_boolean());
  if (value.is_undefined()) template_error("{}", value.undefined_message());
  template_error("{}: '{}' object cannot be interpreted as an integer", function, type_name(value));
}

}  // namespace laconic::text::jinja
