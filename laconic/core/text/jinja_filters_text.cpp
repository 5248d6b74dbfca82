// Filters on texts.
#include <algorithm>
#include <array>

#include "laconic/core/text/jinja_access.h"
#include "laconic/core/text/jinja_case.h"
#include "laconic/core/text/jinja_error.h"
#include "laconic/core/text/jinja_filters.h"
#include "laconic/core/text/jinja_format.h"
#include "laconic/core/text/jinja_interpreter.h"
#include "laconic/core/text/jinja_iterate.h"
#include "laconic/core/text/jinja_print.h"
#include "laconic/core/text/jinja_text.h"
#include "laconic/core/text/unicode.h"

namespace laconic::text::jinja {

namespace {

// str(value), where texts that are marked safe stay so.
Value as_text(Interpreter& interpreter, const Value& value) {
  return value.is_string() ? value : Value::string(to_text(value, interpreter.budget()));
}

// The filters that are methods of str.
template <const char* name>
Value by_method(Interpreter& interpreter, const Value& input, const Arguments& arguments) {
  return interpreter.call(get_attribute(as_text(interpreter, input), name), arguments);
}
constexpr char kUpper[] = "upper";
constexpr char kLower[] = "lower";
constexpr char kCapitalize[] = "capitalize";

Value trim(Interpreter& interpreter, const Value& input, const Arguments& arguments) {
  const Parameters given(arguments, "trim", {"chars"});
  return interpreter.call(get_attribute(as_text(interpreter, input), "strip"), {{given.value(0, Value::none())}, {}});
}

Value center(Interpreter& interpreter, const Value& input, const Arguments& arguments) {
  const Parameters given(arguments, "center", {"width"});
  return interpreter.call(get_attribute(as_text(interpreter, input), "center"),
                          {{given.value(0, Value::integer(80))}, {}});
}

// A word begins behind white space, a dash or an opening bracket.
Value title(Interpreter& interpreter, const Value& input, const Arguments& arguments) {
  Parameters::positional(arguments, "title", 0);
  const std::string text = to_text(input, interpreter.budget());
  const auto separates = [](char32_t c) {
    return c == '-' || c == '(' || c == '{' || c == '[' || c == '<' || is_python_space(c);
  };
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const size_t begin = at;
    const bool separator = separates(code_point_at(text, at));
    while (at < text.size() && separates(code_point_at(text, at)) == separator) at += utf8_length(text[at]);
    const std::string_view part = std::string_view(text).substr(begin, at - begin);
    const size_t first = utf8_length(part[0]);
    out += upper_case(part.substr(0, first)) + lower_case(part.substr(first));
  }
  return Value::string(std::move(out));
}

Value replace_filter(Interpreter& interpreter, const Value& input, const Arguments& arguments) {
  const Parameters given(arguments, "replace", {"old", "new", "count"}, 2);
  const auto plain = [&](const Value& value) { return Value::string(to_text(value, interpreter.budget())); };
  const bool limited = given.get(2) != nullptr && !given.get(2)->is_none();
  const Value count = limited ? given.at(2) : Value::integer(-1);
  return interpreter.call(get_attribute(plain(input), "replace"),
                          {{plain(given.at(0)), plain(given.at(1)), count}, {}});
}

Value indent(Interpreter& interpreter, const Value& input, const Arguments& arguments) {
  const Parameters given(arguments, "indent", {"width", "first", "blank"});
  if (!input.is_string()) template_error("indent wants a string, not '{}'", type_name(input));
  const bool by_text = given.get(0) != nullptr && given.get(0)->is_string();
  const int64_t width = by_text ? 0 : std::max<int64_t>(given.integer(0, 4), 0);
  if (width > 1'000'000) template_error("indent: {} columns are too many", width);
  const std::string indention = by_text ? given.text(0) : std::string(static_cast<size_t>(width), ' ');
  const bool first = given.flag(1, false);
  const bool blank = given.flag(2, false);
  interpreter.budget().spend(input.text().size() / 2);
  const auto lines = split_lines(input.text() + "\n", false);
  Output out(interpreter.budget());
  for (size_t i = 0; i < lines.size(); ++i) {
    if (i > 0) out.write("\n");
    if (i == 0 ? first : blank || !lines[i].empty()) out.write(indention);
    out.write(lines[i]);
  }
  return Value::string(out.take(), input.as_string().safe);
}

Value truncate(Interpreter&, const Value& input, const Arguments& arguments) {
  const Parameters given(arguments, "truncate", {"length", "killwords", "end", "leeway"});
  const auto size = length_of(input);
  if (!size) template_error("object of type '{}' has no len()", type_name(input));
  const std::string end = given.get(2) != nullptr ? given.text(2) : "...";
  const auto end_length = static_cast<int64_t>(count_characters(end));
  const int64_t length = given.integer(0, 255);
  const bool own_leeway = given.get(3) == nullptr || given.get(3)->is_none();
  const int64_t leeway = own_leeway ? 5 : given.integer(3, 5);
  if (length < end_length) template_error("expected length >= {}, got {}", end_length, length);
  if (leeway < 0) template_error("expected leeway >= 0, got {}", leeway);
  if (*size - leeway <= length) return input;  // so written that no sum overflows
  if (!input.is_string()) template_error("truncate wants a string, not '{}'", type_name(input));
  const std::string& text = input.text();
  std::string cut = text.substr(0, byte_offset(text, static_cast<size_t>(length - end_length)));
  if (!given.flag(1, false)) cut = cut.substr(0, cut.rfind(' '));
  return Value::string(cut + end);
}

Value word_count(Interpreter& interpreter, const Value& input, const Arguments& arguments) {
  Parameters::positional(arguments, "wordcount", 0);
  const std::string text = to_text(input, interpreter.budget());
  int64_t count = 0;
  bool inside = false;
  for (size_t i = 0; i < text.size(); i += utf8_length(text[i])) {
    const bool word = is_word(code_point_at(text, i));
    if (word && !inside) ++count;
    inside = word;
  }
  return Value::integer(count);
}

Value format(Interpreter& interpreter, const Value& input, const Arguments& arguments) {
  if (input.is_string() && input.as_string().safe) not_supported("format of a text marked safe");
  if (!arguments.positional.empty() && !arguments.named.empty()) {
    template_error("can't handle positional and keyword arguments at the same time");
  }
  Value values = Value::tuple(arguments.positional);
  if (!arguments.named.empty()) {
    Dict named;
    for (const auto& [name, value] : arguments.named) named.set(name, value);
    values = Value::dict(std::move(named));
  }
  return Value::string(format_percent(to_text(input, interpreter.budget()), values, interpreter.budget()));
}

Value string(Interpreter& interpreter, const Value& input, const Arguments& arguments) {
  Parameters::positional(arguments, "string", 0);
  return as_text(interpreter, input);
}

Value safe(Interpreter& interpreter, const Value& input, const Arguments& arguments) {
  Parameters::positional(arguments, "safe", 0);
  return Value::string(to_text(input, interpreter.budget()), true);
}

Value escape(Interpreter& interpreter, const Value& input, const Arguments& arguments) {
  Parameters::positional(arguments, "escape", 0);
  if (input.is_string() && input.as_string().safe) return input;
  return Value::string(escape_html(to_text(input, interpreter.budget())), true);
}

Value force_escape(Interpreter& interpreter, const Value& input, const Arguments& arguments) {
  Parameters::positional(arguments, "forceescape", 0);
  return Value::string(escape_html(to_text(input, interpreter.budget())), true);
}

struct Entry {
  std::string_view name;
  Filter filter;
};

constexpr std::array kFilters = std::to_array<Entry>({
    {"capitalize", by_method<kCapitalize>},
    {"center", center},
    {"e", escape},
    {"escape", escape},
    {"forceescape", force_escape},
    {"format", format},
    {"indent", indent},
    {"lower", by_method<kLower>},
    {"replace", replace_filter},
    {"safe", safe},
    {"string", string},
    {"title", title},
    {"trim", trim},
    {"truncate", truncate},
    {"upper", by_method<kUpper>},
    {"wordcount", word_count},
});

}  // namespace

Filter find_text_filter(std::string_view name) {
  const auto found = std::find_if(kFilters.begin(), kFilters.end(), [&](const Entry& e) { return e.name == name; });
  return found != kFilters.end() ? found->filter : nullptr;
}

}  // namespace laconic::text::jinja
