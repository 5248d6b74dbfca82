// Logprob of a target token and entropy of each row of a chunk of logits, in one pass over the row (online softmax),
// and the gradient. z = logits / temperature throughout. CPU reference: logit_statistics and logit_gradient of
// ops/kernels.h.
#pragma once

#include "laconic/cuda/kernels/launch.h"
#include "laconic/cuda/kernels/reduce.h"

namespace laconic::cuda {

inline constexpr int kLogitThreads = 512;
inline constexpr float kLowestLogprob = -100.0f;  // below: counts as probability 0 in the entropy

struct LogitScoreArgs {
  Element element = Element::f32;
  const void* logits = nullptr;      // [rows, vocab]
  const int64_t* targets = nullptr;  // [rows], each in 0 .. vocab-1
  float inverse_temperature = 1;
  float* logprob = nullptr;  // [rows]; NaN where the row holds NaN or +infinity
  float* largest = nullptr;  // [rows]: max z
  float* log_sum = nullptr;  // [rows]: log sum exp(z - largest)
  float* entropy = nullptr;  // [rows] in nats, or null
  int64_t rows = 0, vocab = 0;
};

struct LogitGradientArgs {
  Element element = Element::f32;
  void* logits = nullptr;            // [rows, vocab]; becomes d loss / d logits
  const int64_t* targets = nullptr;  // [rows]; in the columns of this chunk, or outside of them
  float inverse_temperature = 1;
  const float* largest = nullptr;  // [rows], from the forward pass
  const float* log_sum = nullptr;
  const float* entropy = nullptr;    // with g_entropy only
  const float* g_logprob = nullptr;  // [rows]: d loss / d logprob
  const float* g_entropy = nullptr;  // [rows] or null
  int64_t rows = 0, vocab = 0;
};

// Of the values seen so far: the largest, and relative to it sum e^(z-largest) and sum (z-largest) e^(z-largest).
struct OnlineSoftmax {
  float largest = -HUGE_VALF, sum = 0, weighted = 0;

  LACONIC_DEVICE void rescale(float top) {
    if (top == largest) return;
    const float down = largest - top;
    // Nothing was added yet, or nothing that still counts.
    const float factor = down > kLowestLogprob ? expf(down) : 0.0f;
    weighted = factor == 0.0f ? 0.0f : factor * (weighted + down * sum);
    sum *= factor;
    largest = top;
  }
  LACONIC_DEVICE void add(float z) {
    const float down = z - largest;
    if (z == minus_infinity() || down <= kLowestLogprob) return;
    const float e = expf(down);
    sum += e;
    weighted += down * e;  // NaN of a damaged row stays in both
  }
};

template <typename T, int N>
struct LogitScore {
  static constexpr int kMostThreads = kLogitThreads;

  template <typename Block>
  static LACONIC_DEVICE void run(Block& block, const LogitScoreArgs& a) {
    const int64_t row = block.x();
    const T* logits = static_cast<const T*>(a.logits) + row * a.vocab;
    OnlineSoftmax part;
    for (int64_t i = static_cast<int64_t>(block.thread()) * N; i < a.vocab;
         i += static_cast<int64_t>(block.threads()) * N) {
      const auto v = load<N>(logits + i);
      float z[N];
      float top = part.largest;
      for (int j = 0; j < N; ++j) {
        z[j] = to_float(v.values[j]) * a.inverse_temperature;
        top = larger(top, z[j]);
      }
      part.rescale(top);
      for (int j = 0; j < N; ++j) part.add(z[j]);
    }
    float* tops = block.template shared<float>(block.warps());
    double* sums = block.template shared<double>(block.warps());
    const float largest = reduce_block(block, part.largest, tops, Largest{});
    part.rescale(largest);
    const double sum = reduce_block(block, static_cast<double>(part.sum), sums, Sum{});
    const double weighted = reduce_block(block, static_cast<double>(part.weighted), sums, Sum{});
    if (block.thread() != 0) return;
    const double log_sum = log(sum);
    a.largest[row] = largest;
    a.log_sum[row] = static_cast<float>(log_sum);
    const float z = to_float(logits[a.targets[row]]) * a.inverse_temperature;
    a.logprob[row] = z - largest - static_cast<float>(log_sum);
    if (a.entropy != nullptr) a.entropy[row] = static_cast<float>(log_sum - weighted / sum);
  }
};

// d logprob / d logit_v = ([v = target] - p_v) / T;  d entropy / d logit_v = -p_v (log p_v + entropy) / T.
template <typename T, int N>
struct LogitGradient {
  static constexpr int kMostThreads = kLogitThreads;

  template <typename Block>
  static LACONIC_DEVICE void run(Block& block, const LogitGradientArgs& a) {
    const int64_t row = block.x(), i = (block.y() * block.threads() + block.thread()) * N;
    if (i >= a.vocab) return;
    T* logits = static_cast<T*>(a.logits) + row * a.vocab + i;
    const float shift = a.largest[row] + a.log_sum[row], on_target = a.g_logprob[row] * a.inverse_temperature;
    const float on_entropy = a.g_entropy == nullptr ? 0.0f : a.g_entropy[row] * a.inverse_temperature;
    const float entropy = a.g_entropy == nullptr ? 0.0f : a.entropy[row];
    auto v = load<N>(logits);
    for (int j = 0; j < N; ++j) {
      const float log_p = larger(kLowestLogprob, to_float(v.values[j]) * a.inverse_temperature - shift);
      float slope = expf(log_p) * (-on_entropy * (log_p + entropy) - on_target);
      if (i + j == a.targets[row]) slope += on_target;
      v.values[j] = rounded<T>(slope);
    }
    store(logits, v);
  }
};

template <typename Launcher>
void start(const LogitScoreArgs& a, const Launcher& launcher) {
  if (a.rows == 0 || a.vocab == 0) return;
  with_element(a.element, [&](auto tag) {
    using T = typename decltype(tag)::type;
    constexpr int kVector = decltype(tag)::kVector;
    const bool wide = a.vocab % kVector == 0 && aligned(a.logits, 16);
    Grid grid{.x = a.rows, .threads = threads_for(ceil_div(a.vocab, wide ? kVector : 1), kLogitThreads)};
    grid.shared_bytes = shared_size<float>(grid.threads / kWarp) + shared_size<double>(grid.threads / kWarp);
    if (wide) {
      launcher.template start<LogitScore<T, kVector>>("logit_score", grid, a);
    } else {
      launcher.template start<LogitScore<T, 1>>("logit_score", grid, a);
    }
  });
}

template <typename Launcher>
void start(const LogitGradientArgs& a, const Launcher& launcher) {
  if (a.rows == 0 || a.vocab == 0) return;
  with_element(a.element, [&](auto tag) {
    using T = typename decltype(tag)::type;
    constexpr int kVector = decltype(tag)::kVector;
    const bool wide = a.vocab % kVector == 0 && aligned(a.logits, 16);
    const int64_t per_block = static_cast<int64_t>(kLogitThreads) * (wide ? kVector : 1);
    const Grid grid{.x = a.rows, .y = ceil_div(a.vocab, per_block), .threads = kLogitThreads};
    if (wide) {
      launcher.template start<LogitGradient<T, kVector>>("logit_gradient", grid, a);
    } else {
      launcher.template start<LogitGradient<T, 1>>("logit_gradient", grid, a);
    }
  });
}

}  // namespace laconic::cuda
