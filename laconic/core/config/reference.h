// A description as text for the terminal, as a page of documentation, and as a JSON schema.
#pragma once

#include <string>

#include "laconic/core/config/description.h"

namespace laconic::config {

// Plain text, a field or section per paragraph. `key`: a field, a section with everything below it, or "" for all. An
// unknown key is an Error of kind usage with the nearest one.
std::string explanation(const Description& all, const std::string& key);

// Markdown: a heading and a table per section, in the order of the visit.
std::string markdown(const Description& all, const std::string& title);

// JSON Schema, draft 2020-12. Conditions and contradictions between fields are not in it, so that what passes the
// schema may still be refused when it is read; what fails it always is, but for numbers that YAML readers take
// differently.
Json schema(const Description& all, const std::string& title);

}  // namespace laconic::config
