// Values written as YAML that reads back to the same values, here and by other readers of YAML.
//
// Numbers with a fraction or exponent are the shortest text that gives the same double, always with a point (1.0e-06),
// without which YAML 1.1 readers take 1e-06 for a string. Strings are quoted unless they are plain words.
#pragma once

#include <string>

#include "laconic/core/config/field_ref.h"

namespace laconic::config {

// On one line: lists as [a, b], mappings as {a: 1}.
std::string flow_yaml(const Json& value);

// A mapping in block style, with a final newline; lists stay on one line.
std::string block_yaml(const Json& mapping);

}  // namespace laconic::config
