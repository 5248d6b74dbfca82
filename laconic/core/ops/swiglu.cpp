#include "laconic/core/ops/swiglu.h"

#include <ATen/ATen.h>

#include "laconic/core/base/error.h"
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
  if (!out.is_cpu()) {
    const auto halves = gate_up.chunk(2, 1);
    out.copy_(at::silu(halves[0]) * halves[1]);
    return;
  }
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
  if (!dout.is_cpu()) {
    const auto halves = gate_up.chunk(2, 1);
    const auto gate = halves[0].clone(), up = halves[1].clone();
    const auto s = at::sigmoid(gate);
    halves[0].copy_(dout * up * s * (1 + gate * (1 - s)));
    halves[1].copy_(dout * gate * s);
    return gate * s * up;
  }
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
