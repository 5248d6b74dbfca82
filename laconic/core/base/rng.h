// Counter-based randomness (Philox 4x32-10, Salmon et al., SC 2011): a draw is a function of its identity alone, so it
// does not depend on the batch, the thread or the rank that computes it, and there is no generator state to save.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <utility>
#include <vector>

namespace laconic {

// One block of four 32-bit words from a 64-bit key and a 128-bit counter.
std::array<uint32_t, 4> philox(uint64_t key, const std::array<uint32_t, 4>& counter);

// Mixes values into a 64-bit key (splitmix64 finaliser, order matters).
uint64_t mix_key(std::initializer_list<uint64_t> values);

// What a draw is for. Numbers are part of the reproducibility contract: never reuse or renumber.
enum class DrawPurpose : uint32_t {
  sample_token = 1,
  prompt_order = 2,
  init_weights = 3,
  procedural_data = 4,
  exit_position = 5,
  tie_break = 6,
  sft_order = 7,
  bootstrap = 8,
  monitor_set = 9,
  completion_kind = 10,
};

// Who draws: a completion is sample `sample` of prompt `prompt` in step `step` of the run with seed `seed`.
struct DrawIdentity {
  uint64_t seed = 0;
  uint64_t step = 0;
  uint64_t prompt = 0;
  uint32_t sample = 0;
};

// Uniform in the open interval (0, 1), 53 bits, for token `position` of the identity.
double uniform_draw(const DrawIdentity& identity, DrawPurpose purpose, uint32_t position);

// A stream of draws for generators and shuffles: key from the given values, the counter runs.
class Rng {
 public:
  Rng(DrawPurpose purpose, std::initializer_list<uint64_t> values);

  uint32_t next();
  double uniform();                // open interval (0, 1)
  uint32_t below(uint32_t n);      // 0 .. n-1 without modulo bias; n > 0
  int between(int low, int high);  // low .. high, both included
  bool chance(double probability);
  double normal();  // standard normal (Box-Muller)

  template <typename T>
  void shuffle(std::vector<T>& values) {
    for (std::size_t i = values.size(); i > 1; --i) std::swap(values[i - 1], values[below(static_cast<uint32_t>(i))]);
  }

 private:
  uint64_t key_;
  uint64_t block_ = 0;
  std::array<uint32_t, 4> words_{};
  int left_ = 0;
};

}  // namespace laconic
