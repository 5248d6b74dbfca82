// Norm and activation: tensors to kernels.
#include <ATen/Functions.h>

#include "laconic/cuda/kernels/kernels.h"
#include "laconic/cuda/plugin/tensor_ops.h"
#include "laconic/cuda/plugin/tensors.h"

namespace laconic::cuda {

void add_norm(const at::Tensor& delta, const at::Tensor& residual, const at::Tensor& weight, double epsilon,
              const at::Tensor& y, const at::Tensor& inverse_rms) {
  constexpr const char* kName = "add_norm";
  check_tensors(kName, residual, {delta, weight, y, inverse_rms});
  const int64_t rows = residual.size(0), width = residual.size(1);
  const auto type = residual.scalar_type();
  if (delta.defined()) check_sizes(kName, "delta", delta, residual.sizes(), type);
  check_sizes(kName, "weight", weight, {width}, type);
  check_sizes(kName, "y", y, residual.sizes(), type);
  if (inverse_rms.defined()) check_sizes(kName, "inverse_rms", inverse_rms, {rows}, at::kFloat);
  launch(AddNormArgs{.element = element_of(kName, residual),
                     .delta = delta.defined() ? delta.const_data_ptr() : nullptr,
                     .residual = residual.mutable_data_ptr(),
                     .weight = weight.const_data_ptr(),
                     .y = y.mutable_data_ptr(),
                     .inverse_rms = data_or_null<float>(inverse_rms),
                     .epsilon = static_cast<float>(epsilon),
                     .rows = rows,
                     .width = width},
         stream_of(residual));
}

void norm_backward(const at::Tensor& dy, const at::Tensor& x, const at::Tensor& weight, const at::Tensor& inverse_rms,
                   const at::Tensor& dx, bool add, const at::Tensor& dweight) {
  constexpr const char* kName = "norm_backward";
  check_tensors(kName, x, {dy, weight, inverse_rms, dx, dweight});
  const int64_t rows = x.size(0), width = x.size(1);
  const auto type = x.scalar_type();
  check_sizes(kName, "dy", dy, x.sizes(), type);
  check_sizes(kName, "weight", weight, {width}, type);
  check_sizes(kName, "inverse_rms", inverse_rms, {rows}, at::kFloat);
  check_sizes(kName, "dx", dx, x.sizes(), type);
  check_sizes(kName, "dweight", dweight, {width}, at::kFloat);
  LACONIC_CHECK(width <= kMostNormWidth, "{}: rows of {} are wider than {}", kName, width, kMostNormWidth);
  const auto partial = at::empty({ceil_div(rows, kNormPieceRows), width}, dweight.options());
  launch(NormGradientArgs{.element = element_of(kName, x),
                          .dy = dy.const_data_ptr(),
                          .x = x.const_data_ptr(),
                          .weight = weight.const_data_ptr(),
                          .inverse_rms = inverse_rms.const_data_ptr<float>(),
                          .dx = dx.mutable_data_ptr(),
                          .dweight = partial.mutable_data_ptr<float>(),
                          .add = add,
                          .rows = rows,
                          .width = width},
         stream_of(x));
  dweight.add_(partial.sum(0));
}

void swiglu(const at::Tensor& gate_up, const at::Tensor& out) {
  constexpr const char* kName = "swiglu";
  check_tensors(kName, gate_up, {out});
  check_sizes(kName, "gate_up", gate_up, {out.size(0), 2 * out.size(1)}, out.scalar_type());
  launch(SwigluArgs{element_of(kName, out), gate_up.const_data_ptr(), out.mutable_data_ptr(), out.size(0), out.size(1)},
         stream_of(out));
}

void swiglu_backward(const at::Tensor& dout, const at::Tensor& gate_up, const at::Tensor& activation) {
  constexpr const char* kName = "swiglu_backward";
  check_tensors(kName, gate_up, {dout, activation});
  check_sizes(kName, "gate_up", gate_up, {dout.size(0), 2 * dout.size(1)}, dout.scalar_type());
  check_sizes(kName, "activation", activation, dout.sizes(), dout.scalar_type());
  launch(SwigluBackwardArgs{element_of(kName, dout), dout.const_data_ptr(), gate_up.mutable_data_ptr(),
                            activation.mutable_data_ptr(), dout.size(0), dout.size(1)},
         stream_of(dout));
}

}  // namespace laconic::cuda
