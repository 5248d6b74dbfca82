#include "laconic/core/text/jinja_value.h"

#include <fmt/format.h>

#include <algorithm>

#include "laconic/core/text/jinja_compare.h"
#include "laconic/core/text/jinja_error.h"
#include "laconic/core/text/jinja_object.h"
#include "laconic/core/text/jinja_text.h"

namespace laconic::text::jinja {

namespace {

// Below this size a dict is searched entry by entry.
constexpr size_t kSmallDict = 8;

int checked_depth(int depth) {
  if (depth > kMaxNesting) template_error("a value is nested more than {} deep", kMaxNesting);
  return depth;
}

void check_weight(size_t weight) {
  if (weight > kMaxWeight) template_error("a value is too large (more than {} parts)", kMaxWeight);
}

}  // namespace

Value Value::undefined(std::string message) {
  return Value(Data(std::make_shared<const std::string>(std::move(message))));
}

Value Value::string(std::string text, bool safe) {
  const size_t characters = count_characters(text);
  return Value(Data(std::make_shared<const String>(String{std::move(text), characters, safe})));
}

Value Value::sequence(Flavor flavor, List items) {
  int depth = 0;
  size_t weight = 1;
  for (const Value& item : items) {
    depth = std::max(depth, item.depth());
    check_weight(weight += item.weight());
  }
  Sequence sequence{flavor, std::move(items), checked_depth(depth + 1), weight};
  return Value(Data(std::make_shared<const Sequence>(std::move(sequence))));
}

Value Value::dict(Dict dict) {
  checked_depth(dict.depth());
  check_weight(dict.weight());
  return Value(Data(std::make_shared<const Dict>(std::move(dict))));
}

bool Value::same_as(const Value& other) const {
  if (kind() != other.kind()) return false;
  switch (kind()) {
    case Kind::none:
      return true;
    case Kind::boolean:
      return as_boolean() == other.as_boolean();
    case Kind::integer:
      return as_integer() == other.as_integer();
    case Kind::string:
      return &as_string() == &other.as_string() || text() == other.text();
    case Kind::sequence:
      return &as_sequence() == &other.as_sequence();
    case Kind::dict:
      return &as_dict() == &other.as_dict();
    case Kind::object:
      return as_object() == other.as_object();
    case Kind::undefined:
      return &undefined_message() == &other.undefined_message();
    case Kind::floating:
      break;
  }
  return false;
}

int Value::depth() const {
  switch (kind()) {
    case Kind::sequence:
      return as_sequence().depth;
    case Kind::dict:
      return as_dict().depth();
    case Kind::object:
      return as_object()->depth;
    default:
      return 0;
  }
}

size_t Value::weight() const {
  switch (kind()) {
    case Kind::string:
      return 1 + text().size() / 16;
    case Kind::sequence:
      return as_sequence().weight;
    case Kind::dict:
      return as_dict().weight();
    default:
      return 1;
  }
}

size_t Dict::position(size_t hash, const Value& key) const {
  if (entries_.size() <= kSmallDict) {
    const auto found =
        std::find_if(entries_.begin(), entries_.end(), [&](const Entry& e) { return equal(e.first, key); });
    return static_cast<size_t>(found - entries_.begin());
  }
  const auto [first, last] = index_.equal_range(hash);
  for (auto it = first; it != last; ++it) {
    if (equal(entries_[it->second].first, key)) return it->second;
  }
  return entries_.size();
}

void Dict::set(Value key, Value value) {
  const size_t hash = hash_of(key);
  const size_t at = position(hash, key);
  depth_ = std::max({depth_, key.depth() + 1, value.depth() + 1});
  weight_ += key.weight() + value.weight();  // replaced values count as well: an upper bound is enough
  if (at < entries_.size()) {
    entries_[at].second = std::move(value);
    return;
  }
  entries_.emplace_back(std::move(key), std::move(value));
  if (entries_.size() > kSmallDict + 1) {
    index_.emplace(hash, at);
  } else if (entries_.size() == kSmallDict + 1) {
    for (size_t i = 0; i < entries_.size(); ++i) index_.emplace(hash_of(entries_[i].first), i);
  }
}

const Value* Dict::find(const Value& key) const {
  const size_t at = position(hash_of(key), key);
  return at < entries_.size() ? &entries_[at].second : nullptr;
}

const Value* Dict::find(std::string_view key) const {
  if (entries_.size() > kSmallDict) return find(Value::string(std::string(key)));
  for (const auto& [name, value] : entries_) {
    if (name.is_string() && name.text() == key) return &value;
  }
  return nullptr;
}

std::string type_name(const Value& value) {
  switch (value.kind()) {
    case Kind::undefined:
      return "Undefined";
    case Kind::none:
      return "NoneType";
    case Kind::boolean:
      return "bool";
    case Kind::integer:
      return "int";
    case Kind::floating:
      return "float";
    case Kind::string:
      return value.as_string().safe ? "Markup" : "str";
    case Kind::dict:
      return "dict";
    case Kind::object:
      return value.as_object()->type_name();
    case Kind::sequence:
      break;
  }
  switch (value.as_sequence().flavor) {
    case Flavor::list:
      return "list";
    case Flavor::keys:
      return "dict_keys";
    case Flavor::values:
      return "dict_values";
    case Flavor::items:
      return "dict_items";
    default:
      return "tuple";
  }
}

std::string described_type(const Value& value) {
  return value.is_none() ? "None" : type_name(value) + " object";
}

bool truthy(const Value& value) {
  switch (value.kind()) {
    case Kind::undefined:
    case Kind::none:
      return false;
    case Kind::boolean:
      return value.as_boolean();
    case Kind::integer:
      return value.as_integer() != 0;
    case Kind::floating:
      return value.as_floating() != 0.0;
    case Kind::string:
      return !value.text().empty();
    case Kind::sequence:
      return !value.items().empty();
    case Kind::dict:
      return value.as_dict().size() > 0;
    case Kind::object:
      break;
  }
  const auto* range = value.as<Range>();
  return range == nullptr || range->size > 0;
}

Object::Object(int nesting) : depth(checked_depth(nesting)) {}

std::string Object::repr() const {
  not_supported("printing a {} (Python shows its address in memory)", type_name());
}

std::string Range::repr() const {
  return step == 1 ? fmt::format("range({}, {})", start, stop) : fmt::format("range({}, {}, {})", start, stop, step);
}

}  // namespace laconic::text::jinja
