// Oniguruma (Ruby syntax) to PCRE2. Most of both languages is the same; what is treated here:
//  \s \S \w \W \b \B   Oniguruma's sets written out, since PCRE2's differ in a few characters
//  \h                  a hexadecimal digit in Ruby, horizontal space in PCRE2
//  \uXXXX              \x{XXXX}
//  \p{Script}          PCRE2 means script extensions by a bare name, Oniguruma the script
// Not faithful, therefore refused: (?m) (dot matches newline in Ruby), options in the middle of a group, X{n,m}+ (a
// nested repeat in Ruby, possessive in PCRE2), nested classes and && in classes, \g calls, POSIX brackets.
#include <cctype>

#include "laconic/core/base/error.h"
#include "laconic/core/text/regex.h"

namespace laconic::text {

namespace {

constexpr std::string_view kSpace =
    R"(\x{9}-\x{D}\x{20}\x{85}\x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000})";
constexpr std::string_view kNotSpace =
    R"(\x{0}-\x{8}\x{E}-\x{1F}\x{21}-\x{84}\x{86}-\x{9F}\x{A1}-\x{167F}\x{1681}-\x{1FFF}\x{200B}-\x{2027}\x{202A}-\x{202E}\x{2030}-\x{205E}\x{2060}-\x{2FFF}\x{3001}-\x{10FFFF})";
constexpr std::string_view kWord =
    R"(\p{L}\p{M}\p{Nd}\p{Nl}\p{Pc}\x{24B6}-\x{24E9}\x{1F130}-\x{1F149}\x{1F150}-\x{1F169}\x{1F170}-\x{1F189})";

class Translator {
 public:
  Translator(std::string_view pattern, const std::string& where) : in_(pattern), where_(where) {}

  std::string run() {
    while (at_ < in_.size()) {
      const char c = in_[at_];
      if (c == '\\') {
        escape();
      } else if (in_class_) {
        class_character(c);
      } else {
        plain_character(c);
      }
    }
    if (in_class_) refuse("a character class without its closing ]");
    return std::move(out_);
  }

 private:
  [[noreturn]] void refuse(std::string_view construct) const {
    fail(ErrorKind::unsupported, "{}: regular expression `{}`: {} (at byte {}) is not supported", where_, in_,
         construct, at_);
  }

  void copy(size_t count) {
    out_.append(in_.substr(at_, count));
    at_ += count;
  }

  bool next_is(std::string_view text) const { return in_.substr(at_).starts_with(text); }

  void class_character(char c) {
    if (c == '[') refuse("a class inside a class");
    if (next_is("&&")) refuse("&& in a class");
    if (c == ']') in_class_ = false;
    copy(1);
  }

  void plain_character(char c) {
    if (c == '[') {
      in_class_ = true;
      copy(next_is("[^") ? 2 : 1);
      if (next_is("]")) refuse("a class that opens with ]");
    } else if (c == '(' && next_is("(?")) {
      group_options();
    } else if (c == '}' && at_ + 1 < in_.size() && in_[at_ + 1] == '+') {
      refuse("a + behind {n,m}");
    } else {
      copy(1);
    }
  }

  // "(?i:" and friends; "(?:", "(?=", "(?!", "(?<", "(?>" and "(?#" mean the same in both.
  void group_options() {
    size_t end = at_ + 2;
    while (end < in_.size() && (std::isalpha(static_cast<unsigned char>(in_[end])) != 0 || in_[end] == '-')) ++end;
    for (size_t i = at_ + 2; i < end; ++i) {
      if (in_[i] != 'i' && in_[i] != '-') refuse("a group option other than i");
    }
    if (end > at_ + 2 && end < in_.size() && in_[end] == ')' && at_ != 0) refuse("an option in the middle");
    copy(end - at_);
  }

  // A set that is written as ranges: within a class as they are, else in brackets of its own.
  void put_set(std::string_view ranges) {
    if (in_class_) {
      out_.append(ranges);
    } else {
      out_.append("[").append(ranges).append("]");
    }
    at_ += 2;
  }

  void escape() {
    if (at_ + 1 >= in_.size()) refuse("a lone backslash at the end");
    const std::string word = "[" + std::string(kWord) + "]";
    switch (in_[at_ + 1]) {
      case 's':
        return put_set(kSpace);
      case 'S':
        return put_set(kNotSpace);
      case 'w':
        return put_set(kWord);
      case 'h':
        return put_set("0-9A-Fa-f");
      case 'W':
        if (in_class_) refuse("\\W in a class");
        out_.append("[^").append(kWord).append("]");
        at_ += 2;
        return;
      case 'b':
        if (in_class_) return copy(2);
        out_ += "(?:(?<=" + word + ")(?!" + word + ")|(?<!" + word + ")(?=" + word + "))";
        at_ += 2;
        return;
      case 'u':
        return unicode_escape();
      case 'p':
      case 'P':
        return property();
      case 'B':
      case 'H':
      case 'g':
      case 'G':
      case 'K':
      case 'N':
      case 'O':
      case 'y':
      case 'Y':
      case 'c':
      case 'C':
      case 'M':
        refuse("\\" + std::string(1, in_[at_ + 1]));
      default:
        return copy(2);
    }
  }

  void unicode_escape() {
    const auto digits = in_.substr(at_ + 2, 4);
    if (digits.size() < 4) refuse("\\u without four digits");
    for (const char digit : digits) {
      if (std::isxdigit(static_cast<unsigned char>(digit)) == 0) refuse("\\u without four digits");
    }
    out_.append("\\x{").append(digits).append("}");
    at_ += 6;
  }

  void property() {
    const size_t close = in_.find('}', at_);
    if (close == std::string_view::npos || at_ + 2 >= in_.size() || in_[at_ + 2] != '{') refuse("\\p without {name}");
    std::string_view name = in_.substr(at_ + 3, close - at_ - 3);
    const bool inverted = name.starts_with('^');
    if (inverted) name.remove_prefix(1);
    out_.append(in_.substr(at_, 2)).append(inverted ? "{^" : "{");
    if (name.size() > 2 && name != "Any") out_.append("sc:");  // what is not a script PCRE2 then refuses
    out_.append(name).append("}");
    at_ = close + 1;
  }

  std::string_view in_;
  const std::string& where_;
  std::string out_;
  size_t at_ = 0;
  bool in_class_ = false;
};

}  // namespace

std::string translate_pattern(std::string_view pattern, const std::string& where) {
  return Translator(pattern, where).run();
}

}  // namespace laconic::text
