// Drawing one token from a row of logits: temperature, top-k, top-p, min-p, or greedy, by one uniform number.
#pragma once

#include <cstdint>
#include <vector>

namespace laconic::ops {

struct SamplingParams {
  double temperature = 1.0;  // 0 = greedy: the largest logit, the first of equal ones
  int64_t top_k = 0;         // keep the k most probable tokens; 0 = all
  double top_p = 1.0;        // then the fewest of them that hold this share of the probability
  double min_p = 0.0;        // then those of at least this share of the most probable one

  bool truncates() const { return top_k > 0 || top_p < 1.0 || min_p > 0.0; }
};

struct DrawnToken {
  int32_t id = 0;
  float logprob = 0;   // at the temperature, among the tokens that truncation kept; greedy: at temperature 1
  float entropy = 0;   // nats, of the full vocabulary at the temperature; 0 unless asked for
  bool finite = true;  // false: the logits held NaN or infinity; nothing else is valid then
};

// Memory for one thread, kept between calls.
struct SamplerScratch {
  std::vector<float> weights;
  std::vector<double> sums;
  std::vector<int32_t> order;
};

// u in (0, 1). The draw depends on the row, the parameters and u alone.
DrawnToken sample_token(const float* logits, int64_t vocab, const SamplingParams& params, double u, bool want_entropy,
                        SamplerScratch& scratch);

// Logprob (and entropy) of a given token under the same distribution; minus infinity where truncation drops it.
DrawnToken score_token(const float* logits, int64_t vocab, const SamplingParams& params, int32_t id, bool want_entropy,
                       SamplerScratch& scratch);

}  // namespace laconic::ops
