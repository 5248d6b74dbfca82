#include "laconic/core/distributed/thread_group.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <condition_variable>
#include <exception>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "laconic/core/base/error.h"

namespace laconic::distributed {
namespace {

// What one rank brings to a collective.
struct Part {
  std::string signature;  // collective, root, sizes, dtype: must be that of every other rank
  at::Tensor in, out;
};

// One collective: complete when every rank has brought its part.
struct Encounter {
  std::vector<Part> parts;
  size_t arrived = 0;
  size_t left = 0;
  bool complete = false;
  std::string error;
};

at::Tensor total(const std::vector<Part>& parts, bool maximum) {
  auto sum = parts.front().in.clone();
  for (size_t r = 1; r < parts.size(); ++r) sum = maximum ? at::maximum(sum, parts[r].in) : sum + parts[r].in;
  return sum;
}

}  // namespace

// Where the threads meet: the n-th collective of every rank is the n-th encounter.
class ThreadGroup::Meeting {
 public:
  using Finish = std::function<void(std::vector<Part>&)>;

  Meeting(int world_size, std::chrono::milliseconds timeout)
      : world_size_(static_cast<size_t>(world_size)), timeout_(timeout) {}

  void arrive(uint64_t number, int rank, Part part, const Finish& finish) {
    const at::NoGradGuard no_grad;
    const std::lock_guard lock(mutex_);
    auto& encounter = encounters_[number];
    encounter.parts.resize(world_size_);
    for (size_t other = 0; other < world_size_; ++other) {
      const auto& signature = encounter.parts[other].signature;
      if (signature.empty() || signature == part.signature || !encounter.error.empty()) continue;
      encounter.error = fmt::format("the ranks are out of step: rank {} is in {}, rank {} in {}", other, signature,
                                    rank, part.signature);
    }
    encounter.parts[static_cast<size_t>(rank)] = std::move(part);
    if (++encounter.arrived == world_size_ && encounter.error.empty()) {
      finish(encounter.parts);
      encounter.complete = true;
    }
    changed_.notify_all();
  }

  void wait(uint64_t number) {
    std::unique_lock lock(mutex_);
    auto& encounter = encounters_.at(number);
    const bool in_time = changed_.wait_for(
        lock, timeout_, [&] { return encounter.complete || !encounter.error.empty() || !failure_.empty(); });
    if (!in_time) encounter.error = fmt::format("it was not joined by {}", absent(encounter));
    if (!encounter.complete) fail(ErrorKind::io, "{}", encounter.error.empty() ? failure_ : encounter.error);
    if (++encounter.left == world_size_) encounters_.erase(number);
  }

  // Makes everything fail that waits or will wait.
  void abandon(const std::string& reason) {
    const std::lock_guard lock(mutex_);
    if (failure_.empty()) failure_ = reason;
    changed_.notify_all();
  }

 private:
  std::string absent(const Encounter& encounter) const {
    std::string text;
    for (size_t r = 0; r < world_size_; ++r) {
      if (encounter.parts[r].signature.empty()) text += fmt::format("{}rank {}", text.empty() ? "" : ", ", r);
    }
    return text;
  }

  const size_t world_size_;
  const std::chrono::milliseconds timeout_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<uint64_t, Encounter> encounters_;
  std::string failure_;
};

class ThreadGroup::Rank final : public Communicator {
 public:
  Rank(Meeting& meeting, int rank, int world_size) : Communicator(rank, world_size), meeting_(meeting) {}

 private:
  class Waiting final : public Work {
   public:
    Waiting(Meeting& meeting, uint64_t number) : meeting_(meeting), number_(number) {}
    void wait() override { meeting_.wait(number_); }

   private:
    Meeting& meeting_;
    uint64_t number_;
  };

  std::unique_ptr<Work> meet(const std::string& name, const at::Tensor& in, const at::Tensor& out,
                             const Meeting::Finish& finish) {
    const auto number = ++number_;
    const auto signature = fmt::format("{} of {} values of {}", name, in.numel(), c10::toString(in.scalar_type()));
    meeting_.arrive(number, rank(), {signature, in.detach(), out.detach()}, finish);
    return std::make_unique<Waiting>(meeting_, number);
  }

  std::unique_ptr<Work> start_all_reduce(const at::Tensor& tensor, Reduction reduction) override {
    const bool maximum = reduction == Reduction::max;
    return meet(maximum ? "all_reduce (max)" : "all_reduce", tensor, tensor, [maximum](auto& parts) {
      const auto result = total(parts, maximum);
      for (auto& part : parts) part.out.copy_(result);
    });
  }

  std::unique_ptr<Work> start_broadcast(const at::Tensor& tensor, int root) override {
    return meet(fmt::format("broadcast from {}", root), tensor, tensor, [root](auto& parts) {
      const auto source = parts[static_cast<size_t>(root)].in.clone();
      for (auto& part : parts) part.out.copy_(source);
    });
  }

  std::unique_ptr<Work> start_all_gather(const at::Tensor& shard, const at::Tensor& all) override {
    return meet("all_gather", shard.view({-1}), all.view({-1}), [](auto& parts) {
      std::vector<at::Tensor> shards;
      shards.reserve(parts.size());
      for (const auto& part : parts) shards.push_back(part.in);
      const auto result = at::cat(shards);
      for (auto& part : parts) part.out.copy_(result);
    });
  }

  std::unique_ptr<Work> start_reduce_scatter(const at::Tensor& all, const at::Tensor& shard) override {
    return meet("reduce_scatter", all.view({-1}), shard.view({-1}), [](auto& parts) {
      const auto result = total(parts, /*maximum=*/false).chunk(static_cast<int64_t>(parts.size()));
      for (size_t r = 0; r < parts.size(); ++r) parts[r].out.copy_(result[r]);
    });
  }

  Meeting& meeting_;
  uint64_t number_ = 0;
};

ThreadGroup::ThreadGroup(int world_size, std::chrono::milliseconds timeout)
    : meeting_(std::make_unique<Meeting>(world_size, timeout)) {
  for (int r = 0; r < world_size; ++r) ranks_.push_back(std::make_unique<Rank>(*meeting_, r, world_size));
}

ThreadGroup::~ThreadGroup() = default;

void ThreadGroup::run(const std::function<void(Communicator&)>& body) {
  std::mutex mutex;
  std::exception_ptr first;
  std::vector<std::thread> threads;
  for (auto& rank : ranks_) {
    threads.emplace_back([&, &communicator = *rank] {
      try {
        body(communicator);
      } catch (...) {
        {
          const std::lock_guard lock(mutex);
          if (!first) first = std::current_exception();
        }
        meeting_->abandon(fmt::format("rank {} has failed", communicator.rank()));
      }
    });
  }
  for (auto& thread : threads) thread.join();
  if (first) std::rethrow_exception(first);
}

}  // namespace laconic::distributed
