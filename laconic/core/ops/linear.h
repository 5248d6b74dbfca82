// Linear layers: y = x w^T + bias, and its gradients.
//
// On the CPU the forward product is row-stable (kernels.h): a row of y is the same bit for bit whatever the other rows,
// so that sampling (few rows) and training (thousands) agree. Weights may be f32 or bf16; x, y and gradients are f32 on
// the CPU and of the weights' dtype elsewhere (device_ops.h). None of these functions records autograd history.
#pragma once

#include <ATen/core/Tensor.h>

namespace laconic::ops {

// y [m, n] = x [m, k] w[n, k]^T + bias [n]; y += with `add`. bias may be undefined. Rows of x and y may be strided.
void linear_into(const at::Tensor& x, const at::Tensor& w, const at::Tensor& bias, at::Tensor& y, bool add = false);
at::Tensor linear(const at::Tensor& x, const at::Tensor& w, const at::Tensor& bias);

// dx [m, k] = dy [m, n] w [n, k]
at::Tensor linear_input_gradient(const at::Tensor& dy, const at::Tensor& w);
// dx += dy w; on the CPU only
void add_linear_input_gradient(const at::Tensor& dy, const at::Tensor& w, at::Tensor& dx);

// dw [n, k] += dy^T x, dbias [n] += column sums of dy; dbias may be undefined. Both are f32.
void add_linear_weight_gradient(const at::Tensor& dy, const at::Tensor& x, at::Tensor& dw, at::Tensor* dbias);

// The gradient buffer of a parameter: its .grad(), made (zeros, f32) where absent. Layers add into it directly, so that
// accumulation over micro-batches costs no copy and bf16 weights keep f32 gradients.
at::Tensor& gradient_of(const at::Tensor& parameter);

}  // namespace laconic::ops
