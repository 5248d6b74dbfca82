#include "laconic/rewards/equivalence.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>

#include "laconic/core/base/strings.h"
#include "laconic/rewards/latex.h"
#include "laconic/rewards/number.h"

namespace laconic::rewards {
namespace {

bool is_measure(std::string_view unit) {
  constexpr std::array<std::string_view, 32> kMeasures = {
      "mm",   "cm",    "m",    "km",   "inch",   "inches", "ft",    "foot",   "feet",   "yard",  "mile",
      "mg",   "g",     "kg",   "lb",   "pound",  "oz",     "ounce", "second", "minute", "hour",  "day",
      "week", "month", "year", "cent", "dollar", "euro",   "liter", "litre",  "ml",     "gallon"};
  return std::find(kMeasures.begin(), kMeasures.end(), unit) != kMeasures.end();
}

std::string_view canonical_measure(std::string_view unit) {
  constexpr std::array<std::array<std::string_view, 2>, 6> kNames = {
      {{"inches", "inch"}, {"feet", "ft"}, {"foot", "ft"}, {"litre", "liter"}, {"pound", "lb"}, {"ounce", "oz"}}};
  for (const auto& [name, canonical] : kNames) {
    if (unit == name) return canonical;
  }
  return unit;
}

bool close(const Number& a, const Number& b, double tolerance) {
  if (same_value(a, b)) return true;
  if (tolerance <= 0) return false;
  const double x = to_double(a), y = to_double(b);
  return std::abs(x - y) <= tolerance * std::max(std::abs(x), std::abs(y));
}

bool same_number(const Number& gold, const Number& answer, const EquivalenceOptions& options) {
  const auto& tolerance = options.tolerance;
  const auto exact = [](const Number& n) { return n.percent ? hundredth(n) : n; };
  switch (options.percent) {
    case PercentRule::ignore:
      return close(gold, answer, tolerance);
    case PercentRule::exact:
      return close(exact(gold), exact(answer), tolerance);
    case PercentRule::any:
      return close(gold, answer, tolerance) || close(exact(gold), exact(answer), tolerance);
  }
  return false;
}

// A name or a word, whose case does not matter; one or two letters are variables or choices, whose case may.
bool is_word(std::string_view text) {
  return text.size() > 2 &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isalpha(c) != 0 || c >= 0x80; });
}

}  // namespace

Equivalence compare_answers(std::string_view gold, std::string_view answer, const EquivalenceOptions& options) {
  const auto left = parse_number(gold);
  const auto right = parse_number(answer);
  if (left && right) {
    if (!same_number(*left, *right, options)) return {false, "another value"};
    if (is_measure(left->unit) && is_measure(right->unit) &&
        canonical_measure(left->unit) != canonical_measure(right->unit)) {
      return {false, "another unit"};
    }
    return {true, "same value"};
  }
  const std::string gold_form = normal_form(gold), answer_form = normal_form(answer);
  if (!gold_form.empty() && gold_form == answer_form) return {true, "same expression"};
  if (is_word(gold_form) && to_lower(gold_form) == to_lower(answer_form)) return {true, "same word"};
  if (left || right) return {false, left ? "the answer is not a number" : "the gold answer is not a number"};
  return {false, "another expression"};
}

}  // namespace laconic::rewards
