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

// Spellings of the signs; "" are left out. The longer of two with the same beginning comes first.
constexpr std::array<std::pair<std::string_view, std::string_view>, 24> kSpellings = {
    {{"\xC3\x97", "*"},     {"\xC3\xB7", "/"}, {"\xE2\x88\x92", "-"}, {"\xE2\x88\x97", "*"},
     {"\xE2\x8B\x85", "*"}, {"\xC2\xB7", "*"}, {"\xC2\xA0", " "},     {"\\times", "*"},
     {"\\cdot", "*"},       {"\\div", "/"},    {"\\left(", "("},      {"\\right)", ")"},
     {"\\bigl(", "("},      {"\\bigr)", ")"},  {"\\big(", "("},       {"\\big)", ")"},
     {"\\dfrac", "F"},      {"\\tfrac", "F"},  {"\\frac", "F"},       {"\\,", " "},
     {"\\;", " "},          {"\\!", " "},      {"\\ ", " "},          {"~", " "}}};

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
    if (replaced) continue;
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
    if (c == '(' || c == 'F' || digit(c)) throw Failure{"no sign between two values"};
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
    if (c == 'F') {
      ++at_;
      const Rational above = group('{', '}');
      return quotient(above, group('{', '}'));
    }
    if (!digit(c)) unexpected();
    const size_t begin = at_;
    while (at_ < text_.size() && digit(text_[at_])) ++at_;
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
