// Gives a value of the source the type of its field, or says what is wrong with it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "laconic/core/config/field_ref.h"
#include "laconic/core/config/problems.h"
#include "laconic/core/config/value.h"

namespace laconic::config {

// Sets the field and returns true, or adds to `problems` under the full dotted `key` and leaves the field as it was.
bool read_field(const Value& value, const std::string& key, const FieldInfo& info, const FieldRef& field,
                Problems& problems);

// The option that the value names; nothing after adding to `problems`.
std::optional<size_t> read_choice(const Value& value, const std::string& key, const std::vector<std::string>& options,
                                  Problems& problems);

}  // namespace laconic::config
