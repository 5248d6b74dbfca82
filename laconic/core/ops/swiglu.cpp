#include "laconic/core/ops/swiglu.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "laconic/core/base/error.h"
#include "laconic/core/ops/device_ops.h"
#include "laconic/core/ops/kernels.h"
#include "laconic/core/ops/parallel.h"

namespace laconic::ops {
namespace {

// Rows of about 16k elements each: enough work for a thread, small enough to balance.
int64_t rows_per_piece(int64_t width) {
  return std::max<int64_t>(1, 16384 / std::max<int64_t>(1, width));
}

}  // namespace

void swiglu_into(const at::Tensor& gate_up, at::Tensor& out) {
  const at::NoGradGuard no_grad;
  const int64_t width = out.size(1);
  LACONIC_CHECK(gate_up.size(1) == 2 * width && gate_up.size(0) == out.size(0), "swiglu: shapes do not fit");
  if (const auto* ops = device_ops(out)) return ops->swiglu(gate_up, out);
  LACONIC_CHECK(gate_up.is_contiguous() && out.is_contiguous(), "swiglu: tensors must be contiguous");
  const float* in = gate_up.const_data_ptr<float>();
  float* result = out.mutable_data_ptr<float>();
  parallel_pieces(out.size(0), rows_per_piece(width), [&](int64_t begin, int64_t end) {
    kernels().swiglu(in + begin * 2 * width, result + begin * width, end - begin, width);
  });
}

at::Tensor swiglu_backward_(const at::Tensor& dout, at::Tensor& gate_up) {
  const at::NoGradGuard no_grad;
  const int64_t width = dout.size(1);
  LACONIC_CHECK(gate_up.size(1) == 2 * width && gate_up.size(0) == dout.size(0), "swiglu: shapes do not fit");
  if (const auto* ops = device_ops(dout)) return ops->swiglu_backward_(dout, gate_up);
  LACONIC_CHECK(gate_up.is_contiguous() && dout.is_contiguous(), "swiglu: tensors must be contiguous");
  auto activation = at::empty_like(dout);
  const float* d = dout.const_data_ptr<float>();
  float* in = gate_up.mutable_data_ptr<float>();
  float* a = activation.mutable_data_ptr<float>();
  parallel_pieces(dout.size(0), rows_per_piece(width), [&](int64_t begin, int64_t end) {
    kernels().swiglu_backward(d + begin * width, in + begin * 2 * width, a + begin * width, end - begin, width);
  });
  return activation;
}

}  // namespace laconic::ops
