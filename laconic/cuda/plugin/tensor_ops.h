// The operations of plugin.h: they check tensors, take their pointers and start kernels on the current stream.
#pragma once

#include "laconic/cuda/plugin.h"

namespace laconic::cuda {

void add_norm(const at::Tensor& delta, const at::Tensor& residual, const at::Tensor& weight, double epsilon,
              const at::Tensor& y, const at::Tensor& inverse_rms);
void norm_backward(const at::Tensor& dy, const at::Tensor& x, const at::Tensor& weight, const at::Tensor& inverse_rms,
                   const at::Tensor& dx, bool add, const at::Tensor& dweight);
void swiglu(const at::Tensor& gate_up, const at::Tensor& out);
void swiglu_backward(const at::Tensor& dout, const at::Tensor& gate_up, const at::Tensor& activation);

void rotate(const at::Tensor& qkv, const ops::HeadShape& shape, const ops::Rotation& rotation, bool inverse);
void rotate_append(const at::Tensor& qkv, const ops::HeadShape& shape, const ops::Rotation& rotation,
                   const ops::KvPages& cache, const PagedRows& rows);
void paged_decode(const at::Tensor& qkv, const ops::HeadShape& shape, const ops::KvPages& cache, const PagedRows& rows,
                  const at::Tensor& out);
void packed_attention(const at::Tensor& qkv, const at::Tensor& offsets, int64_t longest, const ops::HeadShape& shape,
                      const at::Tensor& out, const at::Tensor& log_sum);
void packed_attention_backward(const at::Tensor& dout, const at::Tensor& qkv, const at::Tensor& out,
                               const at::Tensor& log_sum, const at::Tensor& offsets, int64_t longest,
                               const ops::HeadShape& shape, const at::Tensor& dqkv);

void score_logits(const at::Tensor& logits, const at::Tensor& targets, double temperature, const LogitScores& scores);
void logit_gradient(const at::Tensor& logits, const at::Tensor& targets, double temperature, const LogitScores& scores,
                    const at::Tensor& g_logprob, const at::Tensor& g_entropy);
void sample(const at::Tensor& logits, const SampleRows& rows, const SampledRows& result);

std::unique_ptr<distributed::Communicator> nccl_communicator(c10d::Store& store, const NcclOptions& options);
std::unique_ptr<ops::StepGraphs> decode_graphs();

}  // namespace laconic::cuda
