// One `visit` per struct serves every use of a configuration: reading, writing, explaining, schema, documentation.
//
//   struct TrainSection {
//     int steps = 100;
//     void visit(config::Visitor& v) { v.field("steps", steps, {.help = "rollout steps", .min = 1.0}); }
//   };
//
// Goals: one place per field for its name, type, range and help; no field that can be read but not written; fields that
// exist only for some values of other fields; presets that later fields override.
// Non-goals: several versions of a format; values whose type depends on the input; references between values.
//
// Order matters. A visit runs from top to bottom in every mode; when reading, a field holds its final value from its
// own call on, so that whatever depends on it (`when`, a preset, the fields of a method) stands below it.
//
// The modes:
//   reading()     values come from a source. Code that changes other fields (a preset) runs only here, above the fields
//                 that may override it.
//   describing()  documentation of everything that may stand in a file; values are the defaults. `when` blocks are all
//                 entered.
//   neither       the values are written out; `when` blocks are entered as their condition says.
// Only a reading visitor changes the struct.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "laconic/core/base/error.h"
#include "laconic/core/config/field_ref.h"

namespace laconic::config {

class Visitor {
 public:
  virtual ~Visitor() = default;

  virtual bool reading() const { return false; }
  virtual bool describing() const { return false; }

  template <FieldType T>
  void field(std::string_view name, T& value, const FieldInfo& info = {}) {
    visit_field(name, FieldRef(&value), info);
  }

  // An enum with a text for each of its values.
  template <typename E>
  requires std::is_enum_v<E>
  void choice(std::string_view name, E& value,
              std::initializer_list<std::pair<const char*, std::type_identity_t<E>>> options,
              const ChoiceInfo& info = {});
  // One of the given texts. A value outside of them is kept until the file sets another.
  void choice(std::string_view name, std::string& value, const std::vector<std::string>& options,
              const ChoiceInfo& info = {});

  // A nested struct: anything with visit(Visitor&), also through a base class with a virtual one.
  template <typename S>
  void section(std::string_view name, S& section, std::string_view help = "") {
    begin_section(name, help);
    section.visit(*this);
    end_section();
  }

  // A nested struct that is set when its section stands in the file; `name: null` leaves or makes it absent.
  template <typename S>
  void optional_section(std::string_view name, std::optional<S>& section, std::string_view help = "");

  // A list of nested structs, which stands in a file as a list of mappings. A list of the file replaces the present
  // one; what its items leave out is as in `prototype`.
  template <typename S>
  void sections(std::string_view name, std::vector<S>& items, const S& prototype, std::string_view help = "");

  class Block;
  // Fields that exist only under a condition on fields above, written as the user would write it:
  //   if (const auto block = v.when(source == DataSource::file, "source: file")) v.field("path", path, ...);
  // The text tells why a key is unusable, and stands in the documentation.
  [[nodiscard]] Block when(bool active, std::string_view condition);

  // A contradiction between fields of this section or below: `names` are their keys, separated by ", ". Looked at only
  // when reading, and only when every named field was read without an error.
  void check(bool holds, std::string_view names, std::string_view message) {
    if (!holds) contradiction(names, message);
  }

 protected:
  virtual void visit_field(std::string_view name, const FieldRef& field, const FieldInfo& info) = 0;
  // Returns the option that the source chooses; nothing leaves the value as it is.
  virtual std::optional<size_t> visit_choice(std::string_view name, const std::string& current,
                                             const std::vector<std::string>& options, const ChoiceInfo& info) = 0;
  virtual void begin_section(std::string_view name, std::string_view help) = 0;
  // `present`: whether the struct is set. Returns whether to visit it; end_section follows only then.
  virtual bool begin_optional_section(std::string_view name, std::string_view help, bool present) = 0;
  virtual void end_section() = 0;
  // `present`: items of the struct. Returns the number of items in the source; nothing where it does not set the list.
  // An item follows as begin_item(), its fields, end_section().
  virtual std::optional<size_t> begin_sections(std::string_view name, std::string_view help, size_t present) = 0;
  virtual void begin_item(size_t index) = 0;
  virtual void end_sections() = 0;
  // Called around a block that is entered.
  virtual void begin_when(std::string_view /*condition*/) {}
  virtual void end_when() {}
  virtual void contradiction(std::string_view /*names*/, std::string_view /*message*/) {}
};

// The scope of a condition: true inside of an `if` where its fields are to be visited.
class Visitor::Block {
 public:
  Block(Visitor* visitor, bool entered) : visitor_(visitor), entered_(entered) {}
  ~Block() {
    if (entered_) visitor_->end_when();
  }
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;
  explicit operator bool() const { return entered_; }

 private:
  Visitor* visitor_;
  bool entered_;
};

template <typename E>
requires std::is_enum_v<E>
void Visitor::choice(std::string_view name, E& value,
                     std::initializer_list<std::pair<const char*, std::type_identity_t<E>>> options,
                     const ChoiceInfo& info) {
  std::vector<std::string> names;
  const char* current = nullptr;
  for (const auto& [text, option] : options) {
    names.emplace_back(text);
    if (option == value) current = text;
  }
  LACONIC_CHECK(current != nullptr, "{}: the value has no name among the options", name);
  if (const auto chosen = visit_choice(name, current, names, info)) value = (options.begin() + *chosen)->second;
}

template <typename S>
void Visitor::optional_section(std::string_view name, std::optional<S>& section, std::string_view help) {
  if (!begin_optional_section(name, help, section.has_value())) {
    if (reading()) section.reset();
    return;
  }
  if (reading() && !section) section.emplace();
  if (section) {
    section->visit(*this);
  } else {
    S defaults;
    defaults.visit(*this);
  }
  end_section();
}

template <typename S>
void Visitor::sections(std::string_view name, std::vector<S>& items, const S& prototype, std::string_view help) {
  const auto count = begin_sections(name, help, items.size());
  if (describing()) {
    S item = prototype;
    begin_item(0);
    item.visit(*this);
    end_section();
  } else {
    if (reading() && count) items.assign(*count, prototype);
    for (size_t i = 0; i < items.size(); ++i) {
      begin_item(i);
      items[i].visit(*this);
      end_section();
    }
  }
  end_sections();
}

}  // namespace laconic::config
