// The `loop` variable of a for loop.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include "laconic/core/text/jinja_ast.h"
#include "laconic/core/text/jinja_interpreter.h"
#include "laconic/core/text/jinja_object.h"

namespace laconic::text::jinja {

class Loop : public Object {
 public:
  // `length` where the iterable knows it. `scope` is that around the loop, for recursive calls.
  Loop(const For& node, ScopePtr scope, Next source, std::optional<int64_t> length, int64_t depth0, int nesting)
      : Object(nesting),
        node_(node),
        scope_(std::move(scope)),
        source_(std::move(source)),
        length_(length),
        depth0_(depth0) {}
  std::string type_name() const override { return "LoopContext"; }
  std::string repr() const override;
  void release() override { last_changed_.reset(); }

  // Moves to the next item.
  std::optional<Value> advance();

  // What templates ask it (see loop_attribute).
  int64_t index0() const { return index0_; }
  int64_t depth0() const { return depth0_; }
  int64_t length() const;  // reads the rest of a generator to know it
  const std::optional<Value>& peek() const;
  const std::optional<Value>& previous() const { return previous_; }
  bool changed(List values);  // differs from those of the last call
  bool remembers() const { return last_changed_.has_value(); }
  // loop(iterable) in a recursive loop.
  Value call(Interpreter& interpreter, const Arguments& arguments) const;

 private:
  const For& node_;  // in the syntax tree
  ScopePtr scope_;
  mutable Next source_;
  mutable std::optional<int64_t> length_;
  mutable std::optional<Value> ahead_;  // an item that was peeked at
  mutable bool exhausted_ = false;
  int64_t depth0_;
  int64_t index0_ = -1;
  std::optional<Value> current_, previous_;
  std::optional<List> last_changed_;
};

// loop.name; nothing for a name that it lacks. `loop` is a Loop.
std::optional<Value> loop_attribute(const Value& loop, std::string_view name);

}  // namespace laconic::text::jinja
