#include "laconic/rewards/evaluate.h"

#include <boost/math/constants/constants.hpp>
#include <boost/multiprecision/cpp_bin_float.hpp>

#include <algorithm>

#include "laconic/rewards/exact.h"
#include "laconic/rewards/precision.h"

namespace laconic::rewards {
namespace {

// Beyond this an exponential is not computed.
constexpr double kMaxExponent = 600;
constexpr double kSmallest = 1e-290;

template <typename T>
double to_double(const T& value) {
  return static_cast<double>(value);
}

template <typename T>
double epsilon() {
  return to_double(std::numeric_limits<T>::epsilon()) * 4;
}

template <typename T>
T from_rational(const Rational& value) {
  return value.convert_to<T>();
}

}  // namespace

template <typename T>
double Evaluator<T>::magnitude(const Value& v) {
  return std::abs(to_double(v.re)) + std::abs(to_double(v.im));
}

template <typename T>
Approximate<T> Evaluator<T>::checked(Value v, double relative_error) {
  v.error += relative_error * magnitude(v);
  v.ok = v.ok && std::isfinite(magnitude(v)) && std::isfinite(v.error);
  return v;
}

template <typename T>
Approximate<T> Evaluator<T>::real(T value, double error) {
  Value v;
  v.re = std::move(value);
  v.error = error;
  return v;
}

template <typename T>
Approximate<T> Evaluator<T>::add(const Value& a, const Value& b) {
  Value v;
  v.re = a.re + b.re;
  v.im = a.im + b.im;
  v.error = a.error + b.error;
  v.ok = a.ok && b.ok;
  return checked(std::move(v), epsilon<T>());
}

template <typename T>
Approximate<T> Evaluator<T>::multiply(const Value& a, const Value& b) {
  Value v;
  if (a.im == 0 && b.im == 0) {
    v.re = a.re * b.re;
  } else {
    v.re = a.re * b.re - a.im * b.im;
    v.im = a.re * b.im + a.im * b.re;
  }
  // A product too small to be measured is not taken for zero.
  const bool zero = (a.re == 0 && a.im == 0) || (b.re == 0 && b.im == 0);
  if (!zero && magnitude(v) < kSmallest) return failed();
  v.error =
      magnitude(a) * b.error + magnitude(b) * a.error + a.error * b.error + epsilon<T>() * magnitude(a) * magnitude(b);
  v.ok = a.ok && b.ok;
  return checked(std::move(v), epsilon<T>());
}

template <typename T>
Approximate<T> Evaluator<T>::divide(const Value& a, const Value& b) {
  const double size = magnitude(b);
  if (!(size > 2 * b.error) || size == 0) return failed();
  Value inverse;
  if (b.im == 0) {
    inverse.re = 1 / b.re;
  } else {
    const T norm = b.re * b.re + b.im * b.im;
    inverse.re = b.re / norm;
    inverse.im = -b.im / norm;
  }
  inverse.error = 4 * b.error / (size * size);
  inverse.ok = b.ok;
  return multiply(a, checked(std::move(inverse), epsilon<T>()));
}

template <typename T>
Approximate<T> Evaluator<T>::exponential(const Value& a) {
  if (!a.ok || std::abs(to_double(a.re)) > kMaxExponent || std::abs(to_double(a.im)) > 1e6 || a.error > 1)
    return failed();
  using std::cos, std::exp, std::sin;
  Value v;
  const T size = exp(a.re);
  v.re = size;
  if (a.im != 0) {
    v.re = size * cos(a.im);
    v.im = size * sin(a.im);
  }
  v.error = to_double(size) * (2 * a.error + epsilon<T>());
  return checked(std::move(v), epsilon<T>());
}

template <typename T>
Approximate<T> Evaluator<T>::logarithm(const Value& a) {
  const double size = magnitude(a);
  if (!a.ok || !(size > 4 * a.error) || size == 0) return failed();
  using std::atan2, std::log;
  Value v;
  if (a.im == 0 && a.re > 0) {
    v.re = log(a.re);
  } else {
    // On the cut along the negative axis the sign of an error would decide.
    if (a.re < 0 && a.im != 0 && std::abs(to_double(a.im)) <= a.error) return failed();
    v.re = log(a.re * a.re + a.im * a.im) / 2;
    v.im = atan2(a.im, a.re);
  }
  v.error = 4 * a.error / size + epsilon<T>();
  return checked(std::move(v), epsilon<T>());
}

// sin or cos of a complex number: sin(x + iy) = sin x cosh y + i cos x sinh y.
template <typename T>
Approximate<T> Evaluator<T>::sine(const Value& a, bool cosine) {
  if (!a.ok || std::abs(to_double(a.re)) > 1e6 || std::abs(to_double(a.im)) > kMaxExponent) return failed();
  using std::cos, std::exp, std::sin;
  Value v;
  if (a.im == 0) {
    v.re = cosine ? cos(a.re) : sin(a.re);
    v.error = a.error + epsilon<T>() * (1 + std::abs(to_double(a.re)));
    return checked(std::move(v), epsilon<T>());
  }
  const T up = exp(a.im), down = 1 / up;
  const T hyperbolic_cosine = (up + down) / 2, hyperbolic_sine = (up - down) / 2;
  if (cosine) {
    v.re = cos(a.re) * hyperbolic_cosine;
    v.im = -sin(a.re) * hyperbolic_sine;
  } else {
    v.re = sin(a.re) * hyperbolic_cosine;
    v.im = cos(a.re) * hyperbolic_sine;
  }
  v.error = to_double(hyperbolic_cosine) * (2 * a.error + epsilon<T>() * (1 + std::abs(to_double(a.re))));
  return checked(std::move(v), epsilon<T>());
}

template <typename T>
Approximate<T> Evaluator<T>::integer_power(Value base, int64_t n) {
  Value result = real(1);
  for (auto steps = static_cast<uint64_t>(std::abs(n)); steps > 0; steps >>= 1) {
    if ((steps & 1) != 0) result = multiply(result, base);
    if (steps > 1) base = multiply(base, base);
    if (!result.ok || !base.ok) return failed();
  }
  return n < 0 ? divide(real(1), result) : result;
}

template <typename T>
Approximate<T> Evaluator<T>::square_root(const Value& a) {
  if (!a.ok) return failed();
  using std::sqrt;
  if (a.im == 0) {
    const bool negative = a.re < 0;
    const T size = sqrt(negative ? T(-a.re) : a.re);
    Value v;
    (negative ? v.im : v.re) = size;
    const double root = to_double(size);
    v.error = root * root > 4 * a.error ? a.error / root : std::sqrt(a.error);
    return checked(std::move(v), epsilon<T>());
  }
  return exponential(multiply(logarithm(a), real(T(1) / 2)));
}

template <typename T>
Approximate<T> Evaluator<T>::raise(const Value& base, const Value& exponent) {
  if (!base.ok || !exponent.ok) return failed();
  const double n = to_double(exponent.re);
  if (exponent.im == 0 && exponent.error == 0 && n == std::floor(n) && std::abs(n) <= 100000)
    return integer_power(base, static_cast<int64_t>(n));
  if (magnitude(base) == 0) return n > 0 && base.error == 0 ? real(0) : failed();
  return exponential(multiply(exponent, logarithm(base)));
}

// arctan z = (ln(1 + iz) - ln(1 - iz)) / 2i; of a real number directly.
template <typename T>
Approximate<T> Evaluator<T>::arctangent(const Value& a) {
  using std::atan;
  if (!a.ok) return failed();
  if (a.im == 0) return checked(real(atan(a.re), a.error), epsilon<T>());
  Value times_i;
  times_i.re = -a.im;
  times_i.im = a.re;
  times_i.error = a.error;
  Value minus = times_i;
  minus.re = -minus.re;
  minus.im = -minus.im;
  Value up = logarithm(add(real(1), times_i)), down = logarithm(add(real(1), minus));
  down.re = -down.re;
  down.im = -down.im;
  const Value sum = add(up, down);
  Value v = sum;
  v.re = sum.im / 2;
  v.im = -sum.re / 2;
  return v;
}

// A negative number to a rational power: the real value where the denominator is odd, (-8)^(1/3) = -2.
template <typename T>
Approximate<T> Evaluator<T>::negative_power(const Value& base, const Rational& exponent) {
  const Value power = checked(real(from_rational<T>(exponent)), is_integer(exponent) ? 0 : epsilon<T>());
  if (is_integer(exponent) || denominator(exponent) % 2 == 0) return raise(base, power);
  Value positive = base;
  positive.re = -positive.re;
  Value v = raise(positive, power);
  if (numerator(exponent) % 2 != 0) v.re = -v.re;
  return v;
}

template <typename T>
Approximate<T> Evaluator<T>::root(const Expression& e) const {
  const Value radicand = evaluate(e.args[0]), degree = evaluate(e.args[1]);
  if (!radicand.ok || !degree.ok || degree.im != 0) return failed();
  const double n = to_double(degree.re);
  if (n == 2) return square_root(radicand);
  if (radicand.im == 0 && radicand.re < 0 && n == std::floor(n) && n > 0 && n < 1000)
    return negative_power(radicand, Rational(1, static_cast<int64_t>(n)));
  return raise(radicand, divide(real(1), degree));
}

template <typename T>
Approximate<T> Evaluator<T>::trigonometric(const std::string& name, const Value& a) const {
  if (name == "sin") return sine(a, false);
  if (name == "cos") return sine(a, true);
  if (name == "tan") return divide(sine(a, false), sine(a, true));
  if (name == "cot") return divide(sine(a, true), sine(a, false));
  if (name == "sec") return divide(real(1), sine(a, true));
  if (name == "csc") return divide(real(1), sine(a, false));
  if (name == "arctan") return arctangent(a);
  if (name == "arccot") return arctangent(divide(real(1), a));
  if (name == "arcsin" || name == "arccos") {
    // arcsin x = 2 arctan(x / (1 + sqrt(1 - x^2)))
    Value minus = multiply(a, a);
    minus.re = -minus.re;
    minus.im = -minus.im;
    Value v = multiply(real(2), arctangent(divide(a, add(real(1), square_root(add(real(1), minus))))));
    if (name == "arcsin") return v;
    v.re = -v.re;
    v.im = -v.im;
    return add(multiply(constant("pi"), real(T(1) / 2)), v);
  }
  Value minus = a;
  minus.re = -minus.re;
  minus.im = -minus.im;
  const Value up = exponential(a);
  Value down = exponential(minus);
  const Value cosh2 = add(up, down);
  down.re = -down.re;
  down.im = -down.im;
  const Value sinh2 = add(up, down);
  if (name == "sinh") return multiply(sinh2, real(T(1) / 2));
  if (name == "cosh") return multiply(cosh2, real(T(1) / 2));
  if (name == "tanh") return divide(sinh2, cosh2);
  if (name == "coth") return divide(cosh2, sinh2);
  return failed();
}

template <typename T>
Approximate<T> Evaluator<T>::determinant(const Expression& matrix) const {
  const size_t n = matrix.columns;
  if (!matrix.is(Kind::matrix) || n == 0 || matrix.args.size() != n * n || n > 4) return failed();
  std::vector<Value> cells;
  for (const auto& arg : matrix.args) cells.push_back(evaluate(arg));
  // By permutations: at most 24 of them.
  std::vector<size_t> order(n);
  for (size_t i = 0; i < n; ++i) order[i] = i;
  Value total = real(0);
  do {
    Value term = real(1);
    int inversions = 0;
    for (size_t i = 0; i < n; ++i) {
      term = multiply(term, cells[i * n + order[i]]);
      for (size_t j = 0; j < i; ++j) inversions += order[j] > order[i] ? 1 : 0;
    }
    if (inversions % 2 == 1) {
      term.re = -term.re;
      term.im = -term.im;
    }
    total = add(total, term);
  } while (std::next_permutation(order.begin(), order.end()));
  return total;
}

template <typename T>
Approximate<T> Evaluator<T>::function(const Expression& e) const {
  if (e.name == "det") return determinant(e.args[0]);
  if (e.name == "factorial" || e.name == "double_factorial" || e.name == "binom" || e.name == "mod" ||
      e.name == "gcd" || e.name == "lcm")
    return failed();
  const Value a = evaluate(e.args[0]);
  if (!a.ok) return failed();
  using std::sqrt;
  if (e.name == "abs") {
    if (a.im == 0) return real(a.re < 0 ? T(-a.re) : a.re, a.error);
    return checked(real(sqrt(a.re * a.re + a.im * a.im), a.error), epsilon<T>());
  }
  if (e.name == "exp") return exponential(a);
  if (e.name == "ln") return logarithm(a);
  if (e.name == "log") {
    const Value base = e.args.size() > 1 ? evaluate(e.args[1]) : real(10);
    return divide(logarithm(a), logarithm(base));
  }
  if (e.name == "floor" || e.name == "ceil") {
    using std::ceil, std::floor;
    if (a.im != 0) return failed();
    const T down = floor(a.re);
    if (std::abs(to_double(T(a.re - down))) <= a.error || std::abs(to_double(T(down + 1 - a.re))) <= a.error)
      return failed();
    return real(e.name == "floor" ? down : T(ceil(a.re)));
  }
  if (e.name == "max" || e.name == "min") {
    Value best = a;
    for (size_t i = 1; i < e.args.size(); ++i) {
      const Value next = evaluate(e.args[i]);
      if (!next.ok || next.im != 0 || best.im != 0) return failed();
      if ((e.name == "max") == (next.re > best.re)) best = next;
    }
    return best;
  }
  if (e.name == "sgn") return a.im != 0 || std::abs(to_double(a.re)) <= a.error ? failed() : real(a.re > 0 ? 1 : -1);
  return trigonometric(e.name, a);
}

template <typename T>
Approximate<T> Evaluator<T>::constant(const std::string& name) const {
  if (name == "pi") return checked(real(boost::math::constants::pi<T>()), epsilon<T>());
  if (name == "e") return checked(real(boost::math::constants::e<T>()), epsilon<T>());
  if (name != "i") return failed();
  Value v;
  v.im = 1;
  return v;
}

template <typename T>
Approximate<T> Evaluator<T>::evaluate(const Expression& e) const {
  switch (e.kind) {
    case Kind::number: {
      const bool exact = is_integer(e.value) && bits_of(e.value) < 50;
      return checked(real(from_rational<T>(e.value)), exact ? 0 : epsilon<T>());
    }
    case Kind::symbol: {
      const auto found = point_.find(e.name);
      if (found == point_.end()) return failed();
      return real(from_rational<T>(found->second));
    }
    case Kind::constant:
      return constant(e.name);
    case Kind::sum:
    case Kind::product: {
      Value total = evaluate(e.args[0]);
      for (size_t i = 1; i < e.args.size() && total.ok; ++i)
        total = e.is(Kind::sum) ? add(total, evaluate(e.args[i])) : multiply(total, evaluate(e.args[i]));
      return total;
    }
    case Kind::negate: {
      Value v = evaluate(e.args[0]);
      v.re = -v.re;
      v.im = -v.im;
      return v;
    }
    case Kind::quotient:
      return divide(evaluate(e.args[0]), evaluate(e.args[1]));
    case Kind::power: {
      if (e.args[0].is_constant("e")) return exponential(evaluate(e.args[1]));
      const Value base = evaluate(e.args[0]);
      if (base.ok && base.im == 0 && base.re < 0) {
        if (const auto exponent = rational_value(e.args[1])) return negative_power(base, *exponent);
      }
      return raise(base, evaluate(e.args[1]));
    }
    case Kind::root:
      return root(e);
    case Kind::percent:
      return divide(evaluate(e.args[0]), real(100));
    case Kind::degrees:
      return multiply(evaluate(e.args[0]), divide(constant("pi"), real(180)));
    case Kind::function: {
      if (const auto value = rational_value(e)) return evaluate(make_number(*value));
      return function(e);
    }
    default:
      return failed();
  }
}

template class Evaluator<double>;
template class Evaluator<Precise>;

}  // namespace laconic::rewards
