// The methods of list, tuple and dict that change nothing.
#include <algorithm>
#include <array>

#include "laconic/core/text/jinja_access.h"
#include "laconic/core/text/jinja_compare.h"
#include "laconic/core/text/jinja_error.h"

namespace laconic::text::jinja {

namespace {

Value dict_get(const Value& self, const Arguments& arguments, Budget& budget) {
  const auto given = Parameters::positional(arguments, "get", 2, 1);
  budget.spend(given.at(0).weight());
  const Value* found = self.as_dict().find(given.at(0));
  return found != nullptr ? *found : given.value(1, Value::none());
}

Value dict_keys(const Value& self, const Arguments& arguments, Budget& budget) {
  Parameters::positional(arguments, "keys", 0);
  budget.spend(self.as_dict().size());
  List items;
  for (const auto& [key, value] : self.as_dict().entries()) items.push_back(key);
  return Value::sequence(Flavor::keys, std::move(items));
}

Value dict_values(const Value& self, const Arguments& arguments, Budget& budget) {
  Parameters::positional(arguments, "values", 0);
  budget.spend(self.as_dict().size());
  List items;
  for (const auto& [key, value] : self.as_dict().entries()) items.push_back(value);
  return Value::sequence(Flavor::values, std::move(items));
}

Value dict_items(const Value& self, const Arguments& arguments, Budget& budget) {
  Parameters::positional(arguments, "items", 0);
  budget.spend(self.as_dict().size());
  List items;
  for (const auto& [key, value] : self.as_dict().entries()) items.push_back(Value::tuple({key, value}));
  return Value::sequence(Flavor::items, std::move(items));
}

// Values never change, so a copy is the value.
Value copy(const Value& self, const Arguments& arguments, Budget&) {
  Parameters::positional(arguments, "copy", 0);
  return self;
}

Value sequence_count(const Value& self, const Arguments& arguments, Budget& budget) {
  const auto given = Parameters::positional(arguments, "count", 1, 1);
  budget.spend(self.items().size());
  const auto count = std::count_if(self.items().begin(), self.items().end(),
                                   [&](const Value& item) { return equal(item, given.at(0)); });
  return Value::integer(count);
}

Value sequence_index(const Value& self, const Arguments& arguments, Budget& budget) {
  const auto given = Parameters::positional(arguments, "index", 3, 1);
  const auto size = static_cast<int64_t>(self.items().size());
  budget.spend(self.items().size());
  const auto bound = [&](int64_t index) { return std::clamp<int64_t>(index < 0 ? index + size : index, 0, size); };
  const int64_t end = bound(given.integer(2, size));
  for (int64_t i = bound(given.integer(1, 0)); i < end; ++i) {
    if (equal(self.items()[static_cast<size_t>(i)], given.at(0))) return Value::integer(i);
  }
  template_error("the value is not in the {}", type_name(self));
}

struct Entry {
  std::string_view name;
  Method method;
};

template <size_t N>
Method find(const std::array<Entry, N>& table, std::string_view name) {
  const auto found = std::find_if(table.begin(), table.end(), [&](const Entry& entry) { return entry.name == name; });
  return found != table.end() ? found->method : nullptr;
}

}  // namespace

Method find_container_method(const Value& self, std::string_view name) {
  static constexpr std::array<Entry, 5> kDict = {
      {{"get", dict_get}, {"keys", dict_keys}, {"values", dict_values}, {"items", dict_items}, {"copy", copy}}};
  static constexpr std::array<Entry, 3> kList = {
      {{"count", sequence_count}, {"index", sequence_index}, {"copy", copy}}};
  if (self.is(Kind::dict)) return find(kDict, name);
  if (self.is_sequence(Flavor::list)) return find(kList, name);
  return self.is_tuple() && name != "copy" ? find(kList, name) : nullptr;
}

}  // namespace laconic::text::jinja
