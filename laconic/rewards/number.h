// Numbers as people and models write them, read exactly: 1,234.5  -3/4  \frac{3}{4}  2\frac{1}{2}  $18  45%  5
// km  1.2e3  3 \times 10^4.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace laconic::rewards {

// A rational number in decimal digits (no leading zeros, not reduced) and what stood around it.
struct Number {
  bool negative = false;
  std::string numerator;    // "0" for zero
  std::string denominator;  // never "0"
  bool percent = false;
  std::string unit;  // lower case, singular where that is a plain s; "" when none was written
};

// Reads `text` as one number with its decoration; nothing when anything else remains, or when it is longer than 512
// bytes. A percent sign and units are reported, not applied. "5x" is not a number: one letter that touches a number is
// a variable.
std::optional<Number> parse_number(std::string_view text);

// Exact: 2/4 equals 1/2 equals 0.5. Looks at the values alone.
bool same_value(const Number& a, const Number& b);

double to_double(const Number& number);

// The value divided by 100.
Number hundredth(Number number);

}  // namespace laconic::rewards
