#include "laconic/core/distributed/checksum.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace laconic::distributed {

int64_t checksum(std::string_view bytes) {
  uint64_t sum = 0x9e3779b97f4a7c15ull + bytes.size();
  for (size_t at = 0; at < bytes.size(); at += sizeof(uint64_t)) {
    uint64_t word = 0;
    std::memcpy(&word, bytes.data() + at, std::min(sizeof word, bytes.size() - at));
    sum = std::rotl(sum ^ word, 23) * 0x2127599bf4325c37ull;
  }
  return static_cast<int64_t>(sum);
}

}  // namespace laconic::distributed
