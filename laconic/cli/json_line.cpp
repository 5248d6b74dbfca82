#include "laconic/cli/json_line.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <unordered_set>

#include "laconic/core/base/error.h"
#include "laconic/core/base/strings.h"

namespace laconic::cli {
namespace {

// Refuses what the parser itself lets pass.
class StrictObjects {
 public:
  bool operator()(int depth, Json::parse_event_t event, const Json& parsed) {
    using Event = Json::parse_event_t;
    if (event == Event::object_start || event == Event::array_start) {
      if (depth >= kMaxJsonDepth) fail(ErrorKind::input, "the JSON is nested more than {} levels deep", kMaxJsonDepth);
    }
    if (event == Event::object_start) keys_.emplace_back();
    if (event == Event::object_end) keys_.pop_back();
    if (event == Event::key && !keys_.back().insert(parsed.get<std::string>()).second)
      fail(ErrorKind::input, "the key `{}` stands twice in one object", parsed.get<std::string>());
    return true;
  }

 private:
  std::vector<std::unordered_set<std::string>> keys_;  // of the objects that are open
};

// "syntax error while parsing value - invalid literal; last read: 'nul'" without the library's own preface.
std::string syntax_message(std::string_view text) {
  constexpr std::string_view kMark = "syntax error ";
  const size_t begin = text.find(kMark);
  return std::string(begin == std::string_view::npos ? text : text.substr(begin + kMark.size()));
}

size_t skip_space(std::string_view text, size_t at) {
  return std::min(text.find_first_not_of(" \t\r\n", at), text.size());
}

// One past the string, list, object or literal that begins at `at`.
size_t skip_value(std::string_view text, size_t at) {
  int depth = 0;
  bool quoted = false;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (quoted) {
      if (c == '\\') ++at;
      if (c != '"') continue;
      quoted = false;
      if (depth == 0) return at + 1;
    } else if (c == '"') {
      quoted = true;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if (c == '}' || c == ']') {
      if (depth == 0) return at;  // the end of the object around a literal
      if (--depth == 0) return at + 1;
    } else if (depth == 0 && (c == ',' || c == ' ' || c == '\t' || c == '\r' || c == '\n')) {
      return at;
    }
  }
  return at;
}

void require_finite(const Json& value, const std::string& where) {
  if (value.is_number_float() && !std::isfinite(value.get<double>())) {
    fail(ErrorKind::numeric, "{} is not finite ({})", where.empty() ? "the result" : where, value.get<double>());
  }
  if (value.is_object()) {
    for (const auto& [key, item] : value.items()) require_finite(item, where.empty() ? key : where + "." + key);
  } else if (value.is_array()) {
    for (size_t i = 0; i < value.size(); ++i) {
      if (value[i].is_structured() || value[i].is_number_float())
        require_finite(value[i], fmt::format("{}[{}]", where, i));
    }
  }
}

// The double whose shortest form is that of the f32 value.
double as_short_double(float value) {
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, value).ptr;
  double wide = 0;
  std::from_chars(text, end, wide);
  return static_cast<float>(wide) == value ? wide : value;  // two roundings may, once in a while, miss by one
}

}  // namespace

Json parse_object(std::string_view text) {
  if (const size_t bad = first_invalid_utf8(text); bad != std::string_view::npos) {
    fail(ErrorKind::input, "the line is not UTF-8 at byte {} (0x{:02X})", bad + 1,
         static_cast<unsigned>(static_cast<unsigned char>(text[bad])));
  }
  if (text.starts_with("\xEF\xBB\xBF")) fail(ErrorKind::input, "the line begins with a byte-order mark");
  Json value;
  try {
    value = Json::parse(text.begin(), text.end(), StrictObjects());
  } catch (const Json::parse_error& error) {
    fail(ErrorKind::input, "not JSON at byte {}: {}", error.byte, syntax_message(error.what()));
  } catch (const Json::out_of_range&) {
    fail(ErrorKind::input, "a number of the line is too large for a double");
  }
  if (!value.is_object()) fail(ErrorKind::input, "expected a JSON object, found {}", value.type_name());
  return value;
}

std::vector<std::string_view> raw_fields(std::string_view object) {
  std::vector<std::string_view> fields;
  size_t at = skip_space(object, 0) + 1;  // behind the brace
  for (;;) {
    at = skip_space(object, at);
    if (at >= object.size() || object[at] == '}') return fields;
    const size_t begin = at;
    at = skip_space(object, skip_value(object, at));      // the key
    at = skip_value(object, skip_space(object, at + 1));  // the value behind the colon
    fields.push_back(object.substr(begin, at - begin));
    at = skip_space(object, at);
    if (at < object.size() && object[at] == ',') ++at;
  }
}

std::string dump_line(const Json& value) {
  require_finite(value, "");
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json float_list(std::span<const float> values, std::string_view what) {
  Json list = Json::array();
  for (size_t i = 0; i < values.size(); ++i) {
    if (std::isfinite(values[i])) {
      list.push_back(as_short_double(values[i]));
    } else if (values[i] < 0) {
      list.push_back("-Infinity");
    } else {
      fail(ErrorKind::numeric, "{}[{}] is not finite ({})", what, i, values[i]);
    }
  }
  return list;
}

}  // namespace laconic::cli
