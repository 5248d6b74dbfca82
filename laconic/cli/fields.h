// The fields of one line with their types. An absent field and one that is null are the same. Errors are of kind input
// and name the field, what was expected and what was found.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "laconic/cli/json_line.h"

namespace laconic::cli {

class Fields {
 public:
  explicit Fields(const Json& object) : object_(object) {}  // which outlives this

  bool has(std::string_view name) const { return find(name) != nullptr; }
  const Json* find(std::string_view name) const;  // null where absent
  const Json& need(std::string_view name, std::string_view expected) const;
  const Json& object() const { return object_; }

  std::string text(std::string_view name) const;
  bool boolean(std::string_view name, bool fallback) const;
  int64_t whole(std::string_view name, int64_t least, int64_t greatest, int64_t fallback) const;
  double number(std::string_view name, double fallback) const;
  std::vector<int32_t> ids(std::string_view name) const;  // token ids, 0 .. 2^31 - 1
  std::vector<int32_t> ids_or_none(std::string_view name) const;
  std::vector<std::string> texts_or_none(std::string_view name) const;  // a list, or one text alone

  // The one of these that is there. None or several are errors that name them all.
  std::string_view one_of(const std::vector<std::string_view>& names) const;

 private:
  const Json& object_;
};

// "expected a string, found the number 3": for values inside of a field.
[[noreturn]] void wrong_value(std::string_view where, std::string_view expected, const Json& found);

}  // namespace laconic::cli
