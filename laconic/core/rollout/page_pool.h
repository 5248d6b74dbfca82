// Reference-counted pages of the key/value cache. A page may be read by several sequences; whoever writes to it writes
// only positions that no other reader counts as its own.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace laconic::rollout {

class PagePool {
 public:
  explicit PagePool(int64_t pages);

  int64_t capacity() const { return static_cast<int64_t>(counts_.size()); }
  int64_t available() const { return static_cast<int64_t>(free_.size()); }

  std::optional<int32_t> take();  // count 1; nothing when none is free
  void share(int32_t page);       // count + 1
  void drop(int32_t page);        // count - 1; free at 0

 private:
  int32_t& count_of(int32_t page);

  std::vector<int32_t> counts_;
  std::vector<int32_t> free_;  // the page freed last is taken first, so that untouched memory stays untouched
};

}  // namespace laconic::rollout
