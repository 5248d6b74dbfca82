#include "laconic/core/distributed/backend_communicator.h"

#include <utility>
#include <vector>

#include "laconic/core/base/error.h"

namespace laconic::distributed {
namespace {

// Keeps the tensors alive until the back end is done with them.
class BackendWork final : public Work {
 public:
  BackendWork(c10::intrusive_ptr<c10d::Work> work, std::vector<at::Tensor> tensors)
      : work_(std::move(work)), tensors_(std::move(tensors)) {}
  void wait() override {
    if (!work_->wait()) fail(ErrorKind::io, "it was aborted");
  }

 private:
  c10::intrusive_ptr<c10d::Work> work_;
  std::vector<at::Tensor> tensors_;
};

}  // namespace

BackendCommunicator::BackendCommunicator(c10::intrusive_ptr<c10d::Backend> backend)
    : Communicator(backend->getRank(), backend->getSize()), backend_(std::move(backend)) {}

std::unique_ptr<Work> BackendCommunicator::start_all_reduce(const at::Tensor& tensor, Reduction reduction) {
  c10d::AllreduceOptions options;
  options.reduceOp = reduction == Reduction::max ? c10d::ReduceOp::MAX : c10d::ReduceOp::SUM;
  std::vector<at::Tensor> tensors = {tensor.detach()};
  auto work = backend_->allreduce(tensors, options);
  return std::make_unique<BackendWork>(std::move(work), std::move(tensors));
}

std::unique_ptr<Work> BackendCommunicator::start_broadcast(const at::Tensor& tensor, int root) {
  c10d::BroadcastOptions options;
  options.rootRank = root;
  std::vector<at::Tensor> tensors = {tensor.detach()};
  auto work = backend_->broadcast(tensors, options);
  return std::make_unique<BackendWork>(std::move(work), std::move(tensors));
}

std::unique_ptr<Work> BackendCommunicator::start_all_gather(const at::Tensor& shard, const at::Tensor& all) {
  std::vector<at::Tensor> tensors = {all.detach().view({-1}), shard.detach().view({-1})};
  auto work = backend_->_allgather_base(tensors[0], tensors[1]);
  return std::make_unique<BackendWork>(std::move(work), std::move(tensors));
}

std::unique_ptr<Work> BackendCommunicator::start_reduce_scatter(const at::Tensor& all, const at::Tensor& shard) {
  std::vector<at::Tensor> tensors = {shard.detach().view({-1}), all.detach().view({-1})};
  auto work = backend_->_reduce_scatter_base(tensors[0], tensors[1]);
  return std::make_unique<BackendWork>(std::move(work), std::move(tensors));
}

}  // namespace laconic::distributed
