#include "laconic/core/distributed/bytes.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cstring>

namespace laconic::distributed {
namespace {

void fill(const at::Tensor& target, const std::string& bytes) {
  if (!bytes.empty()) std::memcpy(target.mutable_data_ptr<uint8_t>(), bytes.data(), bytes.size());
}

std::string text_of(const at::Tensor& bytes, int64_t begin, int64_t size) {
  return {reinterpret_cast<const char*>(bytes.const_data_ptr<uint8_t>()) + begin, static_cast<size_t>(size)};
}

std::vector<double> reduced(Communicator& communicator, const std::vector<double>& values, Reduction reduction) {
  if (values.empty()) return {};
  const auto tensor = at::tensor(values, at::kDouble);
  communicator.all_reduce(tensor, reduction).wait();
  const double* data = tensor.const_data_ptr<double>();
  return {data, data + values.size()};
}

}  // namespace

std::vector<std::string> all_gather_bytes(Communicator& communicator, const std::string& mine) {
  const auto ranks = communicator.world_size();
  const auto sizes = at::empty({ranks}, at::kLong);
  communicator.all_gather(at::full({1}, static_cast<int64_t>(mine.size()), at::kLong), sizes).wait();
  const int64_t* size = sizes.const_data_ptr<int64_t>();
  const int64_t longest = *std::max_element(size, size + ranks);
  if (longest == 0) return std::vector<std::string>(static_cast<size_t>(ranks));
  const auto shard = at::zeros({longest}, at::kByte), all = at::empty({longest * ranks}, at::kByte);
  fill(shard, mine);
  communicator.all_gather(shard, all).wait();
  std::vector<std::string> texts;
  for (int64_t r = 0; r < ranks; ++r) texts.push_back(text_of(all, r * longest, size[r]));
  return texts;
}

std::string broadcast_bytes(Communicator& communicator, const std::string& bytes, int root) {
  const auto size = at::full({1}, static_cast<int64_t>(bytes.size()), at::kLong);
  communicator.broadcast(size, root).wait();
  const auto count = size.item<int64_t>();
  if (count == 0) return "";
  const auto content = at::zeros({count}, at::kByte);
  if (communicator.rank() == root) fill(content, bytes);
  communicator.broadcast(content, root).wait();
  return text_of(content, 0, count);
}

bool any_rank(Communicator& communicator, bool here) {
  return max_over_ranks(communicator, {here ? 1.0 : 0.0}).front() > 0;
}

std::vector<double> sum_over_ranks(Communicator& communicator, const std::vector<double>& values) {
  return reduced(communicator, values, Reduction::sum);
}

std::vector<double> max_over_ranks(Communicator& communicator, const std::vector<double>& values) {
  return reduced(communicator, values, Reduction::max);
}

}  // namespace laconic::distributed
