#include "laconic/core/rollout/page_pool.h"

#include "laconic/core/base/error.h"

namespace laconic::rollout {

PagePool::PagePool(int64_t pages) : counts_(static_cast<size_t>(pages), 0) {
  for (int64_t page = pages - 1; page >= 0; --page) free_.push_back(static_cast<int32_t>(page));
}

std::optional<int32_t> PagePool::take() {
  if (free_.empty()) return std::nullopt;
  const int32_t page = free_.back();
  free_.pop_back();
  counts_[static_cast<size_t>(page)] = 1;
  return page;
}

int32_t& PagePool::count_of(int32_t page) {
  LACONIC_CHECK(page >= 0 && page < capacity(), "there is no page {} among {}", page, capacity());
  return counts_[static_cast<size_t>(page)];
}

void PagePool::share(int32_t page) {
  auto& count = count_of(page);
  LACONIC_CHECK(count > 0, "page {} is free and cannot be shared", page);
  ++count;
}

void PagePool::drop(int32_t page) {
  auto& count = count_of(page);
  LACONIC_CHECK(count > 0, "page {} is free already", page);
  if (--count == 0) free_.push_back(page);
}

}  // namespace laconic::rollout
