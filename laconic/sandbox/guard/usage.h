// What the descendants of this process use.
#pragma once

#include <cstdint>

namespace laconic::guard {

struct Usage {
  uint64_t processes = 0;     // threads counted
  uint64_t memory_bytes = 0;  // resident
};
Usage usage_of_descendants();

}  // namespace laconic::guard
