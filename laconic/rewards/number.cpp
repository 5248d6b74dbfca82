#include "laconic/rewards/number.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <cstdlib>

#include "laconic/core/base/strings.h"
#include "laconic/rewards/latex.h"

namespace laconic::rewards {
namespace {

constexpr size_t kMaxBytes = 512;
constexpr int kMaxExponent = 300;

bool is_digit(char c) {
  return std::isdigit(static_cast<unsigned char>(c)) != 0;
}
bool is_letter(char c) {
  return std::isalpha(static_cast<unsigned char>(c)) != 0;
}
bool is_space(char c) {
  return std::isspace(static_cast<unsigned char>(c)) != 0;
}

std::string without_leading_zeros(std::string digits) {
  digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size()));
  return digits.empty() ? "0" : digits;
}

// Product of two non-negative decimal strings; both are short (kMaxBytes plus an exponent).
std::string multiply(const std::string& a, const std::string& b) {
  std::string product(a.size() + b.size(), '0');
  for (size_t i = a.size(); i-- > 0;) {
    int carry = 0;
    for (size_t j = b.size(); j-- > 0;) {
      const int sum = (a[i] - '0') * (b[j] - '0') + (product[i + j + 1] - '0') + carry;
      product[i + j + 1] = static_cast<char>('0' + sum % 10);
      carry = sum / 10;
    }
    product[i] = static_cast<char>(product[i] + carry);
  }
  return without_leading_zeros(product);
}

std::string add(std::string a, std::string b) {
  if (a.size() < b.size()) std::swap(a, b);
  b.insert(0, a.size() - b.size(), '0');
  int carry = 0;
  for (size_t i = a.size(); i-- > 0;) {
    const int sum = (a[i] - '0') + (b[i] - '0') + carry;
    a[i] = static_cast<char>('0' + sum % 10);
    carry = sum / 10;
  }
  return without_leading_zeros(carry > 0 ? "1" + a : a);
}

// A cursor over cleaned text. Each read_* advances only on success.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  bool done() const { return at_ == text_.size(); }
  std::string_view rest() const { return text_.substr(at_); }
  char peek() const { return done() ? '\0' : text_[at_]; }
  void skip_spaces() {
    while (!done() && is_space(text_[at_])) ++at_;
  }
  bool accept(std::string_view word) {
    if (!rest().starts_with(word)) return false;
    at_ += word.size();
    return true;
  }

  // digits with optional thousands separators, decimals and exponent
  bool read_plain(Number& number) {
    const size_t start = at_;
    std::string digits;
    while (is_digit(peek())) digits += text_[at_++];
    if (!digits.empty() && digits.size() <= 3) {
      while (peek() == ',' && group_follows()) {
        digits += text_.substr(at_ + 1, 3);
        at_ += 4;
      }
    }
    const bool whole_part = !digits.empty();
    size_t decimals = 0;
    if (peek() == '.' && (at_ + 1 < text_.size() ? is_digit(text_[at_ + 1]) || whole_part : whole_part)) {
      ++at_;
      for (; is_digit(peek()); ++decimals) digits += text_[at_++];
    }
    if (digits.empty()) {
      at_ = start;
      return false;
    }
    number.numerator = without_leading_zeros(digits);
    number.denominator = "1" + std::string(decimals, '0');
    if (peek() == 'e' || peek() == 'E') read_exponent(number);
    return true;
  }

  // An integer exponent after `e`: 1e3, 1.5E-4. Without digits the letter is left to the units.
  void read_exponent(Number& number) {
    const size_t start = at_++;
    const auto exponent = read_integer();
    if (!exponent) {
      at_ = start;
      return;
    }
    scale(number, *exponent);
  }

  std::optional<int> read_integer() {
    const size_t start = at_;
    const bool negative = accept("-");
    if (!negative) accept("+");
    int value = 0, count = 0;
    for (; is_digit(peek()) && count < 4; ++count) value = value * 10 + (text_[at_++] - '0');
    if (count == 0 || value > kMaxExponent || is_digit(peek())) {
      at_ = start;
      return std::nullopt;
    }
    return negative ? -value : value;
  }

  // \frac{a}{b}, \frac ab
  bool read_fraction(Number& number) {
    const size_t start = at_;
    Number top, bottom;
    if (accept("\\frac") && read_argument(top) && read_argument(bottom) && divide(top, bottom)) {
      number = top;
      return true;
    }
    at_ = start;
    return false;
  }

  // a / b behind an already read a
  bool read_over(Number& number) {
    const size_t start = at_;
    skip_spaces();
    Number bottom;
    if (accept("/")) {
      skip_spaces();
      bottom.negative = accept("-");
      if (read_plain(bottom) && divide(number, bottom)) return true;
    }
    at_ = start;
    return false;
  }

  // \times 10^{4}, \cdot 10^4, x 10^4
  void read_power_of_ten(Number& number) {
    const size_t start = at_;
    skip_spaces();
    if (accept("\\times") || accept("\\cdot") || accept("\u00d7") || accept("x ") || accept("*")) {
      skip_spaces();
      if (accept("10^")) {
        const bool braced = accept("{");
        const auto exponent = read_integer();
        if (exponent && (!braced || accept("}"))) {
          scale(number, *exponent);
          return;
        }
      }
    }
    at_ = start;
  }

  static void scale(Number& number, int exponent) {
    auto& target = exponent > 0 ? number.numerator : number.denominator;
    target = without_leading_zeros(target.append(static_cast<size_t>(std::abs(exponent)), '0'));
  }

  static bool divide(Number& a, const Number& b) {
    if (b.numerator == "0") return false;
    a.numerator = multiply(a.numerator, b.denominator);
    a.denominator = multiply(a.denominator, b.numerator);
    a.negative = a.negative != b.negative;
    return true;
  }

 private:
  bool group_follows() const {
    if (at_ + 4 > text_.size()) return false;
    for (size_t i = 1; i <= 3; ++i) {
      if (!is_digit(text_[at_ + i])) return false;
    }
    return at_ + 4 == text_.size() || !is_digit(text_[at_ + 4]);
  }

  bool read_argument(Number& number) {
    skip_spaces();
    if (accept("{")) {
      skip_spaces();
      number.negative = accept("-");
      if (!read_plain(number)) return false;
      skip_spaces();
      return accept("}");
    }
    if (!is_digit(peek())) return false;
    number.numerator = std::string(1, text_[at_++]);
    number.denominator = "1";
    return true;
  }

  std::string_view text_;
  size_t at_ = 0;
};

// Units as plain words: "km", "dollars per day", "km/h", "cm^2". Nothing with digits (but an exponent) or operators.
std::optional<std::string> read_unit(std::string_view text, bool touches_number) {
  std::string unit;
  size_t letters = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool exponent = c == '^' && i + 1 < text.size() && (text[i + 1] == '2' || text[i + 1] == '3');
    if (exponent) {
      unit += text.substr(i, 2);
      ++i;
      continue;
    }
    const bool plain = is_letter(c) || is_space(c) || c == '/' || c == '.' || c == '-' || c == '\'' ||
                       static_cast<unsigned char>(c) >= 0x80;
    if (!plain) return std::nullopt;
    letters += is_letter(c) || static_cast<unsigned char>(c) >= 0x80 ? 1 : 0;
    unit += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  unit = std::string(trim(unit));
  if (unit.empty()) return unit;
  // "5x", "2 i" and "3 pi" are expressions, "5 m" and "5cm" are not.
  constexpr std::string_view kSingleUnits = "mglshckft";
  if (letters == 0 || unit == "pi") return std::nullopt;
  if (letters == 1 && (touches_number || kSingleUnits.find(unit[0]) == std::string_view::npos)) return std::nullopt;
  if (unit.size() > 3 && unit.back() == 's') unit.pop_back();
  return unit;
}

struct Currency {
  std::string_view sign, unit;
};
constexpr std::array<Currency, 7> kCurrencies = {{{"US$", "dollar"},
                                                  {"USD", "dollar"},
                                                  {"$", "dollar"},
                                                  {"\u20ac", "euro"},
                                                  {"\u00a3", "pound"},
                                                  {"\u00a5", "yen"},
                                                  {"\u20b9", "rupee"}}};

std::string clean(std::string_view text) {
  std::string bare = strip_latex(text);
  const auto strip_end = [&bare] {
    while (!bare.empty() &&
           (is_space(bare.back()) || std::string_view(".,;:!?").find(bare.back()) != std::string_view::npos))
      bare.pop_back();
  };
  strip_end();
  // $...$ around the whole answer are delimiters; one leading dollar sign is a currency.
  while (bare.size() >= 2 && bare.back() == '$') {
    bare.pop_back();
    const size_t open = bare.find('$');
    if (open != std::string::npos) bare.erase(open, 1);
    strip_end();
  }
  return std::string(trim(bare));
}

void accept_currency(Reader& reader, Number& number) {
  for (const auto& currency : kCurrencies) {
    if (!reader.accept(currency.sign)) continue;
    number.unit = currency.unit;
    reader.skip_spaces();
    return;
  }
}

bool read_core(Reader& reader, Number& number) {
  const bool negative = number.negative;
  number.negative = false;
  if (reader.read_fraction(number)) {
    number.negative = number.negative != negative;
    return true;
  }
  if (!reader.read_plain(number)) return false;
  if (!reader.read_over(number) && number.denominator == "1") {
    // A mixed number: 2\frac{1}{2} or 2 1/2.
    Reader ahead = reader;
    Number part;
    ahead.skip_spaces();
    const bool mixed =
        ahead.read_fraction(part) || (ahead.rest().size() < reader.rest().size() && ahead.read_plain(part) &&
                                      part.denominator == "1" && ahead.read_over(part));
    if (mixed && !part.negative) {
      number.numerator = add(multiply(number.numerator, part.denominator), part.numerator);
      number.denominator = part.denominator;
      reader = ahead;
    }
  }
  reader.read_power_of_ten(number);
  number.negative = number.negative != negative;
  return true;
}

}  // namespace

std::optional<Number> parse_number(std::string_view text) {
  text = trim(text);
  if (text.empty() || text.size() > kMaxBytes) return std::nullopt;
  const std::string bare = clean(text);
  Reader reader(bare);
  Number number;
  const auto read_sign = [&] {
    if (reader.accept("-")) {
      number.negative = !number.negative;
    } else {
      reader.accept("+");
    }
    reader.skip_spaces();
  };
  accept_currency(reader, number);
  read_sign();
  if (number.unit.empty()) accept_currency(reader, number);
  if (!read_core(reader, number)) return std::nullopt;
  if (number.numerator == "0") number.negative = false;
  const bool touches = !is_space(reader.peek());
  reader.skip_spaces();
  if (reader.accept("%")) number.percent = true;
  const auto unit = read_unit(reader.rest(), touches);
  if (!unit) return std::nullopt;
  if (!unit->empty()) number.unit = *unit;
  if (number.unit == "percent") {
    number.percent = true;
    number.unit.clear();
  }
  return number;
}

bool same_value(const Number& a, const Number& b) {
  if (a.negative != b.negative) return false;
  return multiply(a.numerator, b.denominator) == multiply(b.numerator, a.denominator);
}

double to_double(const Number& number) {
  const double value =
      std::strtod(number.numerator.c_str(), nullptr) / std::strtod(number.denominator.c_str(), nullptr);
  return number.negative ? -value : value;
}

Number hundredth(Number number) {
  number.denominator += "00";
  return number;
}

}  // namespace laconic::rewards
