// Tensors and comparisons for tests.
#pragma once

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <cstdint>
#include <vector>

#include "laconic/core/base/rng.h"

namespace laconic {

// Standard normal values, the same for the same seed everywhere.
inline at::Tensor normal_tensor(at::IntArrayRef sizes, uint64_t seed, double scale = 1.0) {
  auto t = at::empty(sizes, at::kFloat);
  Rng rng(DrawPurpose::procedural_data, {seed});
  float* out = t.mutable_data_ptr<float>();
  for (int64_t i = 0; i < t.numel(); ++i) out[i] = static_cast<float>(scale * rng.normal());
  return t;
}

// A leaf in double whose gradient the reference computes.
inline at::Tensor double_leaf(const at::Tensor& t) {
  return t.detach().to(at::kDouble).clone().requires_grad_(true);
}

// max |a - b| relative to the largest |b| (of at least `floor`); NaN where a value is.
inline double relative_difference(const at::Tensor& a, const at::Tensor& b, double floor = 1e-6) {
  const at::NoGradGuard no_grad;
  if (b.numel() == 0) return a.numel() == 0 ? 0.0 : 1.0;
  const auto x = a.to(at::kDouble), y = b.to(at::kDouble);
  return ((x - y).abs().max() / y.abs().max().clamp_min(floor)).item<double>();
}

}  // namespace laconic
