// Units of measurement as they follow a number: "km", "square inches", "cm^2", "dollars per day".
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "laconic/rewards/rational.h"

namespace laconic::rewards {

// A unit as a multiple of the base unit of its dimension: km is 1000 of "length"; cm^2 is 1/10000 of "length^2".
struct Measure {
  std::string dimension;
  Rational factor;
};

// Nothing for what is no unit of measurement (apples, units, right triangles).
std::optional<Measure> measure_of(std::string_view unit);

// True for one word that is a unit of measurement ("cm", "hours").
bool is_measure_word(std::string_view word);

// Words that multiply the number in front of them: million. Nothing for others.
std::optional<Rational> scale_word(std::string_view word);

}  // namespace laconic::rewards
