#include "laconic/core/text/jinja_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "laconic/core/base/strings.h"
#include "laconic/core/text/jinja_compare.h"
#include "laconic/core/text/jinja_error.h"
#include "laconic/core/text/jinja_iterate.h"
#include "laconic/core/text/jinja_print.h"
#include "laconic/core/text/unicode.h"

namespace laconic::text::jinja {

namespace {

using Json = nlohmann::ordered_json;

Value text_value(const std::string& text) {
  const size_t bad = first_invalid_utf8(text);
  if (bad != std::string::npos) template_error("a text in the variables is not valid UTF-8 at byte offset {}", bad);
  return Value::string(text);
}

Value convert(const Json& json, int depth) {
  if (depth > kMaxNesting) template_error("a variable is nested more than {} deep", kMaxNesting);
  switch (json.type()) {
    case Json::value_t::boolean:
      return Value::boolean(json.get<bool>());
    case Json::value_t::number_integer:
      return Value::integer(json.get<int64_t>());
    case Json::value_t::number_unsigned:
      if (json.get<uint64_t>() > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
        not_supported("an integer beyond 64 bits");
      }
      return Value::integer(json.get<int64_t>());
    case Json::value_t::number_float:
      return Value::floating(json.get<double>());
    case Json::value_t::string:
      return text_value(json.get_ref<const std::string&>());
    case Json::value_t::array: {
      List items;
      items.reserve(json.size());
      for (const Json& item : json) items.push_back(convert(item, depth + 1));
      return Value::list(std::move(items));
    }
    case Json::value_t::object: {
      Dict dict;
      for (const auto& [key, item] : json.items()) dict.set(text_value(key), convert(item, depth + 1));
      return Value::dict(std::move(dict));
    }
    case Json::value_t::null:
      return Value::none();
    default:
      template_error("a variable is not plain JSON");
  }
}

class Writer {
 public:
  Writer(const Arguments& arguments, Budget& budget) : out_(budget), budget_(budget) {
    const Parameters given(arguments, "tojson", {"ensure_ascii", "indent", "separators", "sort_keys"});
    ascii_ = given.flag(0, false);
    sort_ = given.flag(3, false);
    if (const Value* indent = given.get(1); indent != nullptr && !indent->is_none()) {
      lines_ = true;
      const int64_t width = indent->is_string() ? 0 : std::clamp<int64_t>(given.integer(1, 0), 0, 1000);
      indent_ = indent->is_string() ? indent->text() : std::string(static_cast<size_t>(width), ' ');
      between_.resize(1);  // no space at the end of lines
    }
    if (const Value* separators = given.get(2); separators != nullptr && !separators->is_none()) {
      const List parts = to_parts(*separators, budget);
      between_ = parts[0].text();
      behind_key_ = parts[1].text();
    }
  }

  std::string run(const Value& value) {
    write(value, 1);
    return out_.take();
  }

 private:
  // Two strings, or one of two characters.
  static List to_parts(const Value& separators, Budget& budget) {
    List parts = to_list(separators, budget);
    if (parts.size() != 2 || !parts[0].is_string() || !parts[1].is_string()) {
      template_error("tojson: separators must be two strings");
    }
    return parts;
  }

  void write(const Value& value, size_t depth) {
    switch (value.kind()) {
      case Kind::none:
        return out_.write("null");
      case Kind::boolean:
        return out_.write(value.as_boolean() ? "true" : "false");
      case Kind::integer:
        return out_.write(fmt::format("{}", value.as_integer()));
      case Kind::floating:
        return out_.write(number(value.as_floating()));
      case Kind::string:
        return quote(value.text());
      case Kind::dict:
        return object(value.as_dict(), depth);
      case Kind::sequence:
        if (value.is_sequence(Flavor::list) || value.is_tuple()) return array(value.items(), depth);
        break;
      default:
        break;
    }
    template_error("Object of type {} is not JSON serializable", type_name(value));
  }

  static std::string number(double value) {
    if (std::isnan(value)) return "NaN";
    if (std::isinf(value)) return value < 0 ? "-Infinity" : "Infinity";
    return float_repr(value);
  }

  void new_line(size_t depth) {
    if (!lines_) return;
    out_.write("\n");
    for (size_t i = 0; i < depth; ++i) out_.write(indent_);
  }

  void array(const List& items, size_t depth) {
    out_.write("[");
    for (size_t i = 0; i < items.size(); ++i) {
      if (i > 0) out_.write(between_);
      new_line(depth);
      write(items[i], depth + 1);
    }
    if (!items.empty()) new_line(depth - 1);
    out_.write("]");
  }

  void object(const Dict& dict, size_t depth) {
    std::vector<const Dict::Entry*> entries;
    for (const auto& entry : dict.entries()) entries.push_back(&entry);
    if (sort_) {
      budget_.spend(entries.size() * 4);
      std::stable_sort(entries.begin(), entries.end(), [](const Dict::Entry* a, const Dict::Entry* b) {
        return ordered(a->first, Order::less, b->first);
      });
    }
    out_.write("{");
    bool first = true;
    for (const auto* entry : entries) {
      if (!first) out_.write(between_);
      first = false;
      new_line(depth);
      key(entry->first);
      out_.write(behind_key_);
      write(entry->second, depth + 1);
    }
    if (!entries.empty()) new_line(depth - 1);
    out_.write("}");
  }

  void key(const Value& name) {
    if (name.is_string()) return quote(name.text());
    if (!name.is_number() && !name.is_none()) {
      template_error("keys must be str, int, float, bool or None, not {}", type_name(name));
    }
    out_.write("\"");
    write(name, 1);
    out_.write("\"");
  }

  void quote(std::string_view text) {
    std::string out = "\"";
    for (size_t i = 0; i < text.size(); i += utf8_length(text[i])) {
      const char c = text[i];
      constexpr std::string_view kPlain = "\"\\\n\r\t\f\b";
      constexpr std::string_view kLetters = "\"\\nrtfb";
      if (const size_t known = kPlain.find(c); known != std::string_view::npos) {
        out += '\\';
        out += kLetters[known];
        continue;
      }
      const char32_t point = code_point_at(text, i);
      if (point < 0x20 || (ascii_ && point > 0x7E)) {
        escape(point, out);
      } else {
        out.append(text.substr(i, utf8_length(c)));
      }
    }
    out_.write(out += '"');
  }

  static void escape(char32_t point, std::string& out) {
    auto code = static_cast<uint32_t>(point);
    if (code >= 0x10000) {  // a surrogate pair
      code -= 0x10000;
      out += fmt::format("\\u{:04x}\\u{:04x}", 0xD800 + (code >> 10), 0xDC00 + (code & 0x3FF));
    } else {
      out += fmt::format("\\u{:04x}", code);
    }
  }

  Output out_;
  Budget& budget_;
  bool ascii_ = false;
  bool sort_ = false;
  bool lines_ = false;
  std::string indent_;
  std::string between_ = ", ";
  std::string behind_key_ = ": ";
};

}  // namespace

Value from_json(const Json& json) {
  return convert(json, 0);
}

std::string to_json(const Value& value, const Arguments& arguments, Budget& budget) {
  return Writer(arguments, budget).run(value);
}

}  // namespace laconic::text::jinja
