// Hashes of texts: what is remembered of a set that is too large to be remembered itself.
#pragma once

#include <cstdint>
#include <string_view>

namespace laconic::data {

// 64 bits, FNV-1a with a finaliser: two of a million different texts share one with a probability of 3e-8.
uint64_t text_hash(std::string_view text);

}  // namespace laconic::data
