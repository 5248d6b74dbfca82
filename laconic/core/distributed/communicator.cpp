#include "laconic/core/distributed/communicator.h"

#include <ATen/ATen.h>

#include <utility>

#include "laconic/core/base/error.h"
#include "laconic/core/base/strings.h"
#include "laconic/core/base/timer.h"

namespace laconic::distributed {
namespace {

void check_tensor(const char* name, const at::Tensor& tensor) {
  LACONIC_CHECK(tensor.defined() && tensor.is_contiguous(), "{}: expected a contiguous tensor", name);
}

void check_parts(const char* name, const at::Tensor& all, const at::Tensor& shard, int world_size) {
  check_tensor(name, all);
  check_tensor(name, shard);
  LACONIC_CHECK(all.numel() == shard.numel() * world_size && all.scalar_type() == shard.scalar_type(),
                "{}: {} values of {} ranks do not fit {} values in all", name, shard.numel(), world_size, all.numel());
}

// LibTorch's messages carry a backtrace behind the first line, and Gloo's a source file before it: "[/..pair.cc:538] ".
std::string first_line(const std::string& text) {
  auto line = trim(std::string_view(text).substr(0, text.find('\n')));
  if (const auto end = line.find("] "); line.starts_with("[/") && end != std::string_view::npos)
    line.remove_prefix(end + 2);
  return std::string(line);
}

// The second highest bit of the element in the middle: of a floating-point number, of its exponent.
void flip_a_bit(const at::Tensor& tensor) {
  constexpr int kBit = 64;
  const int64_t element = tensor.numel() / 2;
  const auto bytes = tensor.detach().view({-1}).view(at::kByte);
  bytes.narrow(0, (element + 1) * tensor.element_size() - 1, 1).bitwise_xor_(kBit);
}

}  // namespace

Pending::Pending(Communicator& owner, const char* name, uint64_t sequence, at::Tensor result,
                 std::unique_ptr<Work> work)
    : owner_(&owner), name_(name), sequence_(sequence), result_(std::move(result)), work_(std::move(work)) {}

void Pending::wait() {
  LACONIC_CHECK(work_ != nullptr, "{} #{} was waited for twice", name_, sequence_);
  const Timer timer;
  owner_->activity_.begin_collective(name_, sequence_);
  try {
    std::exchange(work_, nullptr)->wait();
  } catch (...) {
    owner_->rethrow(name_, sequence_);
  }
  if (sequence_ == owner_->corrupt_) flip_a_bit(result_);
  owner_->activity_.end_collective();
  owner_->traffic_.wait_seconds += timer.seconds();
}

Communicator::Communicator(int rank, int world_size) : rank_(rank), world_size_(world_size) {
  LACONIC_CHECK(world_size >= 1 && rank >= 0 && rank < world_size, "rank {} of {}", rank, world_size);
}

template <typename Start>
Pending Communicator::begin(const char* name, const at::Tensor& result, const Start& start) {
  const uint64_t sequence = ++sequence_;
  try {
    return {*this, name, sequence, result, start()};
  } catch (...) {
    rethrow(name, sequence);
  }
}

void Communicator::count(const at::Tensor& tensor, double wire_factor) {
  const auto bytes = static_cast<double>(tensor.nbytes());
  ++traffic_.collectives;
  traffic_.payload_bytes += bytes;
  traffic_.wire_bytes += bytes * wire_factor * (world_size_ - 1) / world_size_;
}

Pending Communicator::all_reduce(const at::Tensor& tensor, Reduction reduction) {
  check_tensor("all_reduce", tensor);
  count(tensor, 2);
  return begin("all_reduce", tensor, [&] { return start_all_reduce(tensor, reduction); });
}

Pending Communicator::broadcast(const at::Tensor& tensor, int root) {
  check_tensor("broadcast", tensor);
  LACONIC_CHECK(root >= 0 && root < world_size_, "broadcast from rank {} of {}", root, world_size_);
  count(tensor, 1);
  return begin("broadcast", tensor, [&] { return start_broadcast(tensor, root); });
}

Pending Communicator::all_gather(const at::Tensor& shard, const at::Tensor& all) {
  check_parts("all_gather", all, shard, world_size_);
  count(all, 1);
  return begin("all_gather", all, [&] { return start_all_gather(shard, all); });
}

Pending Communicator::reduce_scatter(const at::Tensor& all, const at::Tensor& shard) {
  check_parts("reduce_scatter", all, shard, world_size_);
  count(all, 1);
  return begin("reduce_scatter", shard, [&] { return start_reduce_scatter(all, shard); });
}

void Communicator::barrier() {
  // The reduction of one value: every back end has it, and the last to arrive releases all.
  const auto one = at::ones({1}, at::kInt);
  begin("barrier", one, [&] { return start_all_reduce(one, Reduction::sum); }).wait();
  LACONIC_CHECK(one.item<int>() == world_size_, "a barrier counted {} of {} ranks", one.item<int>(), world_size_);
}

void Communicator::rethrow(const char* name, uint64_t sequence) const {
  std::string reason = "an unknown exception";
  try {
    throw;
  } catch (const c10::Error& error) {
    reason = first_line(error.what_without_backtrace());
  } catch (const std::exception& error) {
    reason = first_line(error.what());
  }
  throw CollectiveError(ErrorKind::io, fmt::format("rank {} of {}: {} #{} in phase {} failed: {}", rank_, world_size_,
                                                   name, sequence, activity_.state().phase, reason));
}

}  // namespace laconic::distributed
