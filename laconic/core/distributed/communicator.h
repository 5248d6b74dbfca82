// Collectives between the ranks of a run, on tensors only. Trainers and objectives see this interface and never a back
// end: one process (single_process.h), threads of one process (thread_group.h), Gloo or NCCL (backend_communicator.h).
//
// Every rank calls the same collectives in the same order with the same shapes and dtypes; the n-th call of one rank
// meets the n-th call of every other. A communicator belongs to one thread at a time.
//
// All of them are asynchronous: they begin, and Pending::wait() ends them. Until then the tensors must be left alone.
// Tensors are contiguous and lie where the back end works (CPU for Gloo). What goes wrong is a CollectiveError, of kind
// io, that names rank, phase, collective and its number.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <string>

#include "laconic/core/base/error.h"
#include "laconic/core/distributed/activity.h"

namespace laconic::distributed {

// A collective has failed. As a rule another rank is the cause, and this one suffers from it.
class CollectiveError : public Error {
 public:
  using Error::Error;
};

enum class Reduction { sum, max };

// Implemented by a back end: one collective in flight. Destroyed without a wait when its rank is failing.
class Work {
 public:
  virtual ~Work() = default;
  virtual void wait() = 0;  // throws whatever the back end throws
};

class Communicator;

class [[nodiscard]] Pending {
 public:
  Pending(Communicator& owner, const char* name, uint64_t sequence, at::Tensor result, std::unique_ptr<Work> work);
  Pending(Pending&&) noexcept = default;
  Pending& operator=(Pending&&) noexcept = default;
  ~Pending() = default;

  // Returns when the tensors hold the result. Once.
  void wait();

 private:
  Communicator* owner_;
  const char* name_;
  uint64_t sequence_;
  at::Tensor result_;
  std::unique_ptr<Work> work_;
};

// What one rank has sent so far.
struct Traffic {
  uint64_t collectives = 0;
  double wait_seconds = 0;   // spent in Pending::wait()
  double payload_bytes = 0;  // of the tensors given
  double wire_bytes = 0;  // sent by this rank in a ring: all_reduce 2(W-1)/W n, reduce_scatter and all_gather (W-1)/W n
};

class Communicator {
 public:
  Communicator(int rank, int world_size);
  virtual ~Communicator() = default;
  Communicator(const Communicator&) = delete;
  Communicator& operator=(const Communicator&) = delete;

  int rank() const { return rank_; }
  int world_size() const { return world_size_; }
  bool alone() const { return world_size_ == 1; }
  bool first() const { return rank_ == 0; }

  // Every rank's tensor becomes the sum (or maximum) over the ranks; the same bits on all of them.
  Pending all_reduce(const at::Tensor& tensor, Reduction reduction = Reduction::sum);
  // Every rank's tensor becomes that of rank `root`.
  Pending broadcast(const at::Tensor& tensor, int root);
  // `all` [world * n]: the shards [n] in the order of the ranks. `shard` does not lie within `all`.
  Pending all_gather(const at::Tensor& shard, const at::Tensor& all);
  // `shard` [n]: this rank's part of the sum over the ranks of `all` [world * n], whose content is lost.
  Pending reduce_scatter(const at::Tensor& all, const at::Tensor& shard);
  // Returns when every rank has called it.
  void barrier();

  // A fault on purpose: of what the number-th collective from now on (from 1) brings to this rank, one bit is another
  // than was sent.
  void corrupt(uint64_t number) { corrupt_ = sequence_ + number; }

  Activity& activity() { return activity_; }
  const Traffic& traffic() const { return traffic_; }

 protected:
  virtual std::unique_ptr<Work> start_all_reduce(const at::Tensor& tensor, Reduction reduction) = 0;
  virtual std::unique_ptr<Work> start_broadcast(const at::Tensor& tensor, int root) = 0;
  virtual std::unique_ptr<Work> start_all_gather(const at::Tensor& shard, const at::Tensor& all) = 0;
  virtual std::unique_ptr<Work> start_reduce_scatter(const at::Tensor& all, const at::Tensor& shard) = 0;

 private:
  friend class Pending;
  template <typename Start>
  Pending begin(const char* name, const at::Tensor& result, const Start& start);
  void count(const at::Tensor& tensor, double wire_factor);
  // The exception that is being handled, as an Error.
  [[noreturn]] void rethrow(const char* name, uint64_t sequence) const;

  int rank_, world_size_;
  uint64_t sequence_ = 0;
  uint64_t corrupt_ = 0;  // the number of a collective; 0 = none
  Activity activity_;
  Traffic traffic_;
};

}  // namespace laconic::distributed
