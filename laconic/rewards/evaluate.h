// Evaluation of an expression at a point, for double and for multi-precision numbers.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "laconic/rewards/expression.h"

namespace laconic::rewards {

// A complex number and a bound of its absolute error; `ok` is false for what has no finite value here.
template <typename T>
struct Approximate {
  T re = 0, im = 0;
  double error = 0;
  bool ok = true;
};

template <typename T>
class Evaluator {
 public:
  using Value = Approximate<T>;
  // `point` holds a value for every variable.
  explicit Evaluator(const std::map<std::string, Rational>& point) : point_(point) {}
  Value evaluate(const Expression& e) const;

 private:
  static Value failed() {
    Value v;
    v.ok = false;
    return v;
  }
  static double magnitude(const Value& v);
  static Value checked(Value v, double relative_error);
  static Value real(T value, double error = 0);
  static Value add(const Value& a, const Value& b);
  static Value multiply(const Value& a, const Value& b);
  static Value divide(const Value& a, const Value& b);
  static Value exponential(const Value& a);
  static Value logarithm(const Value& a);
  static Value sine(const Value& a, bool cosine);
  static Value integer_power(Value base, int64_t n);
  static Value raise(const Value& base, const Value& exponent);
  static Value negative_power(const Value& base, const Rational& exponent);
  static Value square_root(const Value& a);
  static Value arctangent(const Value& a);
  Value root(const Expression& e) const;
  Value function(const Expression& e) const;
  Value trigonometric(const std::string& name, const Value& a) const;
  Value determinant(const Expression& matrix) const;
  Value constant(const std::string& name) const;

  const std::map<std::string, Rational>& point_;
};

}  // namespace laconic::rewards
