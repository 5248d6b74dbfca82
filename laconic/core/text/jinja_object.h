// Values with identity or state: namespaces, ranges, generators, callables. (Macros and loops are the interpreter's.)
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "laconic/core/text/jinja_value.h"

namespace laconic::text::jinja {

class Interpreter;
struct Arguments;

class Object {
 public:
  explicit Object(int nesting = 0);
  virtual ~Object() = default;
  Object(const Object&) = delete;
  Object& operator=(const Object&) = delete;

  virtual std::string type_name() const = 0;
  // Python prints the address of objects that know nothing better: an Error of kind unsupported.
  virtual std::string repr() const;
  // Drops what it refers to. The interpreter calls this at the end on every object that could be part of a cycle.
  virtual void release() {}

  const int depth;  // counts as nesting of the values that it holds; see kMaxNesting
};

// namespace(): the one thing that a template can change.
class Namespace : public Object {
 public:
  explicit Namespace(Dict initial) : fields(std::move(initial)) {}
  std::string type_name() const override { return "Namespace"; }
  void release() override { fields = {}; }
  Dict fields;
};

class Range : public Object {
 public:
  Range(int64_t first, int64_t end, int64_t stride, int64_t count)
      : start(first), stop(end), step(stride), size(count) {}
  std::string type_name() const override { return "range"; }
  std::string repr() const override;
  int64_t at(int64_t i) const { return start + i * step; }
  const int64_t start, stop, step, size;
};

// The next item of something that is iterated, or nothing at the end.
using Next = std::function<std::optional<Value>()>;

// What map, select, items, ... return: evaluated as it is consumed, and only once.
class Generator : public Object {
 public:
  Generator(Next source, int nesting) : Object(nesting), next(std::move(source)) {}
  std::string type_name() const override { return "generator"; }
  Next next;
};

// A method of a value or a global function.
class Function : public Object {
 public:
  using Body = std::function<Value(Interpreter&, const Arguments&)>;
  Function(std::string function_name, Body function_body, int nesting)
      : Object(nesting), name(std::move(function_name)), body(std::move(function_body)) {}
  std::string type_name() const override { return "builtin_function_or_method"; }
  const std::string name;
  const Body body;
};

}  // namespace laconic::text::jinja
