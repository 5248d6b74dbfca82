// The gated activation of the MLP: silu(gate) * up, of rows [gate | up].
#pragma once

#include <ATen/core/Tensor.h>

namespace laconic::ops {

// gate_up [rows, 2 width] -> out [rows, width]
void swiglu_into(const at::Tensor& gate_up, at::Tensor& out);

// gate_up is overwritten with its gradient; returns the activation again (it is not kept from the forward pass).
at::Tensor swiglu_backward_(const at::Tensor& dout, at::Tensor& gate_up);

}  // namespace laconic::ops
