// Drawing one token from each row of logits: temperature, top-k, top-p, min-p or greedy, with the draws of
// core/base/rng.h. Every row has parameters of its own. One block per row, no sorting (radix_select.h).
//
// Probabilities are fixed-point integers, so all sums are exact: a draw depends on the row, its parameters and its
// identity alone. It is the token that the CPU draws unless the uniform number falls within rounding of the border
// between two tokens. CPU reference: ops::sample_token and ops::score_token.
#pragma once

#include "laconic/cuda/kernels/launch.h"
#include "laconic/cuda/kernels/philox.h"
#include "laconic/cuda/kernels/radix_select.h"

namespace laconic::cuda {

// ops::SamplingParams of one row, and who draws.
struct SampleRow {
  DrawKey who;
  float inverse_temperature = 1;  // 1 / temperature; 0 = greedy
  int64_t top_k = 0;              // 0 = all
  double top_p = 1;
  double min_p = 0;
};

struct SampleArgs {
  Element element = Element::f32;
  const void* logits = nullptr;         // [rows, vocab]
  const SampleRow* params = nullptr;    // [rows]
  const uint32_t* positions = nullptr;  // [rows]: which draw of the identity
  const int64_t* given = nullptr;       // [rows] or null; >= 0: this token is scored and nothing is drawn
  int64_t* ids = nullptr;               // [rows]
  float* logprob = nullptr;   // [rows], as ops::DrawnToken has it; -infinity: truncation drops the given token
  float* entropy = nullptr;   // [rows] or null
  uint8_t* finite = nullptr;  // [rows]: 0 where the logits held NaN or infinity; then the id is 0
  int64_t rows = 0, vocab = 0;
};

inline constexpr int kSampleThreads = 1024;
inline constexpr int64_t kMostSampledTokens = int64_t{1} << 19;
inline constexpr float kMassOne =
    0x1.0p44f;  // a weight of 1 (the largest token's); kMostSampledTokens of it fit 63 bits

// A float as an integer of the same order; equal numbers are equal.
LACONIC_DEVICE uint32_t ordered(float x) {
  const uint32_t bits = bits_of(x + 0.0f);  // -0 becomes 0
  return (bits & 0x80000000u) != 0 ? ~bits : bits | 0x80000000u;
}

template <typename T>
struct Sample {
  static constexpr int kMostThreads = kSampleThreads;

  // A row and what is known of its distribution.
  struct Row {
    const T* logits;
    int64_t vocab;
    int id_bits;
    float inverse, largest;  // of z
    uint64_t lowest_key;     // of the tokens that top-k and top-p keep
    double min_p;

    LACONIC_DEVICE float logit(int64_t i) const { return to_float(logits[i]); }
    LACONIC_DEVICE float down(int64_t i) const { return logit(i) * inverse - largest; }
    LACONIC_DEVICE float weight(int64_t i) const { return expf(down(i)); }
    LACONIC_DEVICE static Mass mass(float weight) { return static_cast<Mass>(weight * kMassOne); }
    // Most probable first, equal ones by id.
    LACONIC_DEVICE uint64_t key(int64_t i) const {
      return (static_cast<uint64_t>(ordered(logit(i))) << id_bits) | static_cast<uint64_t>(vocab - 1 - i);
    }
    LACONIC_DEVICE int64_t id_of(uint64_t key) const {
      return vocab - 1 - static_cast<int64_t>(key & ((uint64_t{1} << id_bits) - 1));
    }
    LACONIC_DEVICE bool keeps(int64_t i) const {
      return key(i) >= lowest_key && static_cast<double>(weight(i)) >= min_p;
    }
  };

  struct Totals {
    Mass all;        // of the weights
    double entropy;  // sum of -w log w, in weights
  };

  template <typename Block>
  static LACONIC_DEVICE void run(Block& block, const SampleArgs& a) {
    SelectMemory memory{block.template shared<Mass>(kBuckets), block.template shared<Mass>(2)};
    Mass* scratch = block.template shared<Mass>(block.warps());
    const int64_t at = block.x();
    const SampleRow params = a.params[at];
    const bool greedy = params.inverse_temperature == 0.0f;
    Row row{static_cast<const T*>(a.logits) + at * a.vocab,
            a.vocab,
            1,
            greedy ? 1.0f : params.inverse_temperature,
            0,
            0,
            0};
    while ((int64_t{1} << row.id_bits) < a.vocab) ++row.id_bits;

    const uint64_t best = find_best(block, row, scratch);
    row.largest = row.logit(row.id_of(best)) * row.inverse;
    if (best == 0 || !isfinite(row.largest)) {
      if (block.thread() == 0) write(a, at, 0, 0.0f, 0.0f, 0);
      return;
    }
    const Totals totals = add_up(block, row, a.entropy != nullptr, scratch);
    const double total = static_cast<double>(totals.all) / static_cast<double>(kMassOne);
    const float log_sum = static_cast<float>(log(total));
    const float entropy = static_cast<float>(log(total) + totals.entropy / total);

    const int64_t given = a.given == nullptr ? -1 : a.given[at];
    const bool truncated = !greedy && (params.top_k > 0 || params.top_p < 1.0 || params.min_p > 0.0);
    float log_kept = log_sum;
    int64_t id = given >= 0 ? given : row.id_of(best);
    if (truncated) {
      const Mass kept = truncate(block, row, params, scratch, memory);
      log_kept = static_cast<float>(log(static_cast<double>(kept) / static_cast<double>(kMassOne)));
      if (given < 0) id = draw_kept(block, row, wanted(kept, params.who, a.positions[at]), memory);
    } else if (!greedy && given < 0) {
      id = draw_any(block, row, wanted(totals.all, params.who, a.positions[at]), memory);
    }
    if (block.thread() != 0) return;
    const float logprob =
        truncated && !row.keeps(id) ? minus_infinity() : row.logit(id) * row.inverse - row.largest - log_kept;
    write(a, at, id, logprob, entropy, 1);
  }

 private:
  static LACONIC_DEVICE void write(const SampleArgs& a, int64_t at, int64_t id, float logprob, float entropy,
                                   uint8_t finite) {
    a.ids[at] = id;
    a.logprob[at] = logprob;
    if (a.entropy != nullptr) a.entropy[at] = entropy;
    a.finite[at] = finite;
  }

  // The key of the most probable token; 0 where a logit is NaN.
  template <typename Block>
  static LACONIC_DEVICE uint64_t find_best(Block& block, const Row& row, Mass* scratch) {
    Mass best = 0, bad = 0;
    for (int64_t i = block.thread(); i < row.vocab; i += block.threads()) {
      const float x = row.logit(i);
      if (x != x) bad = 1;
      best = larger(best, static_cast<Mass>(row.key(i)));
    }
    best = reduce_block(block, best, scratch, Largest{});
    return reduce_block(block, bad, scratch, Largest{}) != 0 ? 0 : best;
  }

  template <typename Block>
  static LACONIC_DEVICE Totals add_up(Block& block, const Row& row, bool want_entropy, Mass* scratch) {
    Mass all = 0, disorder = 0;
    for (int64_t i = block.thread(); i < row.vocab; i += block.threads()) {
      const float down = row.down(i), weight = expf(down);
      all += Row::mass(weight);
      if (want_entropy && weight > 0.0f) disorder += Row::mass(-down * weight);
    }
    all = reduce_block(block, all, scratch, Sum{});
    disorder = want_entropy ? reduce_block(block, disorder, scratch, Sum{}) : 0;
    return {all, static_cast<double>(disorder) / static_cast<double>(kMassOne)};
  }

  // Sets what the row keeps, and returns its mass.
  template <typename Block>
  static LACONIC_DEVICE Mass truncate(Block& block, Row& row, const SampleRow& params, Mass* scratch,
                                      const SelectMemory& memory) {
    const int key_bits = 32 + row.id_bits;
    if (params.top_k > 0 && params.top_k < row.vocab) {
      const auto one_each = [&](int64_t i, uint64_t& key, Mass& measure) {
        key = row.key(i);
        measure = 1;
        return true;
      };
      row.lowest_key = select_key(block, row.vocab, key_bits, one_each, static_cast<Mass>(params.top_k), memory);
    }
    if (params.top_p < 1.0) {
      const double share = ceil(params.top_p * static_cast<double>(kept_mass(block, row, scratch)));
      const Mass need = share < 1.0 ? 1 : static_cast<Mass>(share);
      row.lowest_key = select_key(block, row.vocab, key_bits, kept_items(row), need, memory);
    }
    row.min_p = params.min_p;
    return kept_mass(block, row, scratch);
  }

  template <typename Block>
  static LACONIC_DEVICE Mass kept_mass(Block& block, const Row& row, Mass* scratch) {
    Mass mass = 0;
    for (int64_t i = block.thread(); i < row.vocab; i += block.threads())
      if (row.keeps(i)) mass += Row::mass(row.weight(i));
    return reduce_block(block, mass, scratch, Sum{});
  }

  static LACONIC_DEVICE auto kept_items(const Row& row) {
    return [&row](int64_t i, uint64_t& key, Mass& measure) {
      key = row.key(i);
      measure = Row::mass(row.weight(i));
      return row.keeps(i);
    };
  }

  // The token drawn is the first one with which the mass is above u * total.
  static LACONIC_DEVICE Mass wanted(Mass total, const DrawKey& who, uint32_t position) {
    const Mass below = static_cast<Mass>(uniform_draw(who, position) * static_cast<double>(total));
    return smaller(below, total - 1) + 1;
  }

  // Among the kept tokens, in the order of their probability.
  template <typename Block>
  static LACONIC_DEVICE int64_t draw_kept(Block& block, const Row& row, Mass need, const SelectMemory& memory) {
    return row.id_of(select_key(block, row.vocab, 32 + row.id_bits, kept_items(row), need, memory));
  }

  // Among all tokens, in the order of their ids.
  template <typename Block>
  static LACONIC_DEVICE int64_t draw_any(Block& block, const Row& row, Mass need, const SelectMemory& memory) {
    const auto items = [&](int64_t i, uint64_t& key, Mass& measure) {
      key = static_cast<uint64_t>(row.vocab - 1 - i);
      measure = Row::mass(row.weight(i));
      return true;
    };
    return row.vocab - 1 - static_cast<int64_t>(select_key(block, row.vocab, row.id_bits, items, need, memory));
  }
};

// vocab <= kMostSampledTokens.
template <typename Launcher>
void start(const SampleArgs& a, const Launcher& launcher) {
  if (a.rows == 0 || a.vocab == 0) return;
  Grid grid{.x = a.rows, .threads = threads_for(a.vocab, kSampleThreads)};
  grid.shared_bytes = shared_size<Mass>(kBuckets) + shared_size<Mass>(2) + shared_size<Mass>(grid.threads / kWarp);
  with_element(a.element,
               [&](auto tag) { launcher.template start<Sample<typename decltype(tag)::type>>("sample", grid, a); });
}

}  // namespace laconic::cuda
