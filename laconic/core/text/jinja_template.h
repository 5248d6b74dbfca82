// A Jinja template: the language of chat templates with the semantics of Python's jinja2 as Hugging Face sets it up
// (immutable sandbox, trim_blocks, lstrip_blocks, loop controls, raise_exception, strftime_now, its own tojson and the
// {% generation %} block).
//
// Not supported, each an Error of kind unsupported that names it and its place: template inheritance and inclusion,
// autoescape, integers beyond 64 bits, and a few functions for web pages.
#pragma once

#include <ctime>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "laconic/core/text/jinja_budget.h"

namespace laconic::text::jinja {

struct Program;

// A value; copies share the syntax tree. render() may run on several threads at once.
class Template {
 public:
  // Errors say "name:line: ..."; of kind input where jinja2 raises, too.
  static Template parse(std::string_view source, std::string name);

  // `variables` is an object. Whatever the template is, this ends: work, output and nesting are limited. `now` is what
  // strftime_now shows, in local time.
  std::string render(const nlohmann::ordered_json& variables, std::time_t now, const Limits& limits = {}) const;

 private:
  explicit Template(std::shared_ptr<const Program> program) : program_(std::move(program)) {}
  std::shared_ptr<const Program> program_;  // shared: copies and concurrent renderings use one tree
};

}  // namespace laconic::text::jinja
