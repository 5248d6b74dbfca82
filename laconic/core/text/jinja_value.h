// The values that templates compute with: those of Python, as far as templates can tell. Immutable, shared, cheap to
// copy. Only objects (jinja_object.h) have state.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

namespace laconic::text::jinja {

class Value;
class Dict;
class Object;

using List = std::vector<Value>;

// Containers inside containers; beyond it is an error, so that recursion over values is bounded.
inline constexpr int kMaxNesting = 100;
// The nodes that a walk over a value visits, long texts counted by 16 bytes; beyond it is an error. (A list that holds
// one list twice, which holds one list twice, and so on, is small in memory and endless to print.)
inline constexpr size_t kMaxWeight = size_t{1} << 23;

enum class Kind : uint8_t { undefined, none, boolean, integer, floating, string, sequence, dict, object };

struct String {
  std::string text;   // valid UTF-8
  size_t characters;  // code points
  bool safe;          // marked by the `safe` or `escape` filter: text joined to it by + is escaped
  bool ascii() const { return characters == text.size(); }
};

// What Python has as several types, of which most only differ in how they print and what they can be joined with.
enum class Flavor : uint8_t { list, tuple, keys, values, items, group };

struct Sequence {
  Flavor flavor;
  List items;
  int depth;
  size_t weight;
};

class Value {
 public:
  Value() : data_(None{}) {}

  static Value undefined(std::string message);
  static Value none() { return {}; }
  static Value boolean(bool value) { return Value(Data(value)); }
  static Value integer(int64_t value) { return Value(Data(value)); }
  static Value floating(double value) { return Value(Data(value)); }
  static Value string(std::string text, bool safe = false);
  static Value sequence(Flavor flavor, List items);
  static Value list(List items) { return sequence(Flavor::list, std::move(items)); }
  static Value tuple(List items) { return sequence(Flavor::tuple, std::move(items)); }
  static Value dict(Dict dict);
  static Value object(std::shared_ptr<Object> object) { return Value(Data(std::move(object))); }

  Kind kind() const { return static_cast<Kind>(data_.index()); }
  bool is(Kind kind_wanted) const { return kind() == kind_wanted; }
  bool is_undefined() const { return is(Kind::undefined); }
  bool is_none() const { return is(Kind::none); }
  bool is_string() const { return is(Kind::string); }
  bool is_number() const { return is(Kind::boolean) || is(Kind::integer) || is(Kind::floating); }
  bool is_sequence(Flavor flavor) const { return is(Kind::sequence) && as_sequence().flavor == flavor; }
  bool is_tuple() const { return is_sequence(Flavor::tuple) || is_sequence(Flavor::group); }

  const std::string& undefined_message() const { return *std::get<std::shared_ptr<const std::string>>(data_); }
  bool as_boolean() const { return std::get<bool>(data_); }
  int64_t as_integer() const { return std::get<int64_t>(data_); }
  double as_floating() const { return std::get<double>(data_); }
  const String& as_string() const { return *std::get<std::shared_ptr<const String>>(data_); }
  const std::string& text() const { return as_string().text; }
  const Sequence& as_sequence() const { return *std::get<std::shared_ptr<const Sequence>>(data_); }
  const List& items() const { return as_sequence().items; }
  const Dict& as_dict() const { return *std::get<std::shared_ptr<const Dict>>(data_); }
  const std::shared_ptr<Object>& as_object() const { return std::get<std::shared_ptr<Object>>(data_); }
  // The object of this class, or nullptr.
  template <typename T>
  T* as() const {
    return is(Kind::object) ? dynamic_cast<T*>(as_object().get()) : nullptr;
  }

  // The same place in memory: `is sameas`.
  bool same_as(const Value& other) const;
  // How deeply containers are nested in it; 0 for plain values.
  int depth() const;
  // What a walk over it costs; see kMaxWeight.
  size_t weight() const;

 private:
  struct None {};
  using Data =
      std::variant<std::shared_ptr<const std::string>, None, bool, int64_t, double, std::shared_ptr<const String>,
                   std::shared_ptr<const Sequence>, std::shared_ptr<const Dict>, std::shared_ptr<Object>>;
  explicit Value(Data data) : data_(std::move(data)) {}

  Data data_;
};

// A Python dict: keeps the order of insertion, finds 1, 1.0 and True under one key. Unhashable keys are an error.
class Dict {
 public:
  using Entry = std::pair<Value, Value>;

  void set(Value key, Value value);
  void set(std::string_view key, Value value) { set(Value::string(std::string(key)), std::move(value)); }
  const Value* find(const Value& key) const;
  const Value* find(std::string_view key) const;
  const std::vector<Entry>& entries() const { return entries_; }
  size_t size() const { return entries_.size(); }
  int depth() const { return depth_; }
  size_t weight() const { return weight_; }

 private:
  size_t position(size_t hash, const Value& key) const;  // size() where absent

  std::vector<Entry> entries_;
  std::unordered_multimap<size_t, size_t> index_;  // hash to entry
  int depth_ = 1;
  size_t weight_ = 1;
};

// Python's name of the type, for messages.
std::string type_name(const Value& value);
// "None", "dict object", ...: as messages about missing attributes have it.
std::string described_type(const Value& value);

// Python's truth. Asking costs no evaluation.
bool truthy(const Value& value);

}  // namespace laconic::text::jinja
