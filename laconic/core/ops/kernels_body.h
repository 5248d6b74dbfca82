// The kernel table of one instruction set; included by kernels_*.cpp with LACONIC_ISA defined as its name.
#include "laconic/core/ops/kernels_matrix.h"
#include "laconic/core/ops/kernels_rows.h"

namespace laconic::ops::LACONIC_ISA {

inline Kernels make_table(const char* name) {
  Kernels k{};
  k.name = name;
  k.linear = linear;
  k.small_gemm = small_gemm;
  k.rms_norm = rms_norm;
  k.rms_norm_backward = rms_norm_backward;
  k.rotate = rotate;
  k.swiglu = swiglu;
  k.swiglu_backward = swiglu_backward;
  k.softmax_row = softmax_row;
  k.softmax_again = softmax_again;
  k.softmax_backward = softmax_backward;
  k.scale_row = scale_row;
  k.dot = dot;
  k.transpose = transpose;
  k.logit_statistics = logit_statistics;
  k.logit_gradient = logit_gradient;
  k.sample_weights = sample_weights;
  return k;
}

}  // namespace laconic::ops::LACONIC_ISA
