#include "laconic/core/distributed/blackboard.h"

namespace laconic::distributed {

void LocalBlackboard::post(int rank, const std::string& text) {
  const std::lock_guard lock(content_->mutex);
  content_->texts[rank] = text;
}

std::string LocalBlackboard::read(int rank) {
  const std::lock_guard lock(content_->mutex);
  const auto found = content_->texts.find(rank);
  return found == content_->texts.end() ? "" : found->second;
}

}  // namespace laconic::distributed
