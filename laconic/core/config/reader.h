// The visitor that fills a struct from a tree of values.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "laconic/core/config/problems.h"
#include "laconic/core/config/value.h"
#include "laconic/core/config/visitor.h"

namespace laconic::config {

// A key of the source that no field took.
struct UnknownKey {
  std::string section;             // its dotted key, "" at the top
  const Value* value = nullptr;    // with its own key and place; lives as long as the tree
  std::vector<std::string> names;  // what exists in the section with the values given
  bool doubtful = false;           // a choice of the section is in error, so that its fields may be others
};

class Reader : public Visitor {
 public:
  // `root` is a mapping or null and outlives the reader; `key` is the dotted key that it stands for, "" for a file.
  Reader(const Value& root, const std::string& key, Problems& problems);

  bool reading() const override { return true; }

  // After the visit: the keys left over, in the order of the source.
  std::vector<UnknownKey> unknown_keys();
  // The value that a field now has, as YAML; "" for a field that was not visited.
  std::string value_text(const std::string& key) const;

 protected:
  void visit_field(std::string_view name, const FieldRef& field, const FieldInfo& info) override;
  std::optional<size_t> visit_choice(std::string_view name, const std::string& current,
                                     const std::vector<std::string>& options, const ChoiceInfo& info) override;
  void begin_section(std::string_view name, std::string_view help) override;
  bool begin_optional_section(std::string_view name, std::string_view help, bool present) override;
  void end_section() override;
  std::optional<size_t> begin_sections(std::string_view name, std::string_view help, size_t present) override;
  void begin_item(size_t index) override;
  void end_sections() override { lists_.pop_back(); }
  void contradiction(std::string_view names, std::string_view message) override;

 private:
  struct Scope {
    std::string key;
    const Value* mapping = nullptr;  // nullptr: the section is absent, all fields keep their values
    Place place;
    std::vector<std::string> names;  // visited
    bool choice_failed = false;
  };
  struct List {
    std::string key;
    const Value* list = nullptr;  // nullptr: the source does not set it
  };
  struct Read {
    Place place;  // of a field that stands in the source
    bool given = false;
    std::string text;  // the value as YAML
  };

  std::string full_key(std::string_view name) const;
  const Value* take(std::string_view name);  // the value under a name of the current section, or nullptr
  void push(const std::string& key, const Value* value);
  void reject_section(const std::string& key, const Value& value);
  bool failed(const std::string& key) const;

  Problems& problems_;
  Place source_;
  std::vector<Scope> scopes_;
  std::vector<List> lists_;  // of sections, that are being visited
  std::map<std::string, Read> read_;
  std::set<std::string> failed_;
  std::vector<UnknownKey> unknown_;
};

}  // namespace laconic::config
