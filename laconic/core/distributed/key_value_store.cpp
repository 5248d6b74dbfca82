#include "laconic/core/distributed/key_value_store.h"

namespace laconic::distributed {

void LocalStore::set(const std::string& key, const std::string& text) {
  const std::lock_guard lock(mutex_);
  texts_[key] = text;
}

std::optional<std::string> LocalStore::get(const std::string& key) {
  const std::lock_guard lock(mutex_);
  const auto found = texts_.find(key);
  if (found == texts_.end()) return std::nullopt;
  return found->second;
}

std::string LocalStore::set_if_absent(const std::string& key, const std::string& text) {
  const std::lock_guard lock(mutex_);
  return texts_.try_emplace(key, text).first->second;
}

int64_t LocalStore::add(const std::string& key, int64_t amount) {
  const std::lock_guard lock(mutex_);
  return counters_[key] += amount;
}

}  // namespace laconic::distributed
