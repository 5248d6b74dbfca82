#include "laconic/cuda/plugin.h"

#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAFunctions.h>
#include <c10/cuda/CUDAGuard.h>
#include <cuda_runtime_api.h>
#include <nccl.h>

#include "laconic/cuda/plugin/tensor_ops.h"

namespace laconic::cuda {
namespace {

// The runtime itself is asked, since LibTorch turns any problem into "no devices".
std::string device_problem() {
  int driver = 0, count = 0;
  if (cudaDriverGetVersion(&driver) != cudaSuccess || driver == 0) return "driver: none";
  const auto version = std::to_string(driver / 1000) + "." + std::to_string(driver % 1000 / 10);
  if (const cudaError_t error = cudaGetDeviceCount(&count); error != cudaSuccess)
    return "driver: CUDA " + version + ", " + cudaGetErrorString(error);
  return count > 0 ? "" : "driver: CUDA " + version + ", no device; is CUDA_VISIBLE_DEVICES empty?";
}

int device_count() {
  int count = 0;
  return cudaGetDeviceCount(&count) == cudaSuccess ? count : 0;
}

int nccl_version() {
  int version = 0;
  return ncclGetVersion(&version) == ncclSuccess ? version : 0;
}

void set_device(int device) {
  c10::cuda::set_device(static_cast<c10::DeviceIndex>(device));
}

void device_memory(int device, int64_t& free, int64_t& total) {
  const c10::cuda::CUDAGuard guard(static_cast<c10::DeviceIndex>(device));
  size_t free_bytes = 0, all_bytes = 0;
  C10_CUDA_CHECK(cudaMemGetInfo(&free_bytes, &all_bytes));
  free = static_cast<int64_t>(free_bytes);
  total = static_cast<int64_t>(all_bytes);
}

constexpr Plugin kPlugin = {.device_problem = device_problem,
                            .device_count = device_count,
                            .nccl_version = nccl_version,
                            .set_device = set_device,
                            .device_memory = device_memory,
                            .add_norm = add_norm,
                            .norm_backward = norm_backward,
                            .swiglu = swiglu,
                            .swiglu_backward = swiglu_backward,
                            .rotate = rotate,
                            .rotate_append = rotate_append,
                            .paged_decode = paged_decode,
                            .packed_attention = packed_attention,
                            .packed_attention_backward = packed_attention_backward,
                            .score_logits = score_logits,
                            .logit_gradient = logit_gradient,
                            .sample = sample,
                            .nccl_communicator = nccl_communicator,
                            .decode_graphs = decode_graphs};

}  // namespace
}  // namespace laconic::cuda

const laconic::cuda::Plugin* laconic_cuda_plugin(uint32_t version) {
  return version == laconic::cuda::kPluginVersion ? &laconic::cuda::kPlugin : nullptr;
}
