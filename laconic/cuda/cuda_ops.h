// The device operations of a GPU: the plug-in's kernels where it has them, cuBLAS and the rest of ATen elsewhere.
#pragma once

#include "laconic/core/ops/reference_ops.h"
#include "laconic/cuda/plugin.h"

namespace laconic::cuda {

class CudaOps final : public ops::ReferenceOps {
 public:
  explicit CudaOps(const Plugin& plugin) : plugin_(plugin) {}

  void add_linear_weight_gradient(const at::Tensor& dy, const at::Tensor& x, at::Tensor& dw,
                                  at::Tensor* dbias) const override;
  void rms_norm(const at::Tensor& x, const at::Tensor& weight, double epsilon, at::Tensor& y,
                at::Tensor* inverse_rms) const override;
  void rms_norm_backward(const at::Tensor& dy, const at::Tensor& x, const at::Tensor& weight,
                         const at::Tensor& inverse_rms, at::Tensor& dx, bool add, at::Tensor& dweight) const override;
  void swiglu(const at::Tensor& gate_up, at::Tensor& out) const override;
  at::Tensor swiglu_backward_(const at::Tensor& dout, at::Tensor& gate_up) const override;
  void rotate(const at::Tensor& qkv, const ops::HeadShape& shape, const ops::Rotation& rotation,
              at::Tensor& out) const override;
  void rotate_backward_(at::Tensor& dqkv, const at::Tensor& qkv, const ops::HeadShape& shape,
                        const ops::Rotation& rotation, at::Tensor* dq_norm, at::Tensor* dk_norm) const override;
  // Flash attention for bf16, the reference for f32 and for heads that it does not know.
  void packed_attention(const at::Tensor& qkv, const ops::PackedSequences& sequences, const ops::HeadShape& shape,
                        at::Tensor& out, at::Tensor* log_sum) const override;
  void packed_attention_backward(const at::Tensor& dout, const at::Tensor& qkv, const at::Tensor& out,
                                 const at::Tensor& log_sum, const ops::PackedSequences& sequences,
                                 const ops::HeadShape& shape, at::Tensor& dqkv) const override;
  void rotate_append(at::Tensor& qkv, const ops::HeadShape& shape, const ops::Rotation& rotation, ops::KvPages& cache,
                     const ops::PagedRows& rows) const override;
  void paged_attention(const at::Tensor& qkv, const ops::HeadShape& shape, const ops::KvPages& cache,
                       const ops::PagedRows& rows, at::Tensor& out) const override;
  void logits_into(const at::Tensor& hidden, const at::Tensor& head, at::Tensor& logits) const override;
  void score_logits(const at::Tensor& logits, const at::Tensor& targets, double temperature, at::Tensor& logprob,
                    ops::HeadStatistics& statistics) const override;
  void logit_gradient_(at::Tensor& logits, const at::Tensor& targets, double temperature,
                       const ops::HeadStatistics& statistics, const at::Tensor& g_logprob,
                       const at::Tensor& g_entropy) const override;
  at::Tensor pack_requests(std::span<const ops::SampleRequest> requests) const override;
  void sample(const at::Tensor& logits, const at::Tensor& packed, ops::SampledRows& result) const override;
  std::unique_ptr<ops::StepGraphs> make_graphs() const override { return plugin_.decode_graphs(); }

 private:
  const Plugin& plugin_;
};

// The requests as the sampling kernel reads them: SampleRow of each, then the given tokens (int64, -1: none), then the
// positions (int32). uint8 on the CPU.
at::Tensor packed_requests(std::span<const ops::SampleRequest> requests);
// The parts of such bytes, wherever they lie.
SampleRows sample_rows(const at::Tensor& packed, int64_t rows);

}  // namespace laconic::cuda
