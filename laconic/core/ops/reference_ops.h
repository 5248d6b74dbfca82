// The device operations in ATen operations that every device has: slow, short, and what the kernels of a device are
// compared with. Numbers are rounded as the kernels round: arithmetic in f32, one rounding at the end.
#pragma once

#include "laconic/core/ops/device_ops.h"

namespace laconic::ops {

class ReferenceOps : public DeviceOps {
 public:
  void linear(const at::Tensor& x, const at::Tensor& w, const at::Tensor& bias, at::Tensor& y, bool add) const override;
  at::Tensor linear_input_gradient(const at::Tensor& dy, const at::Tensor& w) const override;
  void add_linear_weight_gradient(const at::Tensor& dy, const at::Tensor& x, at::Tensor& dw,
                                  at::Tensor* dbias) const override;
  void rms_norm(const at::Tensor& x, const at::Tensor& weight, double epsilon, at::Tensor& y,
                at::Tensor* inverse_rms) const override;
  void rms_norm_backward(const at::Tensor& dy, const at::Tensor& x, const at::Tensor& weight,
                         const at::Tensor& inverse_rms, at::Tensor& dx, bool add, at::Tensor& dweight) const override;
  void swiglu(const at::Tensor& gate_up, at::Tensor& out) const override;
  at::Tensor swiglu_backward_(const at::Tensor& dout, at::Tensor& gate_up) const override;
  void rotate(const at::Tensor& qkv, const HeadShape& shape, const Rotation& rotation, at::Tensor& out) const override;
  void rotate_backward_(at::Tensor& dqkv, const at::Tensor& qkv, const HeadShape& shape, const Rotation& rotation,
                        at::Tensor* dq_norm, at::Tensor* dk_norm) const override;
  void packed_attention(const at::Tensor& qkv, const PackedSequences& sequences, const HeadShape& shape,
                        at::Tensor& out, at::Tensor* log_sum) const override;
  void packed_attention_backward(const at::Tensor& dout, const at::Tensor& qkv, const at::Tensor& out,
                                 const at::Tensor& log_sum, const PackedSequences& sequences, const HeadShape& shape,
                                 at::Tensor& dqkv) const override;
  void rotate_append(at::Tensor& qkv, const HeadShape& shape, const Rotation& rotation, KvPages& cache,
                     const PagedRows& rows) const override;
  void paged_attention(const at::Tensor& qkv, const HeadShape& shape, const KvPages& cache, const PagedRows& rows,
                       at::Tensor& out) const override;
  void logits_into(const at::Tensor& hidden, const at::Tensor& head, at::Tensor& logits) const override;
  void score_logits(const at::Tensor& logits, const at::Tensor& targets, double temperature, at::Tensor& logprob,
                    HeadStatistics& statistics) const override;
  void logit_gradient_(at::Tensor& logits, const at::Tensor& targets, double temperature,
                       const HeadStatistics& statistics, const at::Tensor& g_logprob,
                       const at::Tensor& g_entropy) const override;
  at::Tensor pack_requests(std::span<const SampleRequest> requests) const override;
  void sample(const at::Tensor& logits, const at::Tensor& packed, SampledRows& result) const override;
  // Records nothing: the step runs each time, padded as a recorded one.
  std::unique_ptr<StepGraphs> make_graphs() const override;
};

}  // namespace laconic::ops
