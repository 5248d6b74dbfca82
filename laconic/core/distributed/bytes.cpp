#include "laconic/core/distributed/bytes.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "laconic/core/base/error.h"
#include "laconic/core/distributed/checksum.h"

namespace laconic::distributed {
namespace {

template <typename T>
int64_t checksum_of(const T* values, size_t count) {
  return checksum({reinterpret_cast<const char*>(values), count * sizeof(T)});
}

// What is told of a message before it comes: its size, its checksum, and the checksum of these two.
constexpr int64_t kHeader = 3;

at::Tensor header_of(const std::string& bytes) {
  const std::array<int64_t, 2> told = {static_cast<int64_t>(bytes.size()), checksum(bytes)};
  return at::tensor({told[0], told[1], checksum_of(told.data(), told.size())}, at::kLong);
}

[[noreturn]] void fail_corrupt(Communicator& communicator, int64_t from) {
  fail(ErrorKind::io,
       "rank {} of {}: a message of rank {} arrived otherwise than it was sent, in phase {}: the network or a memory "
       "is broken",
       communicator.rank(), communicator.world_size(), from, communicator.activity().state().phase);
}

// The size of the message that the header of rank `from` tells of.
int64_t checked_size(Communicator& communicator, const int64_t* header, int64_t from) {
  if (checksum_of(header, kHeader - 1) != header[2]) fail_corrupt(communicator, from);
  return header[0];
}

void fill(const at::Tensor& target, const std::string& bytes) {
  if (!bytes.empty()) std::memcpy(target.mutable_data_ptr<uint8_t>(), bytes.data(), bytes.size());
}

std::string text_of(const at::Tensor& bytes, int64_t begin, int64_t size) {
  return {reinterpret_cast<const char*>(bytes.const_data_ptr<uint8_t>()) + begin, static_cast<size_t>(size)};
}

// Each rank adds up, in the order of the ranks, what all have sent: a wrong sum would be noticed by nobody, and a wrong
// decision would part the ranks.
std::vector<double> reduced(Communicator& communicator, const std::vector<double>& values, Reduction reduction) {
  if (values.empty()) return {};
  const auto of_ranks = all_gather_values(communicator, values);
  std::vector<double> total = of_ranks.front();
  for (size_t r = 1; r < of_ranks.size(); ++r) {
    for (size_t i = 0; i < total.size(); ++i) {
      const double theirs = of_ranks[r][i];
      total[i] = reduction == Reduction::max ? std::max(total[i], theirs) : total[i] + theirs;
    }
  }
  return total;
}

}  // namespace

std::vector<std::string> all_gather_bytes(Communicator& communicator, const std::string& mine) {
  const auto ranks = communicator.world_size();
  const auto headers = at::empty({ranks * kHeader}, at::kLong);
  communicator.all_gather(header_of(mine), headers).wait();
  const int64_t* header = headers.const_data_ptr<int64_t>();
  int64_t longest = 0;
  for (int64_t r = 0; r < ranks; ++r) longest = std::max(longest, checked_size(communicator, header + r * kHeader, r));
  if (longest == 0) return std::vector<std::string>(static_cast<size_t>(ranks));
  const auto shard = at::zeros({longest}, at::kByte), all = at::empty({longest * ranks}, at::kByte);
  fill(shard, mine);
  communicator.all_gather(shard, all).wait();
  std::vector<std::string> texts;
  texts.reserve(static_cast<size_t>(ranks));
  for (int64_t r = 0; r < ranks; ++r, header += kHeader) {
    texts.push_back(text_of(all, r * longest, header[0]));
    if (checksum(texts.back()) != header[1]) fail_corrupt(communicator, r);
  }
  return texts;
}

std::vector<std::vector<double>> all_gather_values(Communicator& communicator, const std::vector<double>& mine) {
  const size_t count = mine.size();
  std::vector<double> sent = mine;
  sent.push_back(std::bit_cast<double>(checksum_of(mine.data(), count)));
  const auto all = at::empty({communicator.world_size() * static_cast<int64_t>(sent.size())}, at::kDouble);
  communicator.all_gather(at::tensor(sent, at::kDouble), all).wait();
  std::vector<std::vector<double>> of_ranks;
  of_ranks.reserve(static_cast<size_t>(communicator.world_size()));
  const double* theirs = all.const_data_ptr<double>();
  for (int64_t r = 0; r < communicator.world_size(); ++r, theirs += sent.size()) {
    if (std::bit_cast<int64_t>(theirs[count]) != checksum_of(theirs, count)) fail_corrupt(communicator, r);
    of_ranks.emplace_back(theirs, theirs + count);
  }
  return of_ranks;
}

std::string broadcast_bytes(Communicator& communicator, const std::string& bytes, int root) {
  const auto header = header_of(bytes);
  communicator.broadcast(header, root).wait();
  const auto count = checked_size(communicator, header.const_data_ptr<int64_t>(), root);
  if (count == 0) return "";
  const auto content = at::zeros({count}, at::kByte);
  if (communicator.rank() == root) fill(content, bytes);
  communicator.broadcast(content, root).wait();
  auto text = text_of(content, 0, count);
  if (checksum(text) != header.const_data_ptr<int64_t>()[1]) fail_corrupt(communicator, root);
  return text;
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
