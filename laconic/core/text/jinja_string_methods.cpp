// The methods of str.
#include <algorithm>
#include <array>

#include "laconic/core/text/jinja_access.h"
#include "laconic/core/text/jinja_case.h"
#include "laconic/core/text/jinja_error.h"
#include "laconic/core/text/jinja_format.h"
#include "laconic/core/text/jinja_iterate.h"
#include "laconic/core/text/jinja_text.h"
#include "laconic/core/text/unicode.h"

namespace laconic::text::jinja {

namespace {

using Strings = std::vector<std::string>;

Value strings(Strings parts) {
  List items;
  items.reserve(parts.size());
  for (std::string& part : parts) items.push_back(Value::string(std::move(part)));
  return Value::list(std::move(items));
}

// Methods without arguments that give a text.
template <std::string (*F)(std::string_view)>
Value mapped(const Value& self, const Arguments& arguments, Budget&) {
  Parameters::positional(arguments, "this method of str", 0);
  return Value::string(F(self.text()));
}

// Questions about the whole text.
template <bool (*F)(std::string_view)>
Value asked(const Value& self, const Arguments& arguments, Budget&) {
  Parameters::positional(arguments, "this method of str", 0);
  return Value::boolean(F(self.text()));
}

// Questions that every character must answer with yes; "" answers no.
template <bool (*F)(char32_t)>
bool every(std::string_view text) {
  for (size_t i = 0; i < text.size(); i += utf8_length(text[i])) {
    if (!F(code_point_at(text, i))) return false;
  }
  return !text.empty();
}

bool is_alphanumeric(char32_t c) {
  return is_alphabetic(c) || is_digit(c) || is_numeric(c);
}
bool is_number_like(char32_t c) {
  return is_digit(c) || is_numeric(c);
}
bool is_ascii(std::string_view text) {
  return count_characters(text) == text.size() &&
         std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}
bool all_printable(std::string_view text) {
  return text.empty() || every<is_printable>(text);
}

template <Side side>
Value strip_method(const Value& self, const Arguments& arguments, Budget&) {
  const auto given = Parameters::positional(arguments, "strip", 1);
  return Value::string(std::string(strip(self.text(), given.optional_text(0), side)));
}

template <Strings (*F)(std::string_view, std::optional<std::string_view>, int64_t)>
Value split_method(const Value& self, const Arguments& arguments, Budget& budget) {
  const Parameters given(arguments, "split", {"sep", "maxsplit"});
  const auto separator = given.optional_text(0);
  if (separator && separator->empty()) template_error("empty separator");
  // A part is at least a text of its own.
  budget.spend(separator ? 8 * count_matches(self.text(), *separator) : self.text().size() / 2);
  return strings(F(self.text(), separator, given.integer(1, -1)));
}

Value splitlines(const Value& self, const Arguments& arguments, Budget& budget) {
  const Parameters given(arguments, "splitlines", {"keepends"});
  budget.spend(self.text().size() / 2);
  return strings(split_lines(self.text(), given.integer(0, 0) != 0));
}

// The part of a text between the optional arguments `start` and `end`; `first` is where it begins in characters.
struct Window {
  std::string_view text;
  int64_t first;
  bool valid;  // false where start lies behind the end: then not even "" is found
};

Window window(const Value& self, const Parameters& given, size_t start_at) {
  const auto size = static_cast<int64_t>(self.as_string().characters);
  const auto number = [&](size_t i, int64_t otherwise) {
    const bool absent = given.get(i) == nullptr || given.get(i)->is_none();
    const int64_t index = absent ? otherwise : given.integer(i, otherwise);
    return std::clamp<int64_t>(index < 0 ? index + size : index, 0, size + 1);
  };
  const int64_t first = number(start_at, 0);
  const int64_t last = std::min(number(start_at + 1, size), size);
  if (first > last) return {{}, first, false};
  const std::string_view text = self.text();
  const size_t begin = byte_offset(text, static_cast<size_t>(first));
  return {text.substr(begin, byte_offset(text.substr(begin), static_cast<size_t>(last - first))), first, true};
}

std::optional<int64_t> search(const Value& self, const Parameters& given, bool from_right) {
  const Window part = window(self, given, 1);
  if (!part.valid) return std::nullopt;
  const size_t at = from_right ? part.text.rfind(given.text(0)) : part.text.find(given.text(0));
  if (at == std::string_view::npos) return std::nullopt;
  return part.first + static_cast<int64_t>(count_characters(part.text.substr(0, at)));
}

template <bool from_right>
Value find_method(const Value& self, const Arguments& arguments, Budget&) {
  const auto given = Parameters::positional(arguments, "find", 3, 1);
  return Value::integer(search(self, given, from_right).value_or(-1));
}

template <bool from_right>
Value index_method(const Value& self, const Arguments& arguments, Budget&) {
  const auto given = Parameters::positional(arguments, "index", 3, 1);
  const auto found = search(self, given, from_right);
  if (!found) template_error("substring not found");
  return Value::integer(*found);
}

Value count_method(const Value& self, const Arguments& arguments, Budget&) {
  const auto given = Parameters::positional(arguments, "count", 3, 1);
  const Window part = window(self, given, 1);
  return Value::integer(part.valid ? static_cast<int64_t>(count_matches(part.text, given.text(0))) : 0);
}

template <bool at_end>
Value affix_method(const Value& self, const Arguments& arguments, Budget&) {
  const auto given = Parameters::positional(arguments, at_end ? "endswith" : "startswith", 3, 1);
  const Window part = window(self, given, 1);
  const auto matches = [&](const Value& affix) {
    if (!affix.is_string()) {
      if (affix.is_undefined()) template_error("{}", affix.undefined_message());
      template_error("{} first arg must be str or a tuple of str, not {}", at_end ? "endswith" : "startswith",
                     type_name(affix));
    }
    return part.valid && (at_end ? part.text.ends_with(affix.text()) : part.text.starts_with(affix.text()));
  };
  const Value& wanted = given.at(0);
  if (!wanted.is_tuple()) return Value::boolean(matches(wanted));
  return Value::boolean(std::any_of(wanted.items().begin(), wanted.items().end(), matches));
}

Value replace_method(const Value& self, const Arguments& arguments, Budget& budget) {
  const auto given = Parameters::positional(arguments, "replace", 3, 2);
  const bool escapes = self.as_string().safe && !given.at(1).as_string().safe;
  const std::string& from = given.text(0);
  const std::string to = escapes ? escape_html(given.text(1)) : given.text(1);
  const int64_t limit = given.integer(2, -1);
  const size_t matches = count_matches(self.text(), from);
  if (!to.empty() && matches > budget.limits().output_bytes / to.size()) template_error("a text is too large");
  budget.text(self.text().size() + matches * to.size());
  return Value::string(replace(self.text(), from, to, limit));
}

Value join_method(const Value& self, const Arguments& arguments, Budget& budget) {
  const auto given = Parameters::positional(arguments, "join", 1, 1);
  std::string out;
  size_t i = 0;
  const Next next = iterate(given.at(0));
  while (const auto item = next()) {
    if (!item->is_string()) {
      template_error("sequence item {}: expected str instance, {} found", i, type_name(*item));
    }
    if (i++ > 0) out += self.text();
    out += self.as_string().safe && !item->as_string().safe ? escape_html(item->text()) : item->text();
    budget.text(item->text().size() + self.text().size());
    if (out.size() > budget.limits().output_bytes) template_error("a text is too large");
  }
  return Value::string(std::move(out));
}

Value format_method(const Value& self, const Arguments& arguments, Budget& budget) {
  if (self.as_string().safe) not_supported("format of a text marked safe");
  return Value::string(format_braces(self.text(), arguments, budget));
}

template <Side side>
Value justify_method(const Value& self, const Arguments& arguments, Budget& budget) {
  const auto given = Parameters::positional(arguments, "ljust, rjust or center", 2, 1);
  const std::string fill = given.get(1) != nullptr ? given.text(1) : " ";
  if (count_characters(fill) != 1) template_error("The fill character must be exactly one character long");
  const int64_t width = given.integer(0, 0);
  const auto size = static_cast<int64_t>(self.as_string().characters);
  if (width > static_cast<int64_t>(budget.limits().output_bytes)) template_error("a text is too large");
  const int64_t missing = std::max<int64_t>(width - size, 0);
  budget.text(static_cast<size_t>(missing) * fill.size());
  // Of an odd number of spaces Python puts one more on the left exactly where the width is odd, too.
  const int64_t left = side == Side::left ? 0 : side == Side::right ? missing : missing / 2 + (missing & width & 1);
  std::string out;
  for (int64_t i = 0; i < left; ++i) out += fill;
  out += self.text();
  for (int64_t i = left; i < missing; ++i) out += fill;
  return Value::string(std::move(out));
}

Value zfill_method(const Value& self, const Arguments& arguments, Budget& budget) {
  const auto given = Parameters::positional(arguments, "zfill", 1, 1);
  const int64_t width = given.integer(0, 0);
  if (width > static_cast<int64_t>(budget.limits().output_bytes)) template_error("a text is too large");
  const std::string& text = self.text();
  const bool has_sign = text.starts_with('-') || text.starts_with('+');
  const int64_t missing = std::max<int64_t>(width - static_cast<int64_t>(self.as_string().characters), 0);
  budget.text(static_cast<size_t>(missing));
  return Value::string(text.substr(0, has_sign ? 1 : 0) + std::string(static_cast<size_t>(missing), '0') +
                       text.substr(has_sign ? 1 : 0));
}

template <bool from_right>
Value partition_method(const Value& self, const Arguments& arguments, Budget&) {
  const auto given = Parameters::positional(arguments, "partition", 1, 1);
  const std::string& separator = given.text(0);
  if (separator.empty()) template_error("empty separator");
  const std::string& text = self.text();
  const size_t at = from_right ? text.rfind(separator) : text.find(separator);
  const auto triple = [](std::string a, std::string b, std::string c) {
    return Value::tuple({Value::string(std::move(a)), Value::string(std::move(b)), Value::string(std::move(c))});
  };
  if (at == std::string::npos) return from_right ? triple("", "", text) : triple(text, "", "");
  return triple(text.substr(0, at), separator, text.substr(at + separator.size()));
}

template <bool at_end>
Value remove_affix(const Value& self, const Arguments& arguments, Budget&) {
  const auto given = Parameters::positional(arguments, "removeprefix or removesuffix", 1, 1);
  std::string_view text = self.text();
  const std::string& affix = given.text(0);
  if (at_end && text.ends_with(affix)) text.remove_suffix(affix.size());
  if (!at_end && text.starts_with(affix)) text.remove_prefix(affix.size());
  return Value::string(std::string(text));
}

Value expandtabs(const Value& self, const Arguments& arguments, Budget& budget) {
  const Parameters given(arguments, "expandtabs", {"tabsize"});
  const int64_t width = given.integer(0, 8);
  if (width > 1000) not_supported("a tab size above 1000");
  budget.text(count_matches(self.text(), "\t") * static_cast<size_t>(std::max<int64_t>(width, 0)));
  return Value::string(expand_tabs(self.text(), width));
}

struct Entry {
  std::string_view name;
  Method method;
};

constexpr std::array kMethods = std::to_array<Entry>({
    {"capitalize", mapped<capitalized>},
    {"casefold", mapped<folded_case>},
    {"center", justify_method<Side::both>},
    {"count", count_method},
    {"endswith", affix_method<true>},
    {"expandtabs", expandtabs},
    {"find", find_method<false>},
    {"format", format_method},
    {"index", index_method<false>},
    {"isalnum", asked<every<is_alphanumeric>>},
    {"isalpha", asked<every<is_alphabetic>>},
    {"isascii", asked<is_ascii>},
    {"isdecimal", asked<every<is_decimal>>},
    {"isdigit", asked<every<is_digit>>},
    {"islower", asked<is_lower_case>},
    {"isnumeric", asked<every<is_number_like>>},
    {"isprintable", asked<all_printable>},
    {"isspace", asked<every<is_python_space>>},
    {"istitle", asked<is_title_case>},
    {"isupper", asked<is_upper_case>},
    {"join", join_method},
    {"ljust", justify_method<Side::left>},
    {"lower", mapped<lower_case>},
    {"lstrip", strip_method<Side::left>},
    {"partition", partition_method<false>},
    {"removeprefix", remove_affix<false>},
    {"removesuffix", remove_affix<true>},
    {"replace", replace_method},
    {"rfind", find_method<true>},
    {"rindex", index_method<true>},
    {"rjust", justify_method<Side::right>},
    {"rpartition", partition_method<true>},
    {"rsplit", split_method<split_from_right>},
    {"rstrip", strip_method<Side::right>},
    {"split", split_method<split>},
    {"splitlines", splitlines},
    {"startswith", affix_method<false>},
    {"strip", strip_method<Side::both>},
    {"swapcase", mapped<swapped_case>},
    {"title", mapped<title_case>},
    {"upper", mapped<upper_case>},
    {"zfill", zfill_method},
});

}  // namespace

Method find_string_method(std::string_view name) {
  const auto found = std::find_if(kMethods.begin(), kMethods.end(), [&](const Entry& e) { return e.name == name; });
  return found != kMethods.end() ? found->method : nullptr;
}

}  // namespace laconic::text::jinja
