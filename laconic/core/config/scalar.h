// The text of a scalar as a boolean or number, by one strict grammar for YAML, JSON and overrides: that of the YAML 1.2
// core schema without its octal and hexadecimal integers.
//
//   boolean   true | True | TRUE | false | False | FALSE           (yes, no, on, off are errors)
//   integer   [-+]? (0 | [1-9][0-9]*), or a number that is whole and at most 2^53 in size: 1e3 and 10.0 are integers,
//             1.5 is none
//   number    an integer, or with a fraction and exponent: 0.5  .5  5.  1e-6
//
// A leading zero is an error: 010 is ten to one reader of YAML and eight to another.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace laconic::config {

enum class ScalarStatus {
  ok,
  not_a_number,
  not_whole,
  not_finite,
  leading_zero,
  other_notation,  // 0x10, 0o17, 1_000, 4k
  too_large,       // for the type
  inexact,         // an integer above 2^53 with a point or an exponent
};

std::optional<bool> parse_boolean(std::string_view text);
ScalarStatus parse_integer(std::string_view text, int64_t& value);
ScalarStatus parse_integer(std::string_view text, uint64_t& value);
ScalarStatus parse_integer(std::string_view text, int& value);
// ok is always a finite value, the double nearest to the text.
ScalarStatus parse_number(std::string_view text, double& value);

}  // namespace laconic::config
