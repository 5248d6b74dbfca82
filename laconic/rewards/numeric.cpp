#include "laconic/rewards/numeric.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <initializer_list>
#include <string>
#include <type_traits>
#include <vector>

#include "laconic/rewards/evaluate.h"
#include "laconic/rewards/precision.h"

namespace laconic::rewards {
namespace {

using Point = std::map<std::string, Rational>;

constexpr uint64_t kSeed = 0x6c61636f6e6963ULL;
constexpr int kPositivePoints = 4;  // where all variables are positive
constexpr int kMixedPoints = 2;     // where their signs differ
constexpr int kMorePoints = 8;      // positive ones, where one alone of the first has real values
constexpr int kWholePoints = 12;    // for functions of whole numbers
// How far points lie apart for floor(x), and up to which whole number for n! and n mod k.
constexpr std::array<int, 6> kStretches = {1, 30, 1000, 1000000, 6, 30};
constexpr std::array<uint64_t, 6> kLargestWhole = {24, 120, 24, 24, 1000000000, 24};
// Multi-precision arithmetic is slow: expressions with more functions are compared in double precision alone.
constexpr int64_t kMaxPreciseWork = 64;

uint64_t mix(uint64_t x) {
  x += 0x9e3779b97f4a7c15ULL;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

bool is_mixed(int index) {
  return index >= kPositivePoints && index < kPositivePoints + kMixedPoints;
}

// Variables between 1/4 and 9/4, exact in binary; with `stretch` so many times as large.
Point point_for(const std::set<std::string>& names, int index, int stretch = 1) {
  Point point;
  uint64_t state = mix(kSeed + static_cast<uint64_t>(index));
  for (const auto& name : names) {
    state = mix(state);
    Rational value(static_cast<int64_t>((1U << 18) + state % (1U << 21)) * stretch, 1 << 20);
    const bool negative = is_mixed(index) && ((state >> 40) & 1) == static_cast<uint64_t>(index % 2);
    point[name] = negative ? Rational(-value) : value;
  }
  return point;
}

Point whole_point_for(const std::set<std::string>& names, int index) {
  Point point;
  uint64_t state = mix(kSeed + 1000 + static_cast<uint64_t>(index));
  const uint64_t largest = kLargestWhole[static_cast<size_t>(index) % kLargestWhole.size()];
  for (const auto& name : names) {
    state = mix(state);
    point[name] = Rational(static_cast<int64_t>(1 + state % largest));
  }
  return point;
}

// A function of these names whose argument has variables.
bool calls_with_variables(const Expression& expression, std::initializer_list<std::string_view> names) {
  return any_node(expression, [&](const Expression& e) {
    return e.is(Kind::function) && std::find(names.begin(), names.end(), e.name) != names.end() &&
           !symbols_of(e).empty();
  });
}

// n!: known at whole numbers alone.
bool is_discrete(const Expression& e) {
  return calls_with_variables(e, {"factorial", "double_factorial", "binom", "mod", "gcd", "lcm"});
}

// floor(x): the same on long stretches.
bool has_steps(const Expression& e) {
  return calls_with_variables(e, {"floor", "ceil"});
}

Expression with_values(const Expression& e, const Point& point) {
  if (e.is(Kind::symbol)) {
    const auto found = point.find(e.name);
    return found == point.end() ? e : make_number(found->second);
  }
  Expression copy = e;
  for (auto& arg : copy.args) arg = with_values(arg, point);
  return copy;
}

int64_t slow_work(const Expression& e) {
  const bool slow = e.is(Kind::function) || e.is(Kind::power) || e.is(Kind::root);
  int64_t work = slow ? 4 : 0;
  for (const auto& arg : e.args) work += slow_work(arg);
  return work;
}

template <typename T>
double distance(const Approximate<T>& a, const Approximate<T>& b) {
  return std::abs(static_cast<double>(T(a.re - b.re))) + std::abs(static_cast<double>(T(a.im - b.im)));
}
template <typename T>
double size_of(const Approximate<T>& a) {
  return std::abs(static_cast<double>(a.re)) + std::abs(static_cast<double>(a.im));
}

template <typename T>
Certainty same(const Approximate<T>& a, const Approximate<T>& b, double tolerance, double digits) {
  if (!a.ok || !b.ok) return Certainty::unknown;
  const double error = 2 * (a.error + b.error), gap = distance(a, b), size = std::max(size_of(a), size_of(b));
  if (tolerance > 0 && gap <= tolerance * (1 + 1e-9) * std::min(1.0, size) && error <= tolerance)
    return Certainty::equal;
  if (gap > error) return Certainty::different;
  return error <= digits * std::max(1.0, size) ? Certainty::equal : Certainty::unknown;
}

// Both are 0, as binom(n, 30) and floor(n/1000) are for most n.
template <typename T>
bool says_nothing(const Approximate<T>& a, const Approximate<T>& b) {
  return a.re == 0 && a.im == 0 && b.re == 0 && b.im == 0;
}

class Comparison {
 public:
  Comparison(const Expression& a, const Expression& b, double tolerance) : a_(a), b_(b), tolerance_(tolerance) {
    names_ = symbols_of(a);
    names_.merge(symbols_of(b));
    const auto imaginary = [](const Expression& e) { return e.is_constant("i"); };
    real_ = !any_node(a, imaginary) && !any_node(b, imaginary);
    steps_ = has_steps(a) || has_steps(b);
    whole_ = is_discrete(a) || is_discrete(b);
  }

  bool differs() const { return !whole_ && anywhere<double>(1e-10) == Certainty::different; }

  Certainty run(int64_t& precise_work) const {
    if (whole_ && (precise_work -= kWholePoints) <= 0) return Certainty::unknown;
    const Certainty quick = anywhere<double>(1e-10);
    // What is written alike has a value that double precision can tell: more digits say nothing new.
    if (quick == Certainty::equal && same_form(a_, b_)) return quick;
    const int64_t work = slow_work(a_) + slow_work(b_);
    if (quick == Certainty::different || tolerance_ > 0 || work > kMaxPreciseWork) return quick;
    precise_work -= work;
    return precise_work > 0 ? anywhere<Precise>(1e-20) : Certainty::unknown;
  }

 private:
  template <typename T>
  Certainty anywhere(double digits) const {
    return whole_ ? at_whole_points<T>(digits) : at_points<T>(digits);
  }

  template <typename T>
  Certainty at_whole_points(double digits) const {
    const Point none;
    const Evaluator<T> evaluator(none);
    int equal = 0;
    for (int i = 0; i < kWholePoints; ++i) {
      const Point point = whole_point_for(names_, i);
      const auto a = evaluator.evaluate(with_values(a_, point)), b = evaluator.evaluate(with_values(b_, point));
      const Certainty certainty = same(a, b, tolerance_, digits);
      if (certainty == Certainty::different) return certainty;
      equal += certainty == Certainty::equal && !says_nothing(a, b) ? 1 : 0;
    }
    return equal >= 3 ? Certainty::equal : Certainty::unknown;
  }

  template <typename T>
  Certainty at_points(double digits) const {
    if (names_.empty()) {
      const Point none;
      const Evaluator<T> evaluator(none);
      return same(evaluator.evaluate(a_), evaluator.evaluate(b_), tolerance_, digits);
    }
    int equal = 0, complex = 0, complex_equal = 0, complex_different = 0;
    const int first = kPositivePoints + kMixedPoints;
    for (int i = 0; i < first + kMorePoints && (i < first || (complex > 0 && equal == 1)); ++i) {
      const Point point = point_for(names_, i, steps_ ? kStretches[static_cast<size_t>(i) % kStretches.size()] : 1);
      const Evaluator<T> evaluator(point);
      const auto a = evaluator.evaluate(a_), b = evaluator.evaluate(b_);
      const Certainty certainty = same(a, b, tolerance_, digits);
      // Of functions of real numbers only real values count: ln(x^2) is 2 ln x, and sqrt(x^2) is not x.
      const bool is_real = a.im == 0 && b.im == 0;
      if (!is_real && is_mixed(i)) continue;
      if (!is_real && real_) {
        ++complex;
        complex_equal += certainty == Certainty::equal ? 1 : 0;
        complex_different += certainty == Certainty::different ? 1 : 0;
        continue;
      }
      if (certainty == Certainty::different) return certainty;
      equal += certainty == Certainty::equal && !is_mixed(i) && !(steps_ && says_nothing(a, b)) ? 1 : 0;
    }
    if (equal >= 2) return Certainty::equal;
    if (equal > 0) return Certainty::unknown;
    if (complex_different > 0) return Certainty::different;
    return complex_equal >= 2 ? Certainty::equal : Certainty::unknown;
  }

  const Expression& a_;
  const Expression& b_;
  double tolerance_;
  std::set<std::string> names_;
  bool real_ = true;
  bool steps_ = false;
  bool whole_ = false;
};

// Whether a = c b with one constant c: a(x) b(y) == a(y) b(x) at pairs of points x, y.
template <typename T>
Certainty compare_multiples(const Expression& a, const Expression& b, bool positive, double digits) {
  std::set<std::string> names = symbols_of(a);
  names.merge(symbols_of(b));
  if (names.empty()) return Certainty::unknown;
  std::vector<Approximate<T>> lefts, rights;
  lefts.reserve(kPositivePoints);
  rights.reserve(kPositivePoints);
  for (int i = 0; i < kPositivePoints; ++i) {
    const Point point = point_for(names, i);
    const Evaluator<T> evaluator(point);
    lefts.push_back(evaluator.evaluate(a));
    rights.push_back(evaluator.evaluate(b));
    const auto &left = lefts.back(), &right = rights.back();
    if (!left.ok || !right.ok || left.im != 0 || right.im != 0) return Certainty::unknown;
    const bool blurred = left.error > digits * size_of(left) || right.error > digits * size_of(right);
    if (std::is_same_v<T, double> && blurred) return Certainty::unknown;
    if (size_of(left) <= left.error || size_of(right) <= right.error) return Certainty::different;  // 0 = 0
    if (positive && (left.re > 0) != (right.re > 0)) return Certainty::different;
  }
  using std::abs;
  for (size_t i = 1; i < lefts.size(); ++i) {
    const T x = lefts[0].re * rights[i].re, y = lefts[i].re * rights[0].re;
    if (abs(T(x - y)) > abs(x) * (10 * digits)) return Certainty::different;
  }
  return Certainty::equal;
}

}  // namespace

Certainty compare_numerically(const Expression& a, const Expression& b, double tolerance, int64_t& precise_work) {
  return Comparison(a, b, tolerance).run(precise_work);
}

bool surely_different(const Expression& a, const Expression& b, double tolerance) {
  return Comparison(a, b, tolerance).differs();
}

Certainty compare_numerically_up_to_factor(const Expression& a, const Expression& b, bool positive,
                                           int64_t& precise_work) {
  const int64_t work = slow_work(a) + slow_work(b);
  if (work > kMaxPreciseWork || (precise_work -= work + 1) <= 0) return Certainty::unknown;
  return compare_multiples<Precise>(a, b, positive, 1e-21);
}

bool surely_no_multiple(const Expression& a, const Expression& b, bool positive) {
  return compare_multiples<double>(a, b, positive, 1e-10) == Certainty::different;
}

bool tolerated(const Rational& a, const Rational& b, double tolerance) {
  if (a == b) return true;
  if (tolerance <= 0) return false;
  const Rational size = std::max(Rational(abs(a)), Rational(abs(b)));
  // As the decimal that was meant: 1e-6, not the nearest binary fraction.
  const Rational limit = Rational(static_cast<int64_t>(std::llround(tolerance * 1e12)), 1000000000000LL);
  return abs(Rational(a - b)) <= limit * std::min(Rational(1), size);
}

std::optional<double> real_value(const Expression& expression) {
  const Point empty;
  const auto value = Evaluator<double>(empty).evaluate(expression);
  if (!value.ok || std::abs(value.im) > value.error + 1e-12) return std::nullopt;
  return value.re;
}

}  // namespace laconic::rewards
