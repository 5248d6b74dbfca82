// The communicator of a run of one process: every collective is a copy or nothing.
#pragma once

#include <memory>

#include "laconic/core/distributed/communicator.h"

namespace laconic::distributed {

class SingleProcess final : public Communicator {
 public:
  SingleProcess() : Communicator(0, 1) {}

 private:
  std::unique_ptr<Work> start_all_reduce(const at::Tensor& tensor, Reduction reduction) override;
  std::unique_ptr<Work> start_broadcast(const at::Tensor& tensor, int root) override;
  std::unique_ptr<Work> start_all_gather(const at::Tensor& shard, const at::Tensor& all) override;
  std::unique_ptr<Work> start_reduce_scatter(const at::Tensor& all, const at::Tensor& shard) override;
};

}  // namespace laconic::distributed
