#include "laconic/rewards/exact.h"

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <tuple>

namespace laconic::rewards {
namespace {

constexpr size_t kMaxTerms = 256;
// Steps of one comparison.
constexpr int64_t kBudget = 1000;
constexpr int64_t kMaxPower = 64;
constexpr int kMaxRootExponent = 1000000;

// atom^(top/bottom), in lowest terms with bottom > 0.
struct Power {
  std::string atom;
  int64_t top = 1, bottom = 1;
  bool operator==(const Power& o) const { return atom == o.atom && top == o.top && bottom == o.bottom; }
  bool operator<(const Power& o) const { return std::tie(atom, top, bottom) < std::tie(o.atom, o.top, o.bottom); }
};
using Monomial = std::vector<Power>;              // sorted by atom, each once
using Polynomial = std::map<Monomial, Rational>;  // without zero coefficients
struct Fraction {
  Polynomial top, bottom;
};

bool is_prime_atom(const std::string& atom) {
  return atom[0] >= '0' && atom[0] <= '9';
}
// The atom of the imaginary unit and those of the transcendental constants; no variable has such a name.
constexpr const char* kI = "!i";
constexpr const char* kPi = "!pi";
constexpr const char* kE = "!e";

class Algebra {
 public:
  explicit Algebra(int64_t budget) : budget_(budget) {}
  int64_t budget() const { return budget_; }
  // Nothing: not expressible, or over the budget.
  std::optional<Fraction> convert(const Expression& e);
  std::optional<Polynomial> multiply(const Polynomial& a, const Polynomial& b);
  // False when the normal form of what was converted is no proof of a difference.
  bool decisive() const { return decisive_ && !(has_pi_ && has_e_); }

 private:
  bool spend(const Rational& value) {
    const auto words = static_cast<int64_t>(bits_of(value) / 256);
    budget_ -= 1 + words * words;
    return budget_ > 0;
  }
  bool add_term(Polynomial& to, Monomial monomial, Rational coefficient);
  static std::optional<Polynomial> constant(Rational value) {
    Polynomial p;
    if (value != 0) p[{}] = std::move(value);
    return p;
  }
  std::optional<Fraction> whole(std::optional<Polynomial> p) {
    if (!p) return std::nullopt;
    return Fraction{std::move(*p), *constant(1)};
  }
  std::optional<Fraction> atom(const std::string& name, int64_t top = 1, int64_t bottom = 1);
  std::optional<Fraction> add(const Fraction& a, const Fraction& b);
  std::optional<Fraction> times(const Fraction& a, const Fraction& b);
  std::optional<Fraction> inverse(const Fraction& a);
  std::optional<Fraction> fold(const Expression& e, bool product);
  std::optional<Fraction> integer_power(const Fraction& base, int64_t n);
  std::optional<Fraction> rational_power(const Fraction& base, const Rational& exponent);
  std::optional<Fraction> integer_root(const Integer& value, int64_t top, int64_t bottom);
  std::optional<Fraction> power_of(const Expression& base, const Expression& exponent);

  int64_t budget_;
  bool decisive_ = true;
  bool has_pi_ = false, has_e_ = false;
};

// Product of monomials; whole powers of primes and of i go into the coefficient. False on overflow.
bool merge(Monomial& to, const Monomial& from, Rational& coefficient) {
  Monomial merged;
  merged.reserve(to.size() + from.size());
  size_t i = 0, j = 0;
  while (i < to.size() || j < from.size()) {
    Power power;
    if (j == from.size() || (i < to.size() && to[i].atom < from[j].atom)) {
      power = to[i++];
    } else if (i == to.size() || from[j].atom < to[i].atom) {
      power = from[j++];
    } else {
      power = to[i++];
      const Power& other = from[j++];
      const Rational exponent = Rational(power.top, power.bottom) + Rational(other.top, other.bottom);
      const auto top = small_integer(Rational(numerator(exponent)), kMaxRootExponent);
      const auto bottom = small_integer(Rational(denominator(exponent)), kMaxRootExponent);
      if (!top || !bottom) return false;
      power.top = *top;
      power.bottom = *bottom;
    }
    if (power.atom == kI) {
      const int64_t rest = ((power.top % 4) + 4) % 4;
      if (rest >= 2) coefficient = -coefficient;
      if (rest % 2 == 1) merged.push_back({kI, 1, 1});
      continue;
    }
    if (is_prime_atom(power.atom)) {
      int64_t whole = power.top / power.bottom;
      if (power.top % power.bottom < 0) --whole;
      const auto factor = rewards::power(Rational(Integer(power.atom)), whole);
      if (!factor) return false;
      coefficient *= *factor;
      power.top -= whole * power.bottom;
    }
    if (power.top != 0) merged.push_back(std::move(power));
  }
  to = std::move(merged);
  return true;
}

bool Algebra::add_term(Polynomial& to, Monomial monomial, Rational coefficient) {
  if (!spend(coefficient)) return false;
  const auto [place, inserted] = to.try_emplace(std::move(monomial), coefficient);
  if (!inserted) {
    place->second += coefficient;
    if (place->second == 0) to.erase(place);
  }
  return to.size() <= kMaxTerms;
}

std::optional<Polynomial> Algebra::multiply(const Polynomial& a, const Polynomial& b) {
  Polynomial result;
  for (const auto& [left, x] : a) {
    for (const auto& [right, y] : b) {
      if (!spend(x)) return std::nullopt;
      Monomial monomial = left;
      Rational coefficient = x * y;
      if (bits_of(coefficient) > kMaxBits || !merge(monomial, right, coefficient)) return std::nullopt;
      if (!add_term(result, std::move(monomial), std::move(coefficient))) return std::nullopt;
    }
  }
  return result;
}

std::optional<Fraction> Algebra::atom(const std::string& name, int64_t top, int64_t bottom) {
  has_pi_ = has_pi_ || name == kPi;
  has_e_ = has_e_ || name == kE;
  return whole(Polynomial{{Monomial{{name, top, bottom}}, Rational(1)}});
}

std::optional<Fraction> Algebra::add(const Fraction& a, const Fraction& b) {
  Polynomial top;
  if (a.bottom == b.bottom) {
    top = a.top;
    for (const auto& [monomial, coefficient] : b.top) {
      if (!add_term(top, monomial, coefficient)) return std::nullopt;
    }
    return Fraction{std::move(top), a.bottom};
  }
  auto left = multiply(a.top, b.bottom), right = multiply(b.top, a.bottom), bottom = multiply(a.bottom, b.bottom);
  if (!left || !right || !bottom) return std::nullopt;
  for (const auto& [monomial, coefficient] : *right) {
    if (!add_term(*left, monomial, coefficient)) return std::nullopt;
  }
  return Fraction{std::move(*left), std::move(*bottom)};
}

std::optional<Fraction> Algebra::times(const Fraction& a, const Fraction& b) {
  auto top = multiply(a.top, b.top), bottom = multiply(a.bottom, b.bottom);
  if (!top || !bottom || bottom->empty()) return std::nullopt;
  return Fraction{std::move(*top), std::move(*bottom)};
}

std::optional<Fraction> Algebra::inverse(const Fraction& a) {
  if (a.top.empty()) return std::nullopt;
  if (a.top.size() > 1) return Fraction{a.bottom, a.top};
  // One term: its inverse is a term as well.
  const auto& [monomial, coefficient] = *a.top.begin();
  Monomial inverted;
  Rational factor = 1 / coefficient;
  for (Power power : monomial) {
    power.top = -power.top;
    Monomial single = {power};
    if (!merge(inverted, single, factor)) return std::nullopt;
  }
  auto top = multiply(a.bottom, Polynomial{{inverted, factor}});
  return whole(std::move(top));
}

std::optional<Fraction> Algebra::fold(const Expression& e, bool product) {
  std::optional<Fraction> total = convert(e.args[0]);
  for (size_t i = 1; total && i < e.args.size(); ++i) {
    const auto next = convert(e.args[i]);
    if (!next) return std::nullopt;
    total = product ? times(*total, *next) : add(*total, *next);
  }
  return total;
}

std::optional<Fraction> Algebra::integer_power(const Fraction& base, int64_t n) {
  const bool single = base.top.size() <= 1 && base.bottom.size() == 1;
  if (!single && std::abs(n) > kMaxPower) return std::nullopt;
  if (single) {
    // Of one term: factor by factor.
    if (base.top.empty()) return n > 0 ? std::optional<Fraction>(base) : std::nullopt;
    if (base.bottom.begin()->first.empty() && base.top.begin()->first.empty()) {
      const auto value = power(base.top.begin()->second / base.bottom.begin()->second, n);
      if (!value || !spend(*value)) return std::nullopt;
      return whole(constant(*value));
    }
    if (std::abs(n) > kMaxPower * 64) return std::nullopt;
  }
  std::optional<Fraction> result = whole(constant(1));
  std::optional<Fraction> square = n < 0 ? inverse(base) : std::optional<Fraction>(base);
  for (auto steps = static_cast<uint64_t>(std::abs(n)); steps > 0 && result && square; steps >>= 1) {
    if ((steps & 1) != 0) result = times(*result, *square);
    if (steps > 1) square = times(*square, *square);
  }
  if (!square) return std::nullopt;
  return result;
}

// value^(top/bottom) for a positive integer, as a product of prime roots.
std::optional<Fraction> Algebra::integer_root(const Integer& value, int64_t top, int64_t bottom) {
  if (value == 1) return whole(constant(1));
  budget_ -= 20;
  if (msb(value) > 512 || budget_ <= 0) return std::nullopt;
  std::optional<Fraction> result = whole(constant(1));
  Integer rest = value;
  const auto take = [&](const Integer& prime, int64_t count) {
    const auto exponent = Rational(count * top, bottom);
    const auto up = small_integer(Rational(numerator(exponent)), kMaxRootExponent);
    const auto down = small_integer(Rational(denominator(exponent)), kMaxRootExponent);
    if (!result || !up || !down) return false;
    Monomial monomial;
    Rational coefficient = 1;
    if (!merge(monomial, {{prime.str(), *up, *down}}, coefficient)) return false;
    result = times(*result, {Polynomial{{monomial, coefficient}}, *constant(1)});
    return result.has_value();
  };
  for (unsigned prime = 2; prime < 1000 && rest > 1; prime += prime == 2 ? 1 : 2) {
    int64_t count = 0;
    while (rest % prime == 0) {
      rest /= prime;
      ++count;
    }
    if (count > 0 && !take(Integer(prime), count)) return std::nullopt;
  }
  if (rest == 1) return result;
  if (rest > 1000000) {  // perhaps composite: fine for equality, no proof of a difference
    for (int64_t degree = 7; degree >= 2 && msb(rest) <= 128; --degree) {
      budget_ -= 50;
      if (const auto exact = exact_root(rest, degree)) {
        decisive_ = decisive_ && *exact < 1000000;
        return take(*exact, degree) ? result : std::nullopt;
      }
    }
    decisive_ = false;
  }
  return take(rest, 1) ? result : std::nullopt;
}

std::optional<Fraction> Algebra::rational_power(const Fraction& base, const Rational& exponent) {
  if (base.top.empty()) return exponent > 0 ? std::optional<Fraction>(base) : std::nullopt;
  if (base.top.size() > 1 || base.bottom.size() > 1) return std::nullopt;
  const auto top = small_integer(Rational(numerator(exponent)), kMaxPower * 4);
  const auto bottom = small_integer(Rational(denominator(exponent)), kMaxPower);
  if (!top || !bottom) return std::nullopt;
  const auto quotient = times(base, *inverse({base.bottom, *constant(1)}));
  if (!quotient || quotient->top.size() != 1) return std::nullopt;
  const auto& [monomial, coefficient] = *quotient->top.begin();
  std::optional<Fraction> result = whole(constant(1));
  int variables = 0;
  for (const auto& power : monomial) {
    const bool positive = is_prime_atom(power.atom) || power.atom == kPi || power.atom == kE;
    if (power.atom == kI) return std::nullopt;
    // sqrt(x^2) is not x, and sqrt(x y) not sqrt(x) sqrt(y), for negative x.
    if (!positive && (power.top != 1 || power.bottom != 1 || ++variables > 1)) return std::nullopt;
    const Rational raised = Rational(power.top, power.bottom) * exponent;
    const auto up = small_integer(Rational(numerator(raised)), kMaxRootExponent);
    const auto down = small_integer(Rational(denominator(raised)), kMaxRootExponent);
    if (!up || !down) return std::nullopt;
    Monomial single;
    Rational factor = 1;
    if (!merge(single, {{power.atom, *up, *down}}, factor)) return std::nullopt;
    result = times(*result, {Polynomial{{single, factor}}, *constant(1)});
    if (!result) return std::nullopt;
  }
  if (coefficient < 0) {
    if (variables > 0) return std::nullopt;
    if (*bottom == 2) {
      result = times(*result, *integer_power(*atom(kI), *top));
    } else if (*bottom % 2 == 1) {  // the real root
      if (*top % 2 != 0) result = times(*result, *whole(constant(-1)));
    } else {
      return std::nullopt;
    }
    if (!result) return std::nullopt;
  }
  const Rational size = abs(coefficient);
  const auto up = integer_root(Integer(numerator(size)), *top, *bottom);
  const auto down = integer_root(Integer(denominator(size)), -*top, *bottom);
  if (!up || !down) return std::nullopt;
  result = times(*result, *up);
  if (!result) return std::nullopt;
  return times(*result, *down);
}

std::optional<Fraction> Algebra::power_of(const Expression& base, const Expression& exponent) {
  const auto n = rational_value(exponent);
  if (!n) return std::nullopt;
  const auto converted = convert(base);
  if (!converted) return std::nullopt;
  if (!is_integer(*n)) return rational_power(*converted, *n);
  const auto whole_power = small_integer(*n, static_cast<int64_t>(kMaxBits));
  if (!whole_power) return std::nullopt;
  return integer_power(*converted, *whole_power);
}

std::optional<Fraction> Algebra::convert(const Expression& e) {
  if (--budget_ <= 0) return std::nullopt;
  switch (e.kind) {
    case Kind::number:
      if (bits_of(e.value) > kMaxBits) return std::nullopt;
      return whole(constant(e.value));
    case Kind::symbol:
      return atom(e.name);
    case Kind::constant:
      if (e.name == "infinity") return std::nullopt;
      return atom("!" + e.name);
    case Kind::sum:
      return fold(e, false);
    case Kind::product:
      return fold(e, true);
    case Kind::negate: {
      const auto inside = convert(e.args[0]);
      if (!inside) return std::nullopt;
      return times(*inside, *whole(constant(-1)));
    }
    case Kind::quotient: {
      const auto top = convert(e.args[0]), bottom = convert(e.args[1]);
      if (!top || !bottom) return std::nullopt;
      const auto inverted = inverse(*bottom);
      if (!inverted) return std::nullopt;
      return times(*top, *inverted);
    }
    case Kind::percent: {
      const auto inside = convert(e.args[0]);
      if (!inside) return std::nullopt;
      return times(*inside, *whole(constant(Rational(1, 100))));
    }
    case Kind::power:
      return power_of(e.args[0], e.args[1]);
    case Kind::root: {
      const auto degree = rational_value(e.args[1]);
      if (!degree || *degree == 0) return std::nullopt;
      const Rational exponent = 1 / *degree;
      return power_of(e.args[0], make_number(exponent));
    }
    case Kind::function: {
      const auto value = rational_value(e);
      if (!value) return std::nullopt;
      return whole(constant(*value));
    }
    default:
      return std::nullopt;
  }
}

Certainty compare_with(Algebra& algebra, const Expression& a, const Expression& b) {
  const auto left = algebra.convert(a);
  const auto right = left ? algebra.convert(b) : std::nullopt;
  if (!left || !right) return Certainty::unknown;
  const auto x = algebra.multiply(left->top, right->bottom), y = algebra.multiply(right->top, left->bottom);
  if (!x || !y) return Certainty::unknown;
  if (*x == *y) return Certainty::equal;
  return algebra.decisive() ? Certainty::different : Certainty::unknown;
}

Certainty compare_multiples(Algebra& algebra, const Expression& a, const Expression& b, bool positive) {
  const auto left = algebra.convert(a);
  const auto right = left ? algebra.convert(b) : std::nullopt;
  if (!left || !right) return Certainty::unknown;
  // A side that is 0 makes an equation that says nothing.
  if (left->top.empty() || right->top.empty()) return Certainty::different;
  const auto x = algebra.multiply(left->top, right->bottom), y = algebra.multiply(right->top, left->bottom);
  if (!x || !y) return Certainty::unknown;
  if (x->size() != y->size()) return algebra.decisive() ? Certainty::different : Certainty::unknown;
  const Rational factor = x->begin()->second / y->begin()->second;
  if (positive && factor < 0) return Certainty::different;
  for (auto i = x->begin(), j = y->begin(); i != x->end(); ++i, ++j) {
    if (i->first != j->first || i->second != factor * j->second)
      return algebra.decisive() ? Certainty::different : Certainty::unknown;
  }
  return Certainty::equal;
}

}  // namespace

Certainty compare_exactly(const Expression& a, const Expression& b, int64_t& work) {
  if (const auto left = rational_value(a)) {
    if (const auto right = rational_value(b)) return *left == *right ? Certainty::equal : Certainty::different;
  }
  if (work <= 0) return Certainty::unknown;
  const int64_t given = std::min(work, kBudget);
  Algebra algebra(given);
  const auto certainty = compare_with(algebra, a, b);
  work -= given - algebra.budget();
  return certainty;
}

Certainty compare_up_to_factor(const Expression& a, const Expression& b, bool positive, int64_t& work) {
  if (work <= 0) return Certainty::unknown;
  const int64_t given = std::min(work, kBudget);
  Algebra algebra(given);
  const auto certainty = compare_multiples(algebra, a, b, positive);
  work -= given - algebra.budget();
  return certainty;
}

}  // namespace laconic::rewards
