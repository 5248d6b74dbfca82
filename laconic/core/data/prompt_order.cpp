#include "laconic/core/data/prompt_order.h"

#include "laconic/core/base/error.h"
#include "laconic/core/base/rng.h"

namespace laconic::data {
namespace {

constexpr uint32_t kRounds = 8;

}  // namespace

PromptOrder::PromptOrder(size_t count, uint64_t seed, bool shuffle) : count_(count), seed_(seed), shuffle_(shuffle) {
  LACONIC_CHECK(count > 0 && count <= (1ull << 62), "a prompt order needs 1 to 2^62 prompts, found {}", count);
  while ((1ull << (2 * half_bits_)) < count_) ++half_bits_;
}

uint64_t PromptOrder::permute(uint64_t key, uint64_t value) const {
  const uint64_t mask = (1ull << half_bits_) - 1;
  uint64_t left = value >> half_bits_, right = value & mask;
  for (uint32_t round = 0; round < kRounds; ++round) {
    const uint64_t mixed = left ^ (philox(key, {static_cast<uint32_t>(right), round, 0, 0})[0] & mask);
    left = right;
    right = mixed;
  }
  return (left << half_bits_) | right;
}

size_t PromptOrder::at(uint64_t position) const {
  const uint64_t within = position % count_;
  if (!shuffle_) return within;
  const uint64_t key = mix_key({seed_, static_cast<uint64_t>(DrawPurpose::prompt_order), epoch(position)});
  uint64_t value = permute(key, within);
  while (value >= count_) value = permute(key, value);
  return value;
}

}  // namespace laconic::data
