// Collectives between GPUs: LibTorch's ProcessGroupNCCL behind the communicator of the ranks.
#include <ATen/Functions.h>
#include <c10/cuda/CUDAFunctions.h>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>

#include <utility>

#include "laconic/core/distributed/backend_communicator.h"
#include "laconic/cuda/plugin/tensor_ops.h"

namespace laconic::cuda {
namespace {

using distributed::BackendCommunicator;
using distributed::Reduction;
using distributed::Work;

c10::intrusive_ptr<c10d::ProcessGroupNCCL> make_group(c10d::Store& store, const NcclOptions& o) {
  auto options = c10d::ProcessGroupNCCL::Options::create(/*is_high_priority_stream=*/true);
  options->timeout = o.timeout;
  options->config.blocking = 1;
  auto own = c10::make_intrusive<c10d::PrefixStore>("nccl", c10::intrusive_ptr<c10d::Store>::reclaim_copy(&store));
  return c10::make_intrusive<c10d::ProcessGroupNCCL>(std::move(own), o.rank, o.world_size, std::move(options));
}

// Copies a result back to the CPU tensor that it belongs to, once the collective has ended.
class CopyBack final : public Work {
 public:
  CopyBack(std::unique_ptr<Work> work, at::Tensor from, at::Tensor to)
      : work_(std::move(work)), from_(std::move(from)), to_(std::move(to)) {}
  void wait() override {
    work_->wait();     // the current stream waits
    to_.copy_(from_);  // and the processor for it
  }

 private:
  std::unique_ptr<Work> work_;
  at::Tensor from_, to_;
};

// On CUDA tensors wait() lets the current stream wait, not the processor. CPU tensors (counts, metrics, barriers) go
// through the device.
class NcclCommunicator final : public BackendCommunicator {
 public:
  NcclCommunicator(c10::intrusive_ptr<c10d::ProcessGroupNCCL> group, int device)
      : BackendCommunicator(group),
        group_(std::move(group)),
        device_(at::kCUDA, static_cast<at::DeviceIndex>(device)) {}
  ~NcclCommunicator() override { group_->shutdown(); }
  NcclCommunicator(const NcclCommunicator&) = delete;
  NcclCommunicator& operator=(const NcclCommunicator&) = delete;

 private:
  std::unique_ptr<Work> start_all_reduce(const at::Tensor& tensor, Reduction reduction) override {
    if (tensor.is_cuda()) return BackendCommunicator::start_all_reduce(tensor, reduction);
    const auto there = tensor.detach().to(device_);
    return back(BackendCommunicator::start_all_reduce(there, reduction), there, tensor);
  }
  std::unique_ptr<Work> start_broadcast(const at::Tensor& tensor, int root) override {
    if (tensor.is_cuda()) return BackendCommunicator::start_broadcast(tensor, root);
    const auto there = tensor.detach().to(device_);
    return back(BackendCommunicator::start_broadcast(there, root), there, tensor);
  }
  std::unique_ptr<Work> start_all_gather(const at::Tensor& shard, const at::Tensor& all) override {
    if (all.is_cuda()) return BackendCommunicator::start_all_gather(shard, all);
    const auto there = at::empty_like(all, all.options().device(device_));
    return back(BackendCommunicator::start_all_gather(shard.detach().to(device_), there), there, all);
  }
  std::unique_ptr<Work> start_reduce_scatter(const at::Tensor& all, const at::Tensor& shard) override {
    if (shard.is_cuda()) return BackendCommunicator::start_reduce_scatter(all, shard);
    const auto there = at::empty_like(shard, shard.options().device(device_));
    return back(BackendCommunicator::start_reduce_scatter(all.detach().to(device_), there), there, shard);
  }

  static std::unique_ptr<Work> back(std::unique_ptr<Work> work, const at::Tensor& from, const at::Tensor& to) {
    return std::make_unique<CopyBack>(std::move(work), from, to.detach());
  }

  c10::intrusive_ptr<c10d::ProcessGroupNCCL> group_;
  at::Device device_;
};

}  // namespace

std::unique_ptr<distributed::Communicator> nccl_communicator(c10d::Store& store, const NcclOptions& options) {
  c10::cuda::set_device(static_cast<c10::DeviceIndex>(options.device));
  return std::make_unique<NcclCommunicator>(make_group(store, options), options.device);
}

}  // namespace laconic::cuda
