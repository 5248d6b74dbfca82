#include "laconic/core/distributed/weight_check.h"

#include <ATen/ATen.h>

#include <map>

#include "laconic/core/base/error.h"
#include "laconic/core/base/strings.h"
#include "laconic/core/distributed/checksum.h"

namespace laconic::distributed {
namespace {

int64_t checksum_of(const at::Tensor& tensor) {
  const auto contiguous = tensor.detach().to(at::kCPU).contiguous();
  return checksum({static_cast<const char*>(contiguous.const_data_ptr()), contiguous.nbytes()});
}

// The ranks whose value is not the one that most ranks have (of equally many: that of the lowest rank).
std::vector<std::string> deviating(const at::Tensor& column) {
  std::map<int64_t, int64_t> count;
  const auto ranks = column.numel();
  const auto value = [&](int64_t r) { return column[r].item<int64_t>(); };
  int64_t usual = value(0);
  for (int64_t r = 0; r < ranks; ++r) {
    ++count[value(r)];
  }
  for (int64_t r = 0; r < ranks; ++r) {
    if (count[value(r)] > count[usual]) usual = value(r);
  }
  std::vector<std::string> others;
  for (int64_t r = 0; r < ranks; ++r) {
    if (value(r) != usual) others.push_back(std::to_string(r));
  }
  return others;
}

}  // namespace

void check_same_weights(Communicator& communicator, const std::vector<std::pair<std::string, at::Tensor>>& weights,
                        const std::string& when) {
  if (!communicator.alone()) check_same_checksums(communicator, weights, weight_checksums(weights), when);
}

std::vector<int64_t> weight_checksums(const std::vector<std::pair<std::string, at::Tensor>>& weights) {
  std::vector<int64_t> sums;
  sums.reserve(weights.size());
  for (const auto& entry : weights) sums.push_back(checksum_of(entry.second));
  return sums;
}

void check_same_checksums(Communicator& communicator, const std::vector<std::pair<std::string, at::Tensor>>& weights,
                          const std::vector<int64_t>& checksums, const std::string& when) {
  if (communicator.alone()) return;
  const auto mine = at::tensor(checksums, at::kLong);
  const auto all = at::empty({communicator.world_size(), mine.numel()}, at::kLong);
  communicator.all_gather(mine, all).wait();
  std::vector<std::string> different;
  std::string ranks;
  for (size_t i = 0; i < weights.size(); ++i) {
    const auto others = deviating(all.select(1, static_cast<int64_t>(i)));
    if (others.empty()) continue;
    if (different.empty()) ranks = join(others, ", ");
    different.push_back(weights[i].first);
  }
  if (different.empty()) return;
  fail(ErrorKind::numeric,
       "rank {} of {}: {}: the weights have drifted apart: {} of {} tensors differ between the ranks, first {}, which "
       "rank {} has otherwise than the others",
       communicator.rank(), communicator.world_size(), when, different.size(), weights.size(), different.front(),
       ranks);
}

}  // namespace laconic::distributed
