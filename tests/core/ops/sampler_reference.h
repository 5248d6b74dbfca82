// The distribution that a sampler should draw from, in double and without shortcuts.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <string>
#include <vector>

#include "laconic/core/base/rng.h"
#include "laconic/core/ops/sampler.h"

namespace laconic::ops {

// Probability of each token; 0 where truncation drops it.
inline std::vector<double> sampling_reference(const std::vector<float>& logits, const SamplingParams& params) {
  const auto n = logits.size();
  std::vector<size_t> order(n);
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return logits[a] > logits[b]; });
  std::vector<double> weight(n);
  for (size_t i = 0; i < n; ++i)
    weight[i] = std::exp((static_cast<double>(logits[i]) - static_cast<double>(logits[order[0]])) / params.temperature);
  if (params.top_k > 0) order.resize(std::min(n, static_cast<size_t>(params.top_k)));
  const auto sum = [&] {
    double total = 0;
    for (size_t i : order) total += weight[i];
    return total;
  };
  if (params.top_p < 1) {
    const double wanted = params.top_p * sum();
    double held = 0;
    size_t kept = 0;
    while (kept < order.size() && (kept == 0 || held < wanted)) held += weight[order[kept++]];
    order.resize(kept);
  }
  std::erase_if(order, [&](size_t i) { return weight[i] < params.min_p; });
  std::vector<double> p(n, 0.0);
  const double total = sum();
  for (size_t i : order) p[i] = weight[i] / total;
  return p;
}

inline std::vector<float> random_logits(int64_t vocab, uint64_t seed, double spread) {
  Rng rng(DrawPurpose::procedural_data, {seed});
  std::vector<float> logits(static_cast<size_t>(vocab));
  for (float& x : logits) x = static_cast<float>(spread * rng.normal());
  return logits;
}

struct SamplingCase {
  std::string name;
  SamplingParams params;
};

inline const std::vector<SamplingCase>& sampling_cases() {
  static const std::vector<SamplingCase> cases = {
      {"plain", {1.0}},
      {"cold", {0.6}},
      {"hot", {2.5}},
      {"top_k", {1.0, 5}},
      {"top_k_beyond_the_vocabulary", {1.0, 100000}},
      {"top_p", {1.0, 0, 0.8}},
      {"top_p_of_almost_all", {0.8, 0, 0.9999}},
      {"min_p", {1.0, 0, 1.0, 0.05}},
      {"top_k_and_top_p", {0.7, 9, 0.7}},
      {"top_p_and_min_p", {1.2, 0, 0.95, 0.1}},
      {"all_three", {0.9, 8, 0.9, 0.02}},
  };
  return cases;
}

}  // namespace laconic::ops
