// Values of the kernel tests: the same for the same seed, as either element type.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "laconic/core/base/rng.h"
#include "laconic/cuda/kernels/portable.h"

namespace laconic::cuda {

inline std::vector<float> normal_values(int64_t n, uint64_t seed, double scale = 1.0) {
  Rng rng(DrawPurpose::procedural_data, {seed});
  std::vector<float> values(static_cast<size_t>(n));
  for (float& v : values) v = static_cast<float>(scale * rng.normal());
  return values;
}

template <typename T>
std::vector<T> as_elements(const std::vector<float>& values) {
  std::vector<T> result;
  result.reserve(values.size());
  for (float v : values) result.push_back(rounded<T>(v));
  return result;
}

template <typename T>
std::vector<float> as_floats(const std::vector<T>& values) {
  std::vector<float> result;
  result.reserve(values.size());
  for (T v : values) result.push_back(to_float(v));
  return result;
}

// Normal values that the element type can hold.
template <typename T>
std::vector<float> element_values(int64_t n, uint64_t seed, double scale = 1.0) {
  return as_floats(as_elements<T>(normal_values(n, seed, scale)));
}

template <typename T>
constexpr Element element_of() {
  return sizeof(T) == 2 ? Element::bf16 : Element::f32;
}

// One rounding to the element type, and a few of f32.
template <typename T>
constexpr double rounding() {
  return sizeof(T) == 2 ? 0x1.0p-8 : 3e-6;
}

// The largest |a - b| relative to |b| of at least `floor`; NaN or infinity where one has it and the other has not.
inline double worst_difference(const std::vector<float>& a, const std::vector<float>& b, double floor = 1.0) {
  if (a.size() != b.size()) return HUGE_VAL;
  double worst = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const auto x = static_cast<double>(a[i]), y = static_cast<double>(b[i]);
    if (x == y || (std::isnan(x) && std::isnan(y))) continue;
    const double d = std::abs(x - y) / std::max(std::abs(y), floor);
    if (!(d <= worst)) worst = d;
  }
  return worst;
}

}  // namespace laconic::cuda
