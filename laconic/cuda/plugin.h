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
#include <functional>
#include <memory>
#include <string>

#include "laconic/core/distributed/communicator.h"
#include "laconic/core/ops/paged_attention.h"
#include "laconic/core/ops/rotary.h"
#include "laconic/cuda/kernels/sample.h"

namespace c10d {
class Store;
}

namespace laconic::cuda {

// Raised by one whenever anything in this header, or in a header that it includes, changes.
inline constexpr uint32_t kPluginVersion = 1;

// Where the rows of a step lie in the cache, on the device.
struct PagedRows {
  at::Tensor page_table;  // [sequences, max_pages] int32
  at::Tensor sequence;    // [rows] int32: line of the table; undefined: row i is sequence i
  at::Tensor positions;   // [rows] int64; < 0: the row is idle
};

// Rows of logits to draw from, on the device. `given` is undefined, or holds tokens to score where it is >= 0.
struct SampleRows {
  at::Tensor params;     // [rows * sizeof(SampleRow)] uint8: SampleRow of each row
  at::Tensor positions;  // [rows] int32: which draw of the identity
  at::Tensor given;      // [rows] int64
};
struct SampledRows {
  at::Tensor ids;      // [rows] int64
  at::Tensor logprob;  // [rows] f32
  at::Tensor entropy;  // [rows] f32; undefined: not wanted
  at::Tensor finite;   // [rows] uint8
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

// A decoding step as one CUDA graph per batch size.
class DecodeGraphs {
 public:
  virtual ~DecodeGraphs() = default;
  // Runs `step` for the batch size `rows`: twice as it is (the first time sizes the allocator's pool and starts the
  // libraries), then captured, from then on replayed without calling it. What it reads and writes must lie at the same
  // addresses each time, and it must not wait for the device.
  virtual void run(int64_t rows, const std::function<void()>& step) = 0;
  virtual void clear() = 0;  // weights or caches have moved
};

struct Plugin {
  uint32_t version = kPluginVersion;
  uint32_t bytes = sizeof(Plugin);

  // Why no CUDA device can be used, in a few words; "" where one can.
  std::string (*device_problem)();
  int (*device_count)();
  int (*nccl_version)();  // 22809 = 2.28.9

  // residual [rows, width] += delta (undefined: nothing), y = its RMS norm times weight; inverse_rms [rows] f32 or
  // undefined.
  void (*add_norm)(const at::Tensor& delta, const at::Tensor& residual, const at::Tensor& weight, double epsilon,
                   const at::Tensor& y, const at::Tensor& inverse_rms);
  // gate_up [rows, 2 width] -> out [rows, width]
  void (*swiglu)(const at::Tensor& gate_up, const at::Tensor& out);
  // gate_up becomes its gradient, activation [rows, width] receives the activation again.
  void (*swiglu_backward)(const at::Tensor& dout, const at::Tensor& gate_up, const at::Tensor& activation);
  // Norm and rotation of queries and keys in place, keys and values into the cache. positions of `rotation` are unused.
  void (*rotate_append)(const at::Tensor& qkv, const ops::HeadShape& shape, const ops::Rotation& rotation,
                        const ops::KvPages& cache, const PagedRows& rows);
  // out [rows, heads * head_dim]; no position is above longest_context - 1.
  void (*paged_decode)(const at::Tensor& qkv, const ops::HeadShape& shape, const ops::KvPages& cache,
                       const PagedRows& rows, int64_t longest_context, const at::Tensor& out);
  // Causal attention of packed sequences, qkv [tokens, qkv_width] after rotation, bf16, through ATen's flash attention;
  // offsets [sequences + 1] int32 on the device. Differentiable.
  at::Tensor (*packed_attention)(const at::Tensor& qkv, const at::Tensor& offsets, int64_t longest,
                                 const ops::HeadShape& shape);
  // logits [rows, vocab], targets [rows] int64
  void (*score_logits)(const at::Tensor& logits, const at::Tensor& targets, double temperature,
                       const LogitScores& scores);
  // logits become their gradient; targets count from the first column. g_entropy may be undefined.
  void (*logit_gradient)(const at::Tensor& logits, const at::Tensor& targets, double temperature,
                         const LogitScores& scores, const at::Tensor& g_logprob, const at::Tensor& g_entropy);
  void (*sample)(const at::Tensor& logits, const SampleRows& rows, const SampledRows& result);

  // Over NCCL; tensors of the CPU are copied to the device and back. The store outlives it.
  std::unique_ptr<distributed::Communicator> (*nccl_communicator)(c10d::Store& store, const NcclOptions& options);
  std::unique_ptr<DecodeGraphs> (*decode_graphs)();
};

}  // namespace laconic::cuda

// The library's one entry: null where it was built for another version. Lives as long as the process.
extern "C" const laconic::cuda::Plugin* laconic_cuda_plugin(uint32_t version);
