#include "laconic/core/distributed/work_split.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace laconic::distributed {

std::vector<std::vector<int64_t>> deal(std::span<const int64_t> costs, int ranks) {
  std::vector<int64_t> order(costs.size());
  std::iota(order.begin(), order.end(), int64_t{0});
  const auto cost = [&](int64_t item) { return costs[static_cast<size_t>(item)]; };
  std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) { return cost(a) > cost(b); });
  std::vector<std::vector<int64_t>> dealt(static_cast<size_t>(ranks));
  std::vector<std::pair<int64_t, size_t>> load;  // cost and number of items of each rank
  load.resize(dealt.size());
  for (const int64_t item : order) {
    const auto least = static_cast<size_t>(std::min_element(load.begin(), load.end()) - load.begin());
    dealt[least].push_back(item);
    load[least].first += cost(item);
    ++load[least].second;
  }
  for (auto& items : dealt) std::sort(items.begin(), items.end());
  return dealt;
}

}  // namespace laconic::distributed
