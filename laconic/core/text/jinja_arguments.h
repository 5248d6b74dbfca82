// Arguments of a call, and binding them to parameter names as Python does.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "laconic/core/text/jinja_value.h"

namespace laconic::text::jinja {

struct Arguments {
  List positional;
  std::vector<std::pair<std::string, Value>> named;
};

// One call of `function`, whose parameters are `names` in order; the first `required` must be given. Too many, unknown,
// doubled and missing arguments are errors. The arguments must outlive it.
class Parameters {
 public:
  Parameters(const Arguments& arguments, std::string_view function, std::initializer_list<std::string_view> names,
             size_t required = 0);
  // The same for functions that take no keywords.
  static Parameters positional(const Arguments& arguments, std::string_view function, size_t most, size_t required = 0);

  // nullptr where the argument was not given.
  const Value* get(size_t i) const { return values_[i]; }
  const Value& at(size_t i) const;  // of a required one
  Value value(size_t i, const Value& otherwise) const;
  bool flag(size_t i, bool otherwise) const;
  int64_t integer(size_t i, int64_t otherwise) const;
  // Must be a string.
  const std::string& text(size_t i) const;
  // None and absence are nothing, anything else must be a string.
  std::optional<std::string_view> optional_text(size_t i) const;

 private:
  explicit Parameters(std::string_view function) : function_(function) {}
  [[noreturn]] void wrong_type(const Value& value, std::string_view wanted) const;

  std::string function_;
  std::vector<const Value*> values_;
};

// An int or bool as a number, anything else is an error.
int64_t require_integer(const Value& value, std::string_view function);

}  // namespace laconic::text::jinja
