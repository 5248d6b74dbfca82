// The draws of core/base/rng.h on the device: the same number for the same identity, bit for bit.
#pragma once

#include "laconic/cuda/kernels/portable.h"

namespace laconic::cuda {

// Who draws. key = mix_key({seed, DrawPurpose::sample_token, step}), made on the host.
struct DrawKey {
  uint64_t key = 0;
  uint64_t prompt = 0;
  uint32_t sample = 0;
};

// uniform_draw() of the identity and position: Philox 4x32-10, the first 53 bits, in the open interval (0, 1).
LACONIC_DEVICE double uniform_draw(const DrawKey& who, uint32_t position) {
  uint32_t c0 = static_cast<uint32_t>(who.prompt), c1 = static_cast<uint32_t>(who.prompt >> 32), c2 = who.sample,
           c3 = position;
  uint32_t k0 = static_cast<uint32_t>(who.key), k1 = static_cast<uint32_t>(who.key >> 32);
  for (int round = 0; round < 10; ++round) {
    const uint64_t p0 = static_cast<uint64_t>(0xD2511F53u) * c0, p1 = static_cast<uint64_t>(0xCD9E8D57u) * c2;
    c0 = static_cast<uint32_t>(p1 >> 32) ^ c1 ^ k0;
    c1 = static_cast<uint32_t>(p1);
    c2 = static_cast<uint32_t>(p0 >> 32) ^ c3 ^ k1;
    c3 = static_cast<uint32_t>(p0);
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  const uint64_t bits = ((static_cast<uint64_t>(c0) << 32) | c1) >> 11;
  const double u = (static_cast<double>(bits) + 0.5) * 0x1.0p-53;
  return smaller(u, 1.0 - 0x1.0p-53);
}

}  // namespace laconic::cuda
