#include "laconic/core/ops/sampler.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "laconic/core/ops/kernels.h"

namespace laconic::ops {
namespace {

// Most probable first, equal ones by id. By logits: the weights of neighbours may round to the same value, and those
// far below the largest to zero.
struct ByLogit {
  const float* logits;
  bool operator()(int32_t a, int32_t b) const { return logits[a] != logits[b] ? logits[a] > logits[b] : a < b; }
};

// Sorts the first `count` of the order; the rest stays in some order.
void sort_front(std::vector<int32_t>& order, size_t count, const float* logits) {
  const ByLogit less{logits};
  const auto middle = order.begin() + static_cast<std::ptrdiff_t>(std::min(count, order.size()));
  if (middle != order.end()) std::nth_element(order.begin(), middle, order.end(), less);
  std::sort(order.begin(), middle, less);
}

// The tokens that survive truncation, most probable first, and the sum of their weights.
double keep_tokens(const float* logits, int64_t vocab, const SamplingParams& params, SamplerScratch& scratch) {
  auto& order = scratch.order;
  const float* weights = scratch.weights.data();
  order.resize(static_cast<size_t>(vocab));
  std::iota(order.begin(), order.end(), 0);
  if (params.top_k > 0 && params.top_k < vocab) {
    sort_front(order, static_cast<size_t>(params.top_k), logits);
    order.resize(static_cast<size_t>(params.top_k));
  }
  if (params.top_p < 1.0) {
    double total = 0;
    for (int32_t id : order) total += static_cast<double>(weights[id]);
    // Few tokens hold most of the mass: sort a growing front instead of the whole vocabulary.
    double held = 0;
    size_t kept = 0;
    for (size_t front = 64; kept == 0 || (held < params.top_p * total && kept < order.size()); front *= 8) {
      sort_front(order, front, logits);
      held = 0;
      kept = 0;
      while (kept < std::min(front, order.size()) && (kept == 0 || held < params.top_p * total)) {
        held += static_cast<double>(weights[order[kept++]]);
      }
      if (front >= order.size()) break;
    }
    order.resize(kept);
  }
  if (params.min_p > 0) {
    std::erase_if(order, [&](int32_t id) { return static_cast<double>(weights[id]) < params.min_p; });
  }
  std::sort(order.begin(), order.end(), ByLogit{logits});
  double sum = 0;
  for (int32_t id : order) sum += static_cast<double>(weights[id]);
  return sum;
}

int32_t draw_truncated(double sum, double u, const SamplerScratch& scratch) {
  double reached = 0;
  int32_t last = scratch.order.front();
  for (int32_t id : scratch.order) {
    const auto w = static_cast<double>(scratch.weights[static_cast<size_t>(id)]);
    if (w <= 0) break;  // kept by top-k, but too improbable for a float
    last = id;
    reached += w;
    if (reached > u * sum) break;
  }
  return last;  // also where rounding kept `reached` below
}

constexpr int64_t kSumChunk = 256;

int32_t draw_any(int64_t vocab, double u, SamplerScratch& scratch) {
  double total = 0;
  for (double s : scratch.sums) total += s;
  const double wanted = u * total;
  double reached = 0;
  size_t chunk = 0;
  while (chunk + 1 < scratch.sums.size() && reached + scratch.sums[chunk] <= wanted) reached += scratch.sums[chunk++];
  const auto begin = static_cast<int64_t>(chunk) * kSumChunk, end = std::min(vocab, begin + kSumChunk);
  int32_t last = -1;
  for (int64_t i = begin; i < end; ++i) {
    const auto w = static_cast<double>(scratch.weights[static_cast<size_t>(i)]);
    if (w > 0) last = static_cast<int32_t>(i);
    reached += w;
    if (w > 0 && reached > wanted) break;
  }
  if (last >= 0) return last;
  // Rounding at the very end of a row whose tail has no weight.
  for (int64_t i = vocab - 1; i > 0; --i) {
    if (scratch.weights[static_cast<size_t>(i)] > 0) return static_cast<int32_t>(i);
  }
  return 0;
}

void fill_weights(const float* logits, int64_t vocab, float inverse, float largest, SamplerScratch& scratch) {
  scratch.weights.resize(static_cast<size_t>(vocab));
  scratch.sums.resize(static_cast<size_t>((vocab + kSumChunk - 1) / kSumChunk));
  for (size_t chunk = 0; chunk < scratch.sums.size(); ++chunk) {
    const auto begin = static_cast<int64_t>(chunk) * kSumChunk;
    scratch.sums[chunk] = static_cast<double>(kernels().sample_weights(
        logits + begin, scratch.weights.data() + begin, std::min(kSumChunk, vocab - begin), inverse, largest));
  }
}

float logprob_of(float z, const LogitStatistics& s) {
  return z - s.largest - s.log_sum;
}

// The distribution's statistics, and where tokens are dropped the log of what is kept, relative to the largest.
struct Distribution {
  LogitStatistics statistics;
  float inverse = 1.0f;
  double kept_sum = 0;
};

Distribution prepare(const float* logits, int64_t vocab, const SamplingParams& params, bool want_entropy,
                     SamplerScratch& scratch) {
  Distribution d;
  d.inverse = params.temperature > 0 ? static_cast<float>(1.0 / params.temperature) : 1.0f;
  d.statistics = kernels().logit_statistics(logits, vocab, d.inverse, want_entropy);
  if (!d.statistics.finite || params.temperature <= 0) return d;
  fill_weights(logits, vocab, d.inverse, d.statistics.largest, scratch);
  if (params.truncates()) d.kept_sum = keep_tokens(logits, vocab, params, scratch);
  return d;
}

float truncated_logprob(float z, const Distribution& d) {
  return z - d.statistics.largest - static_cast<float>(std::log(d.kept_sum));
}

}  // namespace

DrawnToken sample_token(const float* logits, int64_t vocab, const SamplingParams& params, double u, bool want_entropy,
                        SamplerScratch& scratch) {
  const auto d = prepare(logits, vocab, params, want_entropy, scratch);
  DrawnToken token;
  token.finite = d.statistics.finite;
  if (!token.finite) return token;
  token.entropy = d.statistics.entropy;
  const bool greedy = params.temperature <= 0, truncated = !greedy && params.truncates();
  if (greedy) {
    token.id = static_cast<int32_t>(std::max_element(logits, logits + vocab) - logits);
  } else {
    token.id = truncated ? draw_truncated(d.kept_sum, u, scratch) : draw_any(vocab, u, scratch);
  }
  const float z = logits[token.id] * d.inverse;
  token.logprob = truncated ? truncated_logprob(z, d) : logprob_of(z, d.statistics);
  return token;
}

DrawnToken score_token(const float* logits, int64_t vocab, const SamplingParams& params, int32_t id, bool want_entropy,
                       SamplerScratch& scratch) {
  const bool truncated = params.temperature > 0 && params.truncates();
  Distribution d;
  if (truncated) {
    d = prepare(logits, vocab, params, want_entropy, scratch);
  } else {
    d.inverse = params.temperature > 0 ? static_cast<float>(1.0 / params.temperature) : 1.0f;
    d.statistics = kernels().logit_statistics(logits, vocab, d.inverse, want_entropy);
  }
  DrawnToken token;
  token.id = id;
  token.finite = d.statistics.finite;
  if (!token.finite) return token;
  token.entropy = d.statistics.entropy;
  const float z = logits[id] * d.inverse;
  if (!truncated) {
    token.logprob = logprob_of(z, d.statistics);
  } else if (std::find(scratch.order.begin(), scratch.order.end(), id) != scratch.order.end()) {
    token.logprob = truncated_logprob(z, d);
  } else {
    token.logprob = -std::numeric_limits<float>::infinity();
  }
  return token;
}

}  // namespace laconic::ops
