// Root-mean-square layer norm: y = x / sqrt(mean(x^2) + epsilon) * weight, over the last dimension.
#pragma once

#include <ATen/core/Tensor.h>

namespace laconic::ops {

// x [rows, width] -> y; inverse_rms [rows] f32 receives 1 / sqrt(mean(x^2) + epsilon) where not null.
void rms_norm_into(const at::Tensor& x, const at::Tensor& weight, double epsilon, at::Tensor& y,
                   at::Tensor* inverse_rms = nullptr);

// dx [rows, width] = or += (with `add`) the gradient through the norm; dweight [width] f32 is added to.
void rms_norm_backward(const at::Tensor& dy, const at::Tensor& x, const at::Tensor& weight,
                       const at::Tensor& inverse_rms, at::Tensor& dx, bool add, at::Tensor& dweight);

}  // namespace laconic::ops
