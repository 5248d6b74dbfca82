// Collectives through one of LibTorch's back ends (c10d): ProcessGroupGloo between CPUs, ProcessGroupNCCL between GPUs.
// Includes c10d's headers, which are slow to compile: for the files that make a back end, not for its users.
#pragma once

#include <memory>
#include <torch/csrc/distributed/c10d/Backend.hpp>

#include "laconic/core/distributed/communicator.h"

namespace laconic::distributed {

class BackendCommunicator : public Communicator {
 public:
  explicit BackendCommunicator(c10::intrusive_ptr<c10d::Backend> backend);

 protected:
  c10d::Backend& backend() { return *backend_; }
  std::unique_ptr<Work> start_all_reduce(const at::Tensor& tensor, Reduction reduction) override;
  std::unique_ptr<Work> start_broadcast(const at::Tensor& tensor, int root) override;
  std::unique_ptr<Work> start_all_gather(const at::Tensor& shard, const at::Tensor& all) override;
  std::unique_ptr<Work> start_reduce_scatter(const at::Tensor& all, const at::Tensor& shard) override;

 private:
  c10::intrusive_ptr<c10d::Backend> backend_;
};

}  // namespace laconic::distributed
