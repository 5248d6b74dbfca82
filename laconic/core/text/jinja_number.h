// Numbers out of texts, as Python's int() and float() read them.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace laconic::text::jinja {

// int(text, base): white space around it, a sign, 0x-like prefixes, single underscores between digits. Nothing where
// Python raises ValueError; beyond 64 bits an Error of kind unsupported.
std::optional<int64_t> parse_integer(std::string_view text, int64_t base = 10);
std::optional<double> parse_float(std::string_view text);

// int(value): cut towards zero. Nothing for NaN and infinities.
std::optional<int64_t> truncated(double value);

// round(value, digits), exact ties to even.
double rounded(double value, int64_t digits);

}  // namespace laconic::text::jinja
