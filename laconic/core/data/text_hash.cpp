#include "laconic/core/data/text_hash.h"

#include "laconic/core/base/rng.h"

namespace laconic::data {

uint64_t text_hash(std::string_view text) {
  constexpr uint64_t kPrime = 0x100000001b3ull;
  uint64_t hash = 0xcbf29ce484222325ull;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * kPrime;
  return mix_key({hash, text.size()});
}

}  // namespace laconic::data
