#include "laconic/rewards/arithmetic.h"

#include <array>
#include <utility>

#include "laconic/core/base/error.h"
#include "laconic/core/base/strings.h"

namespace laconic::rewards {
namespace {

constexpr size_t kLongest = 4096;
constexpr int kDeepest = 64;
constexpr size_t kMostDigits = 18;

// Spellings of the signs. The longer of two with the same beginning comes first.
constexpr std::array<std::pair<std::string_view, std::string_view>, 48> kSpellings = {
    {{"\xC3\x97", "*"},     {"\xE2\x9C\x95", "*"}, {"\xE2\x88\x97", "*"},
     {"\xE2\x8B\x85", "*"}, {"\xE2\x88\x99", "*"}, {"\xE2\x80\xA2", "*"},
     {"\xC2\xB7", "*"},     {"\\times", "*"},      {"\\cdot", "*"},
     {"\\ast", "*"},        {"\\*", "*"},          {"x", "*"},
     {"\xC3\xB7", "/"},     {"\xE2\x88\x95", "/"}, {"\xE2\x81\x84", "/"},
     {"\\div", "/"},        {"\xE2\x88\x92", "-"}, {"\xE2\x80\x93", "-"},
     {"\xEF\xBC\x8D", "-"}, {"\xEF\xBC\x8B", "+"}, {"\xEF\xBC\x88", "("},
     {"\xEF\xBC\x89", ")"}, {"\\{", "("},          {"\\}", ")"},
     {"\\left", " "},       {"\\right", " "},      {"\\biggl", " "},
     {"\\biggr", " "},      {"\\bigg", " "},       {"\\Biggl", " "},
     {"\\Biggr", " "},      {"\\Bigl", " "},       {"\\Bigr", " "},
     {"\\Big", " "},        {"\\bigl", " "},       {"\\bigr", " "},
     {"\\big", " "},        {"\\dfrac", "F"},      {"\\tfrac", "F"},
     {"\\cfrac", "F"},      {"\\frac", "F"},       {"\\displaystyle", " "},
     {"\\qquad", " "},      {"\\quad", " "},       {"\\,", " "},
     {"\\;", " "},          {"\\!", " "},          {"\\ ", " "}}};

// White space that is no ASCII: no-break, thin, narrow no-break, ideographic. In LaTeX ~ is one as well.
constexpr std::array<std::string_view, 5> kSpaces = {"\xC2\xA0", "\xE2\x80\x89", "\xE2\x80\xAF", "\xE3\x80\x80", "~"};

// The full-width digit with which a text begins (U+FF10 to U+FF19), as an ordinary one; 0 where there is none.
char full_width_digit(std::string_view text) {
  if (!text.starts_with("\xEF\xBC") || text.size() < 3) return 0;
  const int last = static_cast<unsigned char>(text[2]) - 0x90;
  return last >= 0 && last <= 9 ? static_cast<char>('0' + last) : '\0';
}

// One sign for each spelling; a letter of the text itself becomes `?`.
std::string plain(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (size_t i = 0; i < text.size();) {
    bool replaced = false;
    for (const auto& [from, to] : kSpellings) {
      if (!text.substr(i).starts_with(from)) continue;
      result += to;
      i += from.size();
      replaced = true;
      break;
    }
    for (const auto space : kSpaces) {
      if (replaced || !text.substr(i).starts_with(space)) continue;
      result += ' ';
      i += space.size();
      replaced = true;
    }
    if (replaced) continue;
    if (const char digit = full_width_digit(text.substr(i)); digit != 0) {
      result += digit;
      i += 3;
      continue;
    }
    const char c = text[i++];
    result += c == 'F' ? '?' : c == '\t' || c == '\n' || c == '\r' ? ' ' : c;
  }
  return result;
}

struct Failure {
  std::string problem;
};

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Rational all() {
    Rational value = sum();
    if (at_ != text_.size()) unexpected();
    return value;
  }
  std::vector<int64_t> take_numbers() { return std::move(numbers_); }

 private:
  char peek() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  bool take(char c) {
    if (peek() != c) return false;
    ++at_;
    return true;
  }
  static bool digit(char c) { return c >= '0' && c <= '9'; }

  [[noreturn]] void unexpected() {
    const char c = peek();
    if (c == '\0') throw Failure{"the expression ends too early"};
    if (c == '^') throw Failure{"powers are not allowed"};
    if (c == '!') throw Failure{"factorials are not allowed"};
    if (c == '-' || c == '+') throw Failure{"a sign in front of a number or a parenthesis is not allowed"};
    if (c == '*' || c == '/') throw Failure{"two signs in a row (powers and whole-number division are not allowed)"};
    if (c == '(' || c == '[' || c == '{' || c == 'F' || digit(c)) throw Failure{"no sign between two values"};
    if (c == '.' || c == ',') throw Failure{"only whole numbers are allowed"};
    throw Failure{"not an expression of numbers with + - * / and parentheses"};
  }

  Rational sum() {
    Rational value = product();
    for (;;) {
      if (take('+')) {
        value += product();
      } else if (take('-')) {
        value -= product();
      } else {
        return value;
      }
    }
  }

  Rational product() {
    Rational value = single();
    for (;;) {
      if (take('*')) {
        value *= single();
      } else if (take('/')) {
        value = quotient(value, single());
      } else {
        return value;
      }
    }
  }

  static Rational quotient(const Rational& value, const Rational& by) {
    if (by == 0) throw Failure{"division by zero"};
    return value / by;
  }

  Rational group(char open, char close) {
    if (!take(open)) unexpected();
    if (++depth_ > kDeepest) throw Failure{"too many parentheses"};
    Rational value = sum();
    if (!take(close)) unexpected();
    --depth_;
    return value;
  }

  Rational single() {
    const char c = peek();
    if (c == '(') return group('(', ')');
    if (c == '[') return group('[', ']');
    if (c == '{') return group('{', '}');
    if (c == 'F') {
      ++at_;
      const Rational above = part_of_fraction();
      return quotient(above, part_of_fraction());
    }
    if (!digit(c)) unexpected();
    size_t end = at_;
    while (end < text_.size() && digit(text_[end])) ++end;
    return number_to(end);
  }

  // {8}, or one digit: \frac83 is 8/3.
  Rational part_of_fraction() { return digit(peek()) ? number_to(at_ + 1) : group('{', '}'); }

  Rational number_to(size_t end) {
    const size_t begin = at_;
    at_ = end;
    if (at_ - begin > kMostDigits) throw Failure{"a number has too many digits"};
    int64_t number = 0;
    for (size_t i = begin; i < at_; ++i) number = 10 * number + (text_[i] - '0');
    numbers_.push_back(number);
    return Rational(number);
  }

  std::string_view text_;
  size_t at_ = 0;
  int depth_ = 0;
  std::vector<int64_t> numbers_;
};

}  // namespace

Arithmetic evaluate_arithmetic(std::string_view text) {
  Arithmetic result;
  if (text.size() > kLongest) {
    result.problem = "the expression is too long";
    return result;
  }
  const std::string plain_text = plain(text);
  Parser parser(trim(plain_text));
  try {
    result.value = parser.all();
    result.numbers = parser.take_numbers();
  } catch (const Failure& failure) {
    result.problem = failure.problem;
  }
  return result;
}

}  // namespace laconic::rewards
