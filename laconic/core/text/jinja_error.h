// How the parts of the template engine report failure to each other. Nothing of this leaves jinja::Template, which
// turns it into a laconic::Error with the template's name and line.
#pragma once

#include <fmt/format.h>

#include <string>
#include <utility>

#include "laconic/core/base/error.h"

namespace laconic::text::jinja {

struct Failure {
  ErrorKind kind;
  std::string message;
  int line = 0;  // 0 until the innermost construct with a line has seen it
};

// A mistake in the template or in what it was given.
template <typename... Args>
[[noreturn]] void template_error(fmt::format_string<Args...> format, Args&&... args) {
  throw Failure{ErrorKind::input, fmt::format(format, std::forward<Args>(args)...)};
}

// Valid Jinja that this engine lacks; the message names the construct.
template <typename... Args>
[[noreturn]] void not_supported(fmt::format_string<Args...> format, Args&&... args) {
  throw Failure{ErrorKind::unsupported, fmt::format(format, std::forward<Args>(args)...) + " is not supported"};
}

}  // namespace laconic::text::jinja
