// The operations of this room where the tensors do not lie on the CPU: one interface, behind which stands a reference
// in ATen operations that runs on any device (reference_ops.h), and over it whatever kernels a device brings
// (cuda/cuda_ops.h).
//
// The functions of linear.h, norm.h and their neighbours ask device_ops() once per call, which is a branch on the
// tensor's device: null is the CPU and its kernels.
//
// Contracts are those of the functions of the same name. Activations and weights are of one dtype, f32 or bf16; results
// are rounded to it once. Gradients of weights are f32. Work is asynchronous on the device's current stream; nothing
// waits for it. No autograd history is recorded.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "laconic/core/base/rng.h"
#include "laconic/core/ops/attention.h"
#include "laconic/core/ops/logprob_head.h"
#include "laconic/core/ops/paged_attention.h"
#include "laconic/core/ops/rotary.h"
#include "laconic/core/ops/sampler.h"

namespace laconic::ops {

// One row of logits to draw from, or to score.
struct SampleRequest {
  SamplingParams params;
  DrawIdentity identity;
  uint32_t position = 0;  // which draw of the identity
  int32_t given = -1;     // >= 0: this token is scored and nothing is drawn
};

// The results of a step in one block of memory, so that one copy brings all of them to the host.
struct SampledRows {
  at::Tensor bytes;    // uint8, holds the others
  at::Tensor ids;      // [rows] int64
  at::Tensor logprob;  // [rows] f32, as DrawnToken has it
  at::Tensor entropy;  // [rows] f32; undefined: not wanted
  at::Tensor finite;   // [rows] uint8

  static SampledRows make(int64_t rows, bool want_entropy, const at::TensorOptions& where);
  SampledRows rows(int64_t begin, int64_t count) const;  // a part; `bytes` is undefined
  SampledRows on_host() const;                           // waits for the current stream, and for nothing else
};

// A step of decoding recorded for replay, one recording per key.
class StepGraphs {
 public:
  virtual ~StepGraphs() = default;
  // Runs `step`: twice as it is (the first time sizes the allocator's pool and starts the libraries), then recorded,
  // from then on replayed without calling it. What it reads and writes must lie at the same addresses each time, and it
  // must not wait for the device.
  virtual void run(int64_t key, const std::function<void()>& step) = 0;
  virtual void clear() = 0;  // weights or caches have moved
};

class DeviceOps {
 public:
  virtual ~DeviceOps() = default;

  // linear.h
  virtual void linear(const at::Tensor& x, const at::Tensor& w, const at::Tensor& bias, at::Tensor& y,
                      bool add) const = 0;
  virtual at::Tensor linear_input_gradient(const at::Tensor& dy, const at::Tensor& w) const = 0;
  virtual void add_linear_weight_gradient(const at::Tensor& dy, const at::Tensor& x, at::Tensor& dw,
                                          at::Tensor* dbias) const = 0;

  // norm.h
  virtual void rms_norm(const at::Tensor& x, const at::Tensor& weight, double epsilon, at::Tensor& y,
                        at::Tensor* inverse_rms) const = 0;
  virtual void rms_norm_backward(const at::Tensor& dy, const at::Tensor& x, const at::Tensor& weight,
                                 const at::Tensor& inverse_rms, at::Tensor& dx, bool add,
                                 at::Tensor& dweight) const = 0;

  // swiglu.h
  virtual void swiglu(const at::Tensor& gate_up, at::Tensor& out) const = 0;
  virtual at::Tensor swiglu_backward_(const at::Tensor& dout, at::Tensor& gate_up) const = 0;

  // rotary.h
  virtual void rotate(const at::Tensor& qkv, const HeadShape& shape, const Rotation& rotation,
                      at::Tensor& out) const = 0;
  virtual void rotate_backward_(at::Tensor& dqkv, const at::Tensor& qkv, const HeadShape& shape,
                                const Rotation& rotation, at::Tensor* dq_norm, at::Tensor* dk_norm) const = 0;

  // attention.h
  virtual void packed_attention(const at::Tensor& qkv, const PackedSequences& sequences, const HeadShape& shape,
                                at::Tensor& out, at::Tensor* log_sum) const = 0;
  virtual void packed_attention_backward(const at::Tensor& dout, const at::Tensor& qkv, const at::Tensor& out,
                                         const at::Tensor& log_sum, const PackedSequences& sequences,
                                         const HeadShape& shape, at::Tensor& dqkv) const = 0;

  // paged_attention.h, in two halves: queries and keys are rotated in place (the positions are those of `rows`) and
  // keys and values written to the cache; then all rows attend. Idle rows write nothing, and their output means
  // nothing.
  virtual void rotate_append(at::Tensor& qkv, const HeadShape& shape, const Rotation& rotation, KvPages& cache,
                             const PagedRows& rows) const = 0;
  virtual void paged_attention(const at::Tensor& qkv, const HeadShape& shape, const KvPages& cache,
                               const PagedRows& rows, at::Tensor& out) const = 0;

  // logprob_head.h. logits [rows, vocab] f32 = hidden head^T
  virtual void logits_into(const at::Tensor& hidden, const at::Tensor& head, at::Tensor& logits) const = 0;
  // Fills logprob and the statistics, [rows] each; the entropy where it is defined.
  virtual void score_logits(const at::Tensor& logits, const at::Tensor& targets, double temperature,
                            at::Tensor& logprob, HeadStatistics& statistics) const = 0;
  // logits become their gradient. g_entropy may be undefined.
  virtual void logit_gradient_(at::Tensor& logits, const at::Tensor& targets, double temperature,
                               const HeadStatistics& statistics, const at::Tensor& g_logprob,
                               const at::Tensor& g_entropy) const = 0;

  // sampler.h. What sample() wants to know of the rows, as bytes on the host to be brought to the device; it means
  // something to the same DeviceOps alone.
  virtual at::Tensor pack_requests(std::span<const SampleRequest> requests) const = 0;
  // logits [rows, vocab] f32; the entropy is filled where it is defined.
  virtual void sample(const at::Tensor& logits, const at::Tensor& packed, SampledRows& result) const = 0;

  // Null where steps are not recorded.
  virtual std::unique_ptr<StepGraphs> make_graphs() const = 0;
};

// Who computes on tensors of this device: null for the CPU (its kernels, kernels.h).
const DeviceOps* device_ops(at::Device device);
inline const DeviceOps* device_ops(const at::Tensor& tensor) {
  return device_ops(tensor.device());
}

// Dtype of activations of a model with weights of `dtype`: f32 with the CPU's kernels, that of the weights elsewhere.
at::ScalarType activation_dtype(at::Device device, at::ScalarType dtype);

// From now on `ops` computes on devices other than the CPU; without it the reference does. Not while work runs.
void install_device_ops(std::unique_ptr<const DeviceOps> ops);

// While it lives, the CPU's tensors are computed by the reference as well: for tests of what runs on other devices.
// Models and engines are made and used within it. One at a time.
class ReferenceScope {
 public:
  ReferenceScope();
  ~ReferenceScope();
  ReferenceScope(const ReferenceScope&) = delete;
  ReferenceScope& operator=(const ReferenceScope&) = delete;
};

}  // namespace laconic::ops
