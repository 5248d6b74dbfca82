#include "laconic/core/base/rng.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "laconic/core/base/error.h"

namespace laconic {
namespace {

constexpr uint32_t kMultiplier0 = 0xD2511F53u;
constexpr uint32_t kMultiplier1 = 0xCD9E8D57u;
constexpr uint32_t kWeyl0 = 0x9E3779B9u;
constexpr uint32_t kWeyl1 = 0xBB67AE85u;

uint64_t splitmix(uint64_t x) {
  x += 0x9E3779B97F4A7C15ull;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ull;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBull;
  return x ^ (x >> 31);
}

double to_open_unit(uint32_t high, uint32_t low) {
  const uint64_t bits = ((static_cast<uint64_t>(high) << 32) | low) >> 11;  // 53 bits
  // The largest value plus a half would round up to 1.
  return std::min((static_cast<double>(bits) + 0.5) * 0x1.0p-53, 1.0 - 0x1.0p-53);
}

}  // namespace

std::array<uint32_t, 4> philox(uint64_t key, const std::array<uint32_t, 4>& counter) {
  auto c = counter;
  auto k0 = static_cast<uint32_t>(key);
  auto k1 = static_cast<uint32_t>(key >> 32);
  for (int round = 0; round < 10; ++round) {
    const uint64_t p0 = static_cast<uint64_t>(kMultiplier0) * c[0];
    const uint64_t p1 = static_cast<uint64_t>(kMultiplier1) * c[2];
    c = {static_cast<uint32_t>(p1 >> 32) ^ c[1] ^ k0, static_cast<uint32_t>(p1),
         static_cast<uint32_t>(p0 >> 32) ^ c[3] ^ k1, static_cast<uint32_t>(p0)};
    k0 += kWeyl0;
    k1 += kWeyl1;
  }
  return c;
}

uint64_t mix_key(std::initializer_list<uint64_t> values) {
  uint64_t key = 0x6C61636F6E696331ull;
  for (uint64_t value : values) key = splitmix(key ^ splitmix(value));
  return key;
}

double uniform_draw(const DrawIdentity& identity, DrawPurpose purpose, uint32_t position) {
  const uint64_t key = mix_key({identity.seed, static_cast<uint64_t>(purpose), identity.step});
  const auto words = philox(key, {static_cast<uint32_t>(identity.prompt), static_cast<uint32_t>(identity.prompt >> 32),
                                  identity.sample, position});
  return to_open_unit(words[0], words[1]);
}

Rng::Rng(DrawPurpose purpose, std::initializer_list<uint64_t> values)
    : key_(splitmix(mix_key(values) ^ splitmix(static_cast<uint64_t>(purpose)))) {}

uint32_t Rng::next() {
  if (left_ == 0) {
    words_ = philox(key_, {static_cast<uint32_t>(block_), static_cast<uint32_t>(block_ >> 32), 0, 0});
    ++block_;
    left_ = 4;
  }
  return words_[static_cast<size_t>(4 - left_--)];
}

double Rng::uniform() {
  const uint32_t high = next();
  return to_open_unit(high, next());
}

uint32_t Rng::below(uint32_t n) {
  LACONIC_CHECK(n > 0, "Rng::below needs n > 0");
  const uint32_t rejected = (0u - n) % n;  // 2^32 mod n
  for (;;) {
    const uint32_t word = next();
    if (word >= rejected) return word % n;
  }
}

int Rng::between(int low, int high) {
  return low + static_cast<int>(below(static_cast<uint32_t>(high - low + 1)));
}

bool Rng::chance(double probability) {
  return uniform() < probability;
}

double Rng::normal() {
  const double radius = std::sqrt(-2.0 * std::log(uniform()));
  return radius * std::cos(2.0 * std::numbers::pi * uniform());
}

}  // namespace laconic
