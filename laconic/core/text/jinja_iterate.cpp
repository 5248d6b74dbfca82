#include "laconic/core/text/jinja_iterate.h"

#include <algorithm>

#include "laconic/core/text/jinja_arguments.h"
#include "laconic/core/text/jinja_error.h"
#include "laconic/core/text/jinja_loop.h"
#include "laconic/core/text/jinja_text.h"
#include "laconic/core/text/unicode.h"

namespace laconic::text::jinja {

namespace {

// No sequence is longer, and sums with it do not overflow.
constexpr int64_t kMaxSigned = int64_t{1} << 40;

std::string character_at(const String& string, size_t index) {
  if (string.ascii()) return std::string(1, string.text[index]);
  const size_t at = byte_offset(string.text, index);
  return string.text.substr(at, utf8_length(string.text[at]));
}

// slice.indices(size): first index, step and count.
struct Stride {
  int64_t first;
  int64_t step;
  int64_t count;
};

Stride stride_of(const Value& start, const Value& stop, const Value& step, int64_t size) {
  const auto number = [](const Value& value, int64_t otherwise) {
    if (value.is_none()) return otherwise;
    if (!value.is(Kind::integer) && !value.is(Kind::boolean)) {
      if (value.is_undefined()) template_error("{}", value.undefined_message());
      template_error("slice indices must be integers or None or have an __index__ method");
    }
    return std::clamp(require_integer(value, "slice"), -kMaxSigned, kMaxSigned);
  };
  const int64_t by = number(step, 1);
  if (by == 0) template_error("slice step cannot be zero");
  const int64_t low = by > 0 ? 0 : -1;
  const int64_t high = by > 0 ? size : size - 1;
  const auto bound = [&](const Value& value, int64_t otherwise) {
    const int64_t index = number(value, otherwise);
    if (value.is_none()) return index;
    return std::clamp(index < 0 ? index + size : index, low, high);
  };
  const int64_t first = bound(start, by > 0 ? low : high);
  const int64_t end = bound(stop, by > 0 ? high : low);
  const int64_t distance = by > 0 ? end - first : first - end;
  return {first, by, distance <= 0 ? 0 : (distance - 1) / (by > 0 ? by : -by) + 1};
}

Value slice_text(const String& string, const Stride& stride) {
  if (stride.step == 1) {
    const size_t begin = string.ascii() ? static_cast<size_t>(stride.first)
                                        : byte_offset(string.text, static_cast<size_t>(stride.first));
    const std::string_view rest = std::string_view(string.text).substr(begin);
    const auto count = static_cast<size_t>(stride.count);
    return Value::string(std::string(rest.substr(0, string.ascii() ? count : byte_offset(rest, count))), string.safe);
  }
  std::vector<uint32_t> begins;  // no text is longer than the limit on output, so 32 bits hold its offsets
  if (!string.ascii()) {
    begins.reserve(string.characters);
    for (size_t at = 0; at < string.text.size(); at += utf8_length(string.text[at])) {
      begins.push_back(static_cast<uint32_t>(at));
    }
  }
  std::string out;
  for (int64_t i = 0; i < stride.count; ++i) {
    const auto index = static_cast<size_t>(stride.first + i * stride.step);
    const size_t at = string.ascii() ? index : begins[index];
    out.append(string.text, at, utf8_length(string.text[at]));
  }
  return Value::string(std::move(out), string.safe);
}

}  // namespace

bool is_iterable(const Value& value) {
  switch (value.kind()) {
    case Kind::undefined:
    case Kind::string:
    case Kind::sequence:
    case Kind::dict:
      return true;
    default:
      return value.as<Range>() != nullptr || value.as<Generator>() != nullptr;
  }
}

Next iterate(const Value& value) {
  switch (value.kind()) {
    case Kind::undefined:
      return [] { return std::optional<Value>(); };
    case Kind::string:
      return [value, at = size_t{0}]() mutable -> std::optional<Value> {
        const std::string& text = value.text();
        if (at >= text.size()) return std::nullopt;
        const size_t begin = at;
        at += utf8_length(text[at]);
        return Value::string(text.substr(begin, at - begin));
      };
    case Kind::sequence:
      return [value, i = size_t{0}]() mutable -> std::optional<Value> {
        if (i >= value.items().size()) return std::nullopt;
        return value.items()[i++];
      };
    case Kind::dict:
      return [value, i = size_t{0}]() mutable -> std::optional<Value> {
        if (i >= value.as_dict().size()) return std::nullopt;
        return value.as_dict().entries()[i++].first;
      };
    default:
      break;
  }
  if (value.as<Range>() != nullptr) {
    return [value, i = int64_t{0}]() mutable -> std::optional<Value> {
      const auto* range = value.as<Range>();
      if (i >= range->size) return std::nullopt;
      return Value::integer(range->at(i++));
    };
  }
  if (value.as<Generator>() != nullptr) {
    return [value] { return value.as<Generator>()->next(); };
  }
  template_error("'{}' object is not iterable", type_name(value));
}

std::optional<int64_t> length_of(const Value& value) {
  switch (value.kind()) {
    case Kind::undefined:
      return 0;
    case Kind::string:
      return static_cast<int64_t>(value.as_string().characters);
    case Kind::sequence:
      return static_cast<int64_t>(value.items().size());
    case Kind::dict:
      return static_cast<int64_t>(value.as_dict().size());
    default:
      break;
  }
  if (const auto* range = value.as<Range>()) return range->size;
  if (const auto* loop = value.as<Loop>()) return loop->length();
  return std::nullopt;
}

List to_list(const Value& value, Budget& budget) {
  if (value.is(Kind::sequence)) {
    budget.spend(value.items().size());
    return value.items();
  }
  List out;
  const uint64_t cost = value.is_string() ? 8 : 1;  // characters become texts of their own
  const Next next = iterate(value);
  while (auto item = next()) {
    budget.spend(cost);
    out.push_back(std::move(*item));
  }
  return out;
}

Value slice(const Value& value, const Value& start, const Value& stop, const Value& step, Budget& budget) {
  if (value.is_undefined()) template_error("{}", value.undefined_message());
  const bool sliceable = value.is_string() || value.is_sequence(Flavor::list) || value.is_tuple();
  const auto* range = value.as<Range>();
  if (!sliceable && range == nullptr) {
    template_error("'{}' object is not subscriptable by a slice", type_name(value));
  }
  const Stride stride = stride_of(start, stop, step, *length_of(value));
  if (range != nullptr) {
    const int64_t first = range->at(stride.first);
    const int64_t by = range->step * stride.step;
    return Value::object(std::make_shared<Range>(first, first + by * stride.count, by, stride.count));
  }
  if (value.is_string()) {
    budget.text(value.text().size());
    return slice_text(value.as_string(), stride);
  }
  budget.spend(static_cast<uint64_t>(stride.count));
  List items;
  items.reserve(static_cast<size_t>(stride.count));
  for (int64_t i = 0; i < stride.count; ++i) {
    items.push_back(value.items()[static_cast<size_t>(stride.first + i * stride.step)]);
  }
  return Value::sequence(value.is_tuple() ? Flavor::tuple : Flavor::list, std::move(items));
}

std::optional<Value> element(const Value& value, const Value& key) {
  if (!key.is(Kind::integer) && !key.is(Kind::boolean)) return std::nullopt;
  const bool indexable =
      value.is_string() || value.is_sequence(Flavor::list) || value.is_tuple() || value.as<Range>() != nullptr;
  if (!indexable) return std::nullopt;
  const int64_t size = *length_of(value);
  int64_t index = require_integer(key, "index");
  if (index < 0) index += size;
  if (index < 0 || index >= size) return std::nullopt;
  if (const auto* range = value.as<Range>()) return Value::integer(range->at(index));
  if (value.is_string()) {
    return Value::string(character_at(value.as_string(), static_cast<size_t>(index)), value.as_string().safe);
  }
  return value.items()[static_cast<size_t>(index)];
}

}  // namespace laconic::text::jinja
