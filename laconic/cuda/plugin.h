// The CUDA side as the program sees it: a shared library, liblaconic_cuda.so, that is opened only where CUDA is wanted,
// so that everything else starts fast and runs on machines without a GPU (loader.h opens it).
//
// Tensors are contiguous, lie on one CUDA device, and are f32 or bf16 alike; sizes that do not fit are an Error of kind
// internal. Everything is asynchronous on the current stream of that device. Results of a row do not depend on the
// other rows. The numbers are those of the CPU operations of the same name in core/ops, within rounding.
#pragma once

#include <ATen/core/Tensor.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "laconic/core/distributed/communicator.h"
#include "laconic/core/ops/device_ops.h"
#include "laconic/core/ops/paged_attention.h"
#include "laconic/core/ops/rotary.h"
#include "laconic/cuda/kernels/sample.h"

namespace c10d {
class Store;
}

namespace laconic::cuda {

using ops::PagedRows;
using ops::SampledRows;

// Raised by one whenever anything in this header, or in a header that it includes, changes.
inline constexpr uint32_t kPluginVersion = 2;

// Rows of logits to draw from, on the device. `given` is undefined, or holds tokens to score where it is >= 0.
struct SampleRows {
  at::Tensor params;     // [rows * sizeof(SampleRow)] uint8: SampleRow of each row
  at::Tensor positions;  // [rows] int32: which draw of the identity
  at::Tensor given;      // [rows] int64
};

struct LogitScores {
  at::Tensor logprob, largest, log_sum;  // [rows] f32
  at::Tensor entropy;                    // [rows] f32; undefined: not wanted
};

struct NcclOptions {
  int rank = 0, world_size = 1;
  int device = 0;  // of this rank
  std::chrono::milliseconds timeout = std::chrono::minutes(30);
};

struct Plugin {
  uint32_t version = kPluginVersion;
  uint32_t bytes = sizeof(Plugin);

  // Why no CUDA device can be used, in a few words; "" where one can.
  std::string (*device_problem)();
  int (*device_count)();
  int (*nccl_version)();  // 22809 = 2.28.9
  // Of this thread, whose work goes to its default stream.
  void (*set_device)(int device);
  // Bytes of its memory that are free, and all of them.
  void (*device_memory)(int device, int64_t& free, int64_t& total);

  // residual [rows, width] += delta (undefined: nothing), y = its RMS norm times weight; inverse_rms [rows] f32 or
  // undefined.
  void (*add_norm)(const at::Tensor& delta, const at::Tensor& residual, const at::Tensor& weight, double epsilon,
                   const at::Tensor& y, const at::Tensor& inverse_rms);
  // dx [rows, width] = or += (with `add`) the gradient through the norm; dweight [width] f32 is added to. The width is
  // at most kMostNormWidth.
  void (*norm_backward)(const at::Tensor& dy, const at::Tensor& x, const at::Tensor& weight,
                        const at::Tensor& inverse_rms, const at::Tensor& dx, bool add, const at::Tensor& dweight);
  // gate_up [rows, 2 width] -> out [rows, width]
  void (*swiglu)(const at::Tensor& gate_up, const at::Tensor& out);
  // gate_up becomes its gradient, activation [rows, width] receives the activation again.
  void (*swiglu_backward)(const at::Tensor& dout, const at::Tensor& gate_up, const at::Tensor& activation);
  // Norm and rotation of queries and keys in place; `inverse`: the rotation back, of gradients, without norms.
  void (*rotate)(const at::Tensor& qkv, const ops::HeadShape& shape, const ops::Rotation& rotation, bool inverse);
  // Norm and rotation of queries and keys in place, keys and values into the cache. positions of `rotation` are unused.
  void (*rotate_append)(const at::Tensor& qkv, const ops::HeadShape& shape, const ops::Rotation& rotation,
                        const ops::KvPages& cache, const PagedRows& rows);
  // out [rows, heads * head_dim]
  void (*paged_decode)(const at::Tensor& qkv, const ops::HeadShape& shape, const ops::KvPages& cache,
                       const PagedRows& rows, const at::Tensor& out);
  // Causal attention of packed sequences, qkv [tokens, qkv_width] after rotation, bf16, through ATen's flash attention;
  // offsets [sequences + 1] int32 on the device, no sequence has more than `longest` tokens. Heads of a multiple of 8,
  // at most 256. out [tokens, heads * head_dim], log_sum [tokens, heads] f32.
  void (*packed_attention)(const at::Tensor& qkv, const at::Tensor& offsets, int64_t longest,
                           const ops::HeadShape& shape, const at::Tensor& out, const at::Tensor& log_sum);
  void (*packed_attention_backward)(const at::Tensor& dout, const at::Tensor& qkv, const at::Tensor& out,
                                    const at::Tensor& log_sum, const at::Tensor& offsets, int64_t longest,
                                    const ops::HeadShape& shape, const at::Tensor& dqkv);
  // logits [rows, vocab], targets [rows] int64
  void (*score_logits)(const at::Tensor& logits, const at::Tensor& targets, double temperature,
                       const LogitScores& scores);
  // logits become their gradient; targets count from the first column. g_entropy may be undefined.
  void (*logit_gradient)(const at::Tensor& logits, const at::Tensor& targets, double temperature,
                         const LogitScores& scores, const at::Tensor& g_logprob, const at::Tensor& g_entropy);
  void (*sample)(const at::Tensor& logits, const SampleRows& rows, const SampledRows& result);

  // Over NCCL; tensors of the CPU are copied to the device and back. The store outlives it.
  std::unique_ptr<distributed::Communicator> (*nccl_communicator)(c10d::Store& store, const NcclOptions& options);
  // Steps as CUDA graphs.
  std::unique_ptr<ops::StepGraphs> (*decode_graphs)();
};

}  // namespace laconic::cuda

// The library's one entry: null where it was built for another version. Lives as long as the process.
extern "C" const laconic::cuda::Plugin* laconic_cuda_plugin(uint32_t version);
