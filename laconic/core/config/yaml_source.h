// A YAML text as a tree of values. The subset that is read is the one that means the same to every YAML reader: plain,
// quoted and block scalars, lists and mappings in block or flow style, comments, one document, UTF-8.
// Not read, each with an error of its own: anchors, aliases and merge keys, tags, keys that are not scalars, a key
// twice in one mapping, a second document. There are no includes.
#pragma once

#include <string>
#include <string_view>

#include "laconic/core/config/problems.h"
#include "laconic/core/config/value.h"

namespace laconic::config {

// Adds what is wrong to `problems` and returns what could be read; a text that is not YAML or not UTF-8 gives null.
// `source` names the text in places ("run.yaml"). An empty text is null without a problem.
Value parse_yaml(std::string_view text, const std::string& source, Problems& problems);

// The value of an override, named by `place`. A text that is not of the subset becomes a broken value: `Q: {prompt}` is
// no YAML value, but a string field takes it as it is.
Value parse_yaml_value(std::string_view text, const Place& place);

}  // namespace laconic::config
