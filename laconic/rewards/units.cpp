#include "laconic/rewards/units.h"

#include <array>
#include <unordered_map>
#include <vector>

#include "laconic/core/base/strings.h"

namespace laconic::rewards {
namespace {

struct Base {
  std::string_view dimension;
  int64_t top = 1, bottom = 1;
};

const std::unordered_map<std::string_view, Base>& bases() {
  static const std::unordered_map<std::string_view, Base> table = {{"mm", {"length", 1, 1000}},
                                                                   {"millimeter", {"length", 1, 1000}},
                                                                   {"cm", {"length", 1, 100}},
                                                                   {"centimeter", {"length", 1, 100}},
                                                                   {"dm", {"length", 1, 10}},
                                                                   {"m", {"length"}},
                                                                   {"meter", {"length"}},
                                                                   {"metre", {"length"}},
                                                                   {"km", {"length", 1000}},
                                                                   {"kilometer", {"length", 1000}},
                                                                   {"inch", {"length", 254, 10000}},
                                                                   {"in", {"length", 254, 10000}},
                                                                   {"inche", {"length", 254, 10000}},
                                                                   {"ft", {"length", 3048, 10000}},
                                                                   {"foot", {"length", 3048, 10000}},
                                                                   {"feet", {"length", 3048, 10000}},
                                                                   {"yard", {"length", 9144, 10000}},
                                                                   {"yd", {"length", 9144, 10000}},
                                                                   {"mile", {"length", 1609344, 1000}},
                                                                   {"mi", {"length", 1609344, 1000}},
                                                                   {"mg", {"mass", 1, 1000}},
                                                                   {"g", {"mass"}},
                                                                   {"gram", {"mass"}},
                                                                   {"kg", {"mass", 1000}},
                                                                   {"kilogram", {"mass", 1000}},
                                                                   {"lb", {"mass", 45359237, 100000}},
                                                                   {"pound", {"mass", 45359237, 100000}},
                                                                   {"oz", {"mass", 45359237, 1600000}},
                                                                   {"ounce", {"mass", 45359237, 1600000}},
                                                                   {"ton", {"ton"}},
                                                                   {"ms", {"time", 1, 1000}},
                                                                   {"s", {"time"}},
                                                                   {"sec", {"time"}},
                                                                   {"second", {"time"}},
                                                                   {"min", {"time", 60}},
                                                                   {"minute", {"time", 60}},
                                                                   {"hr", {"time", 3600}},
                                                                   {"h", {"time", 3600}},
                                                                   {"hour", {"time", 3600}},
                                                                   {"day", {"time", 86400}},
                                                                   {"week", {"time", 604800}},
                                                                   {"month", {"month"}},
                                                                   {"year", {"month", 12}},
                                                                   {"yr", {"month", 12}},
                                                                   {"cent", {"money", 1, 100}},
                                                                   {"dollar", {"money"}},
                                                                   {"buck", {"money"}},
                                                                   {"euro", {"euro"}},
                                                                   {"yen", {"yen"}},
                                                                   {"rupee", {"rupee"}},
                                                                   {"liter", {"volume"}},
                                                                   {"litre", {"volume"}},
                                                                   {"l", {"volume"}},
                                                                   {"ml", {"volume", 1, 1000}},
                                                                   {"milliliter", {"volume", 1, 1000}},
                                                                   {"gallon", {"gallon"}},
                                                                   {"quart", {"gallon", 1, 4}},
                                                                   {"pint", {"gallon", 1, 8}},
                                                                   {"radian", {"angle"}},
                                                                   {"rad", {"angle"}},
                                                                   {"acre", {"acre"}},
                                                                   {"mph", {"length/time", 1609344, 3600000}},
                                                                   {"joule", {"joule"}},
                                                                   {"newton", {"newton"}},
                                                                   {"watt", {"watt"}},
                                                                   {"volt", {"volt"}},
                                                                   {"hz", {"1/time"}},
                                                                   {"pa", {"pascal"}},
                                                                   {"bit", {"bit"}},
                                                                   {"byte", {"bit", 8}}};
  return table;
}

std::optional<Base> base_of(std::string_view word) {
  auto found = bases().find(word);
  if (found == bases().end() && word.size() > 2 && word.ends_with("s"))
    found = bases().find(word.substr(0, word.size() - 1));
  if (found == bases().end()) return std::nullopt;
  return found->second;
}

// "km", "cm^2", "square inches".
std::optional<Measure> plain_measure(std::string_view unit) {
  int exponent = 1;
  for (const auto& [prefix, power] : {std::pair<std::string_view, int>{"square ", 2}, {"sq ", 2}, {"cubic ", 3}}) {
    if (!unit.starts_with(prefix)) continue;
    unit.remove_prefix(prefix.size());
    exponent = power;
  }
  const size_t caret = unit.find('^');
  if (caret != std::string_view::npos) {
    if (caret + 2 != unit.size() || (unit[caret + 1] != '2' && unit[caret + 1] != '3')) return std::nullopt;
    exponent = unit[caret + 1] - '0';
    unit = trim(unit.substr(0, caret));
  }
  const auto base = base_of(unit);
  if (!base) return std::nullopt;
  Measure measure{std::string(base->dimension), *power(Rational(base->top, base->bottom), exponent)};
  if (exponent > 1) measure.dimension += exponent == 2 ? "^2" : "^3";
  return measure;
}

}  // namespace

std::optional<Measure> measure_of(std::string_view unit) {
  constexpr std::array<std::string_view, 3> kPer = {" per ", "/", " an "};
  for (const auto per : kPer) {
    const size_t at = unit.find(per);
    if (at == std::string_view::npos) continue;
    const auto top = plain_measure(trim(unit.substr(0, at)));
    const auto bottom = plain_measure(trim(unit.substr(at + per.size())));
    if (!top || !bottom) return std::nullopt;
    return Measure{top->dimension + "/" + bottom->dimension, top->factor / bottom->factor};
  }
  return plain_measure(unit);
}

bool is_measure_word(std::string_view word) {
  return base_of(to_lower(word)).has_value();
}

std::optional<Rational> scale_word(std::string_view word) {
  if (word == "hundred") return Rational(100);
  if (word == "thousand") return Rational(1000);
  if (word == "million") return Rational(1000000);
  if (word == "billion") return Rational(1000000000);
  if (word == "trillion") return Rational(1000000000000LL);
  return std::nullopt;
}

}  // namespace laconic::rewards
