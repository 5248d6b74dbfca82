#include "laconic/core/rollout/stop_text.h"

#include <algorithm>

namespace laconic::rollout {

StopText::StopText(std::vector<std::string> stops, std::unique_ptr<TextStream> stream)
    : stops_(std::move(stops)), stream_(std::move(stream)) {
  for (const auto& stop : stops_) longest_ = std::max(longest_, stop.size());
}

bool StopText::push(int32_t id, bool forced) {
  tail_ += stream_->push(id);
  const bool found = std::any_of(stops_.begin(), stops_.end(),
                                 [&](const auto& stop) { return tail_.find(stop) != std::string::npos; });
  if (found && forced) {
    tail_.clear();  // a stop string inside forced text is not looked at again
    return false;
  }
  if (tail_.size() >= longest_) tail_.erase(0, tail_.size() - (longest_ - 1));
  return found;
}

}  // namespace laconic::rollout
