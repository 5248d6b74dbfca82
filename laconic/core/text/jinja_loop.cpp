#include "laconic/core/text/jinja_loop.h"

#include <fmt/format.h>

#include <algorithm>

#include "laconic/core/text/jinja_compare.h"
#include "laconic/core/text/jinja_error.h"

namespace laconic::text::jinja {

std::string Loop::repr() const {
  return fmt::format("<LoopContext {}/{}>", index0_ + 1, length());
}

std::optional<Value> Loop::advance() {
  auto item = peek();
  ahead_.reset();
  if (!item) return std::nullopt;
  ++index0_;
  previous_ = std::move(current_);
  current_ = item;
  return item;
}

const std::optional<Value>& Loop::peek() const {
  if (!ahead_ && !exhausted_) {
    ahead_ = source_();
    exhausted_ = !ahead_;
  }
  return ahead_;
}

int64_t Loop::length() const {
  if (length_) return *length_;
  List rest;
  if (ahead_) rest.push_back(*ahead_);
  while (!exhausted_) {
    auto item = source_();
    exhausted_ = !item;
    if (item) rest.push_back(std::move(*item));
  }
  length_ = index0_ + 1 + static_cast<int64_t>(rest.size());
  exhausted_ = false;
  ahead_.reset();
  source_ = [items = std::move(rest), i = size_t{0}]() mutable -> std::optional<Value> {
    if (i >= items.size()) return std::nullopt;
    return items[i++];
  };
  return *length_;
}

bool Loop::changed(List values) {
  const bool same =
      last_changed_ && std::equal(last_changed_->begin(), last_changed_->end(), values.begin(), values.end(), equal);
  if (!same) last_changed_ = std::move(values);
  return !same;
}

Value Loop::call(Interpreter& interpreter, const Arguments& arguments) const {
  if (!node_.recursive) template_error("The loop must have the 'recursive' marker to be called recursively.");
  const auto given = Parameters::positional(arguments, "loop", 1, 1);
  return Value::string(interpreter.run_loop_again(node_, scope_, given.at(0), depth0_ + 1));
}

namespace {

Value cycle(const Value& self, const Arguments& arguments) {
  if (!arguments.named.empty()) template_error("cycle() takes no keyword arguments");
  if (arguments.positional.empty()) template_error("no items for cycling given");
  const auto index = static_cast<size_t>(std::max<int64_t>(self.as<Loop>()->index0(), 0));
  return arguments.positional[index % arguments.positional.size()];
}

Value changed(const Value& self, Interpreter& interpreter, const Arguments& arguments) {
  if (!arguments.named.empty()) template_error("changed() takes no keyword arguments");
  auto* loop = self.as<Loop>();
  // It may now hold a value that holds it.
  if (!loop->remembers()) interpreter.keep(self.as_object());
  return Value::boolean(loop->changed(arguments.positional));
}

Value item_or_undefined(const std::optional<Value>& item, const char* message) {
  return item ? *item : Value::undefined(message);
}

}  // namespace

std::optional<Value> loop_attribute(const Value& self, std::string_view name) {
  const auto& loop = *self.as<Loop>();
  const int64_t index0 = loop.index0();
  if (name == "index0") return Value::integer(index0);
  if (name == "index") return Value::integer(index0 + 1);
  if (name == "first") return Value::boolean(index0 == 0);
  if (name == "last") return Value::boolean(!loop.peek());
  if (name == "length") return Value::integer(loop.length());
  if (name == "revindex0") return Value::integer(loop.length() - index0 - 1);
  if (name == "revindex") return Value::integer(loop.length() - index0);
  if (name == "depth0") return Value::integer(loop.depth0());
  if (name == "depth") return Value::integer(loop.depth0() + 1);
  if (name == "previtem") {
    return item_or_undefined(index0 == 0 ? std::nullopt : loop.previous(), "there is no previous item");
  }
  if (name == "nextitem") return item_or_undefined(loop.peek(), "there is no next item");
  Function::Body body;
  if (name == "cycle") {
    body = [self](Interpreter&, const Arguments& arguments) { return cycle(self, arguments); };
  } else if (name == "changed") {
    body = [self](Interpreter& interpreter, const Arguments& arguments) {
      return changed(self, interpreter, arguments);
    };
  } else {
    return std::nullopt;
  }
  return Value::object(std::make_shared<Function>(std::string(name), std::move(body), self.depth() + 1));
}

}  // namespace laconic::text::jinja
