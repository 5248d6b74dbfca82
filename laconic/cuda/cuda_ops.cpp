#include "laconic/cuda/cuda_ops.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cstring>

#include "laconic/cuda/kernels/norm_gradient.h"

namespace laconic::cuda {
namespace {

// A product that is added to a gradient is made in pieces of at most so many bytes.
constexpr int64_t kProductBytes = int64_t{256} << 20;

constexpr int64_t kGivenBytes = 8, kPositionBytes = 4;

bool knows_flash_attention(const at::Tensor& qkv, const ops::HeadShape& s) {
  return qkv.scalar_type() == at::kBFloat16 && s.head_dim % 8 == 0 && s.head_dim <= 256 && qkv.size(0) > 0;
}

int64_t longest_of(std::span<const int64_t> offsets) {
  int64_t longest = 0;
  for (size_t i = 1; i < offsets.size(); ++i) longest = std::max(longest, offsets[i] - offsets[i - 1]);
  return longest;
}

SampleRow row_of(const ops::SampleRequest& r) {
  const uint64_t key = mix_key({r.identity.seed, static_cast<uint64_t>(DrawPurpose::sample_token), r.identity.step});
  return {.who = {key, r.identity.prompt, r.identity.sample},
          .inverse_temperature = r.params.temperature > 0 ? static_cast<float>(1.0 / r.params.temperature) : 0.0f,
          .top_k = r.params.top_k,
          .top_p = r.params.top_p,
          .min_p = r.params.min_p};
}

}  // namespace

void CudaOps::add_linear_weight_gradient(const at::Tensor& dy, const at::Tensor& x, at::Tensor& dw,
                                         at::Tensor* dbias) const {
  if (dy.scalar_type() == at::kFloat) return ReferenceOps::add_linear_weight_gradient(dy, x, dw, dbias);
  const at::NoGradGuard no_grad;
  if (dbias != nullptr) dbias->add_(dy.sum(at::IntArrayRef{0}, /*keepdim=*/false, at::kFloat));
  // bf16 in, f32 sums and results.
  const int64_t piece = std::max<int64_t>(1, kProductBytes / (4 * dw.size(1)));
  for (int64_t begin = 0; begin < dw.size(0); begin += piece) {
    const int64_t rows = std::min(piece, dw.size(0) - begin);
    dw.narrow(0, begin, rows).add_(at::mm(dy.narrow(1, begin, rows).t(), x, at::kFloat));
  }
}

void CudaOps::rms_norm(const at::Tensor& x, const at::Tensor& weight, double epsilon, at::Tensor& y,
                       at::Tensor* inverse_rms) const {
  plugin_.add_norm({}, x, weight.detach(), epsilon, y, inverse_rms == nullptr ? at::Tensor() : *inverse_rms);
}

void CudaOps::rms_norm_backward(const at::Tensor& dy, const at::Tensor& x, const at::Tensor& weight,
                                const at::Tensor& inverse_rms, at::Tensor& dx, bool add, at::Tensor& dweight) const {
  const at::NoGradGuard no_grad;
  if (x.size(1) > kMostNormWidth) return ReferenceOps::rms_norm_backward(dy, x, weight, inverse_rms, dx, add, dweight);
  plugin_.norm_backward(dy, x, weight.detach(), inverse_rms, dx, add, dweight);
}

void CudaOps::swiglu(const at::Tensor& gate_up, at::Tensor& out) const {
  plugin_.swiglu(gate_up, out);
}

at::Tensor CudaOps::swiglu_backward_(const at::Tensor& dout, at::Tensor& gate_up) const {
  auto activation = at::empty_like(dout);
  plugin_.swiglu_backward(dout, gate_up, activation);
  return activation;
}

void CudaOps::rotate(const at::Tensor& qkv, const ops::HeadShape& shape, const ops::Rotation& rotation,
                     at::Tensor& out) const {
  const at::NoGradGuard no_grad;
  if (!out.is_same(qkv)) out.copy_(qkv);
  plugin_.rotate(out, shape, rotation, /*inverse=*/false);
}

void CudaOps::rotate_backward_(at::Tensor& dqkv, const at::Tensor& qkv, const ops::HeadShape& shape,
                               const ops::Rotation& rotation, at::Tensor* dq_norm, at::Tensor* dk_norm) const {
  const at::NoGradGuard no_grad;
  plugin_.rotate(dqkv, shape, rotation, /*inverse=*/true);
  if (!rotation.q_norm.defined()) return;
  const auto norm_heads = [&](int64_t first, int64_t heads, const at::Tensor& weight, at::Tensor& dweight) {
    const auto part = [&](const at::Tensor& rows) {  // [rows * heads, head_dim]
      return rows.narrow(1, first * shape.head_dim, heads * shape.head_dim).reshape({-1, shape.head_dim}).contiguous();
    };
    const auto x = part(qkv), gradient = part(dqkv), ignored = at::empty_like(x);
    const auto inverse_rms = at::empty({x.size(0)}, x.options().dtype(at::kFloat));
    plugin_.add_norm({}, x, weight.detach(), rotation.norm_epsilon, ignored, inverse_rms);
    plugin_.norm_backward(gradient, x, weight.detach(), inverse_rms, gradient, /*add=*/false, dweight);
    dqkv.narrow(1, first * shape.head_dim, heads * shape.head_dim).copy_(gradient.view({dqkv.size(0), -1}));
  };
  norm_heads(0, shape.heads, rotation.q_norm, *dq_norm);
  norm_heads(shape.heads, shape.kv_heads, rotation.k_norm, *dk_norm);
}

void CudaOps::packed_attention(const at::Tensor& qkv, const ops::PackedSequences& sequences,
                               const ops::HeadShape& shape, at::Tensor& out, at::Tensor* log_sum) const {
  const at::NoGradGuard no_grad;
  if (!knows_flash_attention(qkv, shape)) return ReferenceOps::packed_attention(qkv, sequences, shape, out, log_sum);
  const auto offsets =
      sequences.on_device.defined() ? sequences : ops::packed_sequences(sequences.offsets, qkv.device());
  const auto sums =
      log_sum != nullptr ? *log_sum : at::empty({qkv.size(0), shape.heads}, qkv.options().dtype(at::kFloat));
  plugin_.packed_attention(qkv, offsets.on_device, longest_of(sequences.offsets), shape, out, sums);
}

void CudaOps::packed_attention_backward(const at::Tensor& dout, const at::Tensor& qkv, const at::Tensor& out,
                                        const at::Tensor& log_sum, const ops::PackedSequences& sequences,
                                        const ops::HeadShape& shape, at::Tensor& dqkv) const {
  const at::NoGradGuard no_grad;
  if (!knows_flash_attention(qkv, shape))
    return ReferenceOps::packed_attention_backward(dout, qkv, out, log_sum, sequences, shape, dqkv);
  const auto offsets =
      sequences.on_device.defined() ? sequences : ops::packed_sequences(sequences.offsets, qkv.device());
  plugin_.packed_attention_backward(dout, qkv, out, log_sum, offsets.on_device, longest_of(sequences.offsets), shape,
                                    dqkv);
}

void CudaOps::rotate_append(at::Tensor& qkv, const ops::HeadShape& shape, const ops::Rotation& rotation,
                            ops::KvPages& cache, const ops::PagedRows& rows) const {
  plugin_.rotate_append(qkv, shape, rotation, cache, rows);
}

void CudaOps::paged_attention(const at::Tensor& qkv, const ops::HeadShape& shape, const ops::KvPages& cache,
                              const ops::PagedRows& rows, at::Tensor& out) const {
  plugin_.paged_decode(qkv, shape, cache, rows, out);
}

void CudaOps::logits_into(const at::Tensor& hidden, const at::Tensor& head, at::Tensor& logits) const {
  if (hidden.scalar_type() == at::kFloat) return ReferenceOps::logits_into(hidden, head, logits);
  const at::NoGradGuard no_grad;
  at::mm_out(logits, hidden, head.detach().t(), at::kFloat);  // bf16 logits would be off by 0.4 %
}

void CudaOps::score_logits(const at::Tensor& logits, const at::Tensor& targets, double temperature, at::Tensor& logprob,
                           ops::HeadStatistics& statistics) const {
  plugin_.score_logits(logits, targets, temperature,
                       {logprob, statistics.largest, statistics.log_sum, statistics.entropy});
}

void CudaOps::logit_gradient_(at::Tensor& logits, const at::Tensor& targets, double temperature,
                              const ops::HeadStatistics& statistics, const at::Tensor& g_logprob,
                              const at::Tensor& g_entropy) const {
  plugin_.logit_gradient(logits, targets, temperature, {{}, statistics.largest, statistics.log_sum, statistics.entropy},
                         g_logprob, g_entropy);
}

at::Tensor CudaOps::pack_requests(std::span<const ops::SampleRequest> requests) const {
  return packed_requests(requests);
}

void CudaOps::sample(const at::Tensor& logits, const at::Tensor& packed, ops::SampledRows& result) const {
  plugin_.sample(logits, sample_rows(packed, logits.size(0)), result);
}

at::Tensor packed_requests(std::span<const ops::SampleRequest> requests) {
  const auto rows = static_cast<int64_t>(requests.size());
  auto packed = at::empty({rows * (static_cast<int64_t>(sizeof(SampleRow)) + kGivenBytes + kPositionBytes)}, at::kByte);
  const SampleRows parts = sample_rows(packed, rows);
  auto* params = parts.params.mutable_data_ptr<uint8_t>();
  auto* given = parts.given.mutable_data_ptr<int64_t>();
  auto* positions = parts.positions.mutable_data_ptr<int32_t>();
  for (const auto& r : requests) {
    const SampleRow row = row_of(r);
    std::memcpy(params, &row, sizeof row);
    params += sizeof row;
    *given++ = r.given;
    *positions++ = static_cast<int32_t>(r.position);
  }
  return packed;
}

SampleRows sample_rows(const at::Tensor& packed, int64_t rows) {
  static_assert(sizeof(SampleRow) % kGivenBytes == 0);
  const auto params = rows * static_cast<int64_t>(sizeof(SampleRow));
  return {packed.narrow(0, 0, params),
          packed.narrow(0, params + rows * kGivenBytes, rows * kPositionBytes).view(at::kInt),
          packed.narrow(0, params, rows * kGivenBytes).view(at::kLong)};
}

}  // namespace laconic::cuda
