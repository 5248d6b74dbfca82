// Selection without sorting: of items with distinct 64-bit keys and a measure each (a count, or a probability mass),
// the item at which the measures, added up from the largest key down, reach a wanted amount. Eight bits of the key at a
// time: a histogram of the measure by the next digit says in which bucket the item lies.
//
// Measures are integers, so the sums are exact and do not depend on the order of the atomic additions.
#pragma once

#include "laconic/cuda/kernels/reduce.h"

namespace laconic::cuda {

using Mass = unsigned long long;

inline constexpr int kDigitBits = 8;
inline constexpr int kBuckets = 1 << kDigitBits;

// Shared memory of a selection.
struct SelectMemory {
  Mass* buckets;  // [kBuckets]
  Mass* found;    // [2]: the bucket, and the measure of the buckets above it
};

// One step of the histogram, by a whole warp; bucket -1 adds nothing. Neighbours often fall into one bucket, and then
// one lane adds for all of them.
template <typename Block>
LACONIC_DEVICE void add_to_bucket(Block& block, Mass* buckets, int bucket, Mass measure) {
  const int first = block.shuffle(bucket, 0);
  if (block.all(bucket == first)) {
    if (first < 0) return;
    const Mass total = reduce_warp(block, measure, Sum{});
    if (block.lane() == 0) block.add(buckets + first, total);
  } else if (bucket >= 0) {
    block.add(buckets + bucket, measure);
  }
}

// By one warp: the bucket, from the last one down, in which the sum reaches `need`.
template <typename Block>
LACONIC_DEVICE void find_bucket(Block& block, const SelectMemory& memory, Mass need) {
  constexpr int kPerLane = kBuckets / kWarp;
  const int lane = block.lane(), top = kBuckets - 1 - lane * kPerLane;
  Mass own = 0;
  for (int i = 0; i < kPerLane; ++i) own += memory.buckets[top - i];
  Mass upto = own;  // of this lane and those above
  for (int distance = 1; distance < kWarp; distance *= 2) {
    const Mass other = block.shuffle(upto, lane < distance ? lane : lane - distance);
    if (lane >= distance) upto += other;
  }
  Mass before = upto - own;
  if (before >= need || upto < need) return;  // one lane stays
  for (int i = 0; i < kPerLane; ++i) {
    const Mass here = memory.buckets[top - i];
    if (before + here >= need) {
      memory.found[0] = static_cast<Mass>(top - i);
      memory.found[1] = before;
      return;
    }
    before += here;
  }
}

// items(i, key, measure) fills in item i and returns whether it takes part; key < 2^bits. 1 <= need <= sum of measures.
// Returns the key, in every thread.
template <typename Block, typename Items>
LACONIC_DEVICE uint64_t select_key(Block& block, int64_t n, int bits, const Items& items, Mass need,
                                   const SelectMemory& memory) {
  uint64_t prefix = 0;
  for (int shift = (bits - 1) / kDigitBits * kDigitBits; shift >= 0; shift -= kDigitBits) {
    block.barrier();
    for (int b = block.thread(); b < kBuckets; b += block.threads()) memory.buckets[b] = 0;
    block.barrier();
    for (int64_t base = static_cast<int64_t>(block.warp()) * kWarp; base < n; base += block.threads()) {
      const int64_t i = base + block.lane();
      uint64_t key = 0;
      Mass measure = 0;
      int bucket = -1;
      // Digits above the next one are those found already. Two shifts: one by 64 would not be defined.
      if (i < n && items(i, key, measure) && ((key ^ prefix) >> shift >> kDigitBits) == 0)
        bucket = static_cast<int>((key >> shift) & (kBuckets - 1));
      add_to_bucket(block, memory.buckets, bucket, measure);
    }
    block.barrier();
    if (block.warp() == 0) find_bucket(block, memory, need);
    block.barrier();
    prefix |= static_cast<uint64_t>(memory.found[0]) << shift;
    need -= memory.found[1];
  }
  return prefix;
}

}  // namespace laconic::cuda
