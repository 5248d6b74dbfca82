#include "laconic/core/data/reservoir.h"

#include <iterator>

#include "laconic/core/base/rng.h"

namespace laconic::data {

Reservoir::Key Reservoir::key(uint64_t place) const {
  const auto words = philox(mix_key({seed_, 0x7265736572766f69ull}),
                            {static_cast<uint32_t>(place), static_cast<uint32_t>(place >> 32), 0, 0});
  return {(uint64_t{words[0]} << 32) | words[1], place};
}

bool Reservoir::wants(uint64_t place) const {
  return kept_.size() < wanted_ || (!kept_.empty() && key(place) < kept_.rbegin()->first);
}

void Reservoir::put(uint64_t place, std::string item) {
  kept_.emplace(key(place), std::move(item));
  if (kept_.size() > wanted_) kept_.erase(std::prev(kept_.end()));
}

std::vector<std::string> Reservoir::take() {
  std::map<uint64_t, std::string> in_order;
  for (auto& [draw, item] : kept_) in_order.emplace(draw.second, std::move(item));
  kept_.clear();
  std::vector<std::string> items;
  items.reserve(in_order.size());
  for (auto& [place, item] : in_order) items.push_back(std::move(item));
  return items;
}

}  // namespace laconic::data
