// Row-wise operations of kernels_body.h: norms, rotary embedding, SwiGLU, softmax, logits.
#pragma once

#include "laconic/core/ops/kernels.h"
#include "laconic/core/ops/simd.h"

namespace laconic::ops::LACONIC_ISA {

// Calls f(offset, count) for each vector of a row; count < kLanes only for the last one.
template <typename Body>
inline void for_vectors(int64_t n, Body&& body) {
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) body(i, kLanes);
  if (i < n) body(i, static_cast<int>(n - i));
}

inline F load_n(const float* p, int count) {
  return count == kLanes ? load(p) : load_part(p, count);
}

inline void store_n(float* p, F v, int count) {
  if (count == kLanes) {
    store(p, v);
  } else {
    store_part(p, v, count);
  }
}

inline float dot(const float* a, const float* b, int64_t n) {
  F total = zero();
  for_vectors(n, [&](int64_t i, int count) { total = fma(load_n(a + i, count), load_n(b + i, count), total); });
  return sum(total);
}

inline void scale_row(float* x, int64_t n, float factor) {
  const F f = splat(factor);
  for_vectors(n, [&](int64_t i, int count) { store_n(x + i, mul(load_n(x + i, count), f), count); });
}

inline void rms_norm(const NormArgs& a) {
  for (int64_t row = 0; row < a.rows; ++row) {
    const float* x = a.x + row * a.ldx;
    float* y = a.y + row * a.ldy;
    const float inverse = 1.0f / __builtin_sqrtf(dot(x, x, a.width) / static_cast<float>(a.width) + a.epsilon);
    if (a.inverse_rms != nullptr) a.inverse_rms[row] = inverse;
    const F factor = splat(inverse);
    for_vectors(a.width, [&](int64_t i, int count) {
      store_n(y + i, mul(mul(load_n(x + i, count), factor), load_n(a.weight + i, count)), count);
    });
  }
}

// With u = dy * w: dx = inv * u - x * inv^3 * mean(u * x); dw += dy * x * inv.
inline void rms_norm_backward(const NormBackwardArgs& a) {
  for (int64_t row = 0; row < a.rows; ++row) {
    const float* dy = a.dy + row * a.width;
    const float* x = a.x + row * a.width;
    float* dx = a.dx + row * a.width;
    const float inverse = a.inverse_rms[row];
    F total = zero();
    for_vectors(a.width, [&](int64_t i, int count) {
      total = fma(mul(load_n(dy + i, count), load_n(a.weight + i, count)), load_n(x + i, count), total);
    });
    const F pull = splat(-sum(total) / static_cast<float>(a.width) * inverse * inverse * inverse);
    const F factor = splat(inverse);
    for_vectors(a.width, [&](int64_t i, int count) {
      const F xv = load_n(x + i, count), dv = load_n(dy + i, count);
      F out = fma(xv, pull, mul(mul(dv, load_n(a.weight + i, count)), factor));
      if (a.add) out = add(out, load_n(dx + i, count));
      store_n(dx + i, out, count);
      store_n(a.dweight + i, fma(mul(dv, xv), factor, load_n(a.dweight + i, count)), count);
    });
  }
}

inline void rotate(float* x, int64_t heads, int64_t head_dim, const float* table, float sign) {
  const int64_t half = head_dim / 2;
  const F direction = splat(sign);
  for (int64_t head = 0; head < heads; ++head, x += head_dim) {
    for_vectors(half, [&](int64_t i, int count) {
      const F cosine = load_n(table + i, count), sine = mul(load_n(table + half + i, count), direction);
      const F a = load_n(x + i, count), b = load_n(x + half + i, count);
      store_n(x + i, sub(mul(a, cosine), mul(b, sine)), count);
      store_n(x + half + i, add(mul(b, cosine), mul(a, sine)), count);
    });
  }
}

inline F sigmoid(F x) {
  return div(splat(1.0f), add(splat(1.0f), exp(sub(zero(), x))));
}

inline void swiglu(const float* gate_up, float* out, int64_t rows, int64_t width) {
  for (int64_t row = 0; row < rows; ++row, gate_up += 2 * width, out += width) {
    for_vectors(width, [&](int64_t i, int count) {
      const F gate = load_n(gate_up + i, count);
      store_n(out + i, mul(mul(gate, sigmoid(gate)), load_n(gate_up + width + i, count)), count);
    });
  }
}

inline void swiglu_backward(const float* dout, float* gate_up, float* activation, int64_t rows, int64_t width) {
  const F one = splat(1.0f);
  for (int64_t row = 0; row < rows; ++row, dout += width, gate_up += 2 * width, activation += width) {
    for_vectors(width, [&](int64_t i, int count) {
      const F gate = load_n(gate_up + i, count), up = load_n(gate_up + width + i, count), d = load_n(dout + i, count);
      const F s = sigmoid(gate);
      const F silu = mul(gate, s);
      store_n(activation + i, mul(silu, up), count);
      store_n(gate_up + i, mul(mul(d, up), mul(s, fma(gate, sub(one, s), one))), count);
      store_n(gate_up + width + i, mul(d, silu), count);
    });
  }
}

// Whole vectors from here on: the caller's rows are padded, what lies behind the valid scores counts as minus infinity.
inline int64_t pad_scores(float* scores, int64_t valid) {
  const int64_t rounded = (valid + kLanes - 1) / kLanes * kLanes;
  fill(scores + valid, scores + rounded, -kInfinity);
  return rounded;
}

inline void softmax_row(float* scores, int64_t valid, int64_t padded, float scale, float* max_out, float* sum_out) {
  const int64_t rounded = pad_scores(scores, valid);
  const F factor = splat(scale);
  F top = splat(-kInfinity);
  for (int64_t i = 0; i < rounded; i += kLanes) {
    const F s = mul(load(scores + i), factor);
    store(scores + i, s);
    top = max(s, top);
  }
  const float highest = largest(top);
  const F shift = splat(highest);
  F total = zero();
  for (int64_t i = 0; i < rounded; i += kLanes) {
    const F p = exp(sub(load(scores + i), shift));
    store(scores + i, p);
    total = add(total, p);
  }
  if (padded > rounded) fill(scores + rounded, scores + padded, 0.0f);
  *max_out = highest;
  *sum_out = sum(total);
}

inline void softmax_again(float* scores, int64_t valid, int64_t padded, float scale, float log_sum) {
  const int64_t rounded = pad_scores(scores, valid);
  const F factor = splat(scale), shift = splat(log_sum);
  for (int64_t i = 0; i < rounded; i += kLanes) store(scores + i, exp(sub(mul(load(scores + i), factor), shift)));
  if (padded > rounded) fill(scores + rounded, scores + padded, 0.0f);
}

inline void softmax_backward(const float* p, float* dp, int64_t n, float delta, float scale) {
  const F shift = splat(delta), factor = splat(scale);
  for_vectors(n, [&](int64_t i, int count) {
    store_n(dp + i, mul(mul(load_n(p + i, count), sub(load_n(dp + i, count), shift)), factor), count);
  });
}

// Rows of logits are long (a vocabulary): f32 sums of this many elements are added up in f64.
inline constexpr int64_t kLogitChunk = 1024;

inline LogitStatistics logit_statistics(const float* logits, int64_t n, float inverse_temperature, bool want_entropy) {
  const F factor = splat(inverse_temperature);
  const float lowest = -kInfinity;
  F top = splat(lowest);
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) top = max(mul(load(logits + i), factor), top);
  LogitStatistics s;
  s.largest = largest(top);
  for (; i < n; ++i) {
    const float z = logits[i] * inverse_temperature;
    if (z > s.largest) s.largest = z;
  }

  const F shift = splat(s.largest), floor = splat(-100.0f);
  double total = 0, weighted = 0;
  for (int64_t begin = 0; begin < n; begin += kLogitChunk) {
    F part = zero(), part_weighted = zero();
    for_vectors(smaller(kLogitChunk, n - begin), [&](int64_t j, int count) {
      const F d = sub(mul(load_n(logits + begin + j, count), factor), shift);
      F e = exp(d);
      if (count < kLanes) {  // lanes behind the end hold 0 - largest
        float kept[kLanes];
        store(kept, e);
        e = load_part(kept, count);
      }
      part = add(part, e);
      if (want_entropy) part_weighted = fma(e, max(d, floor), part_weighted);
    });
    total += static_cast<double>(sum(part));
    weighted += static_cast<double>(sum(part_weighted));
  }
  s.log_sum = static_cast<float>(__builtin_log(total));
  if (want_entropy) s.entropy = static_cast<float>(__builtin_log(total) - weighted / total);
  s.finite = __builtin_isfinite(s.largest) && __builtin_isfinite(total);
  return s;
}

// d logprob / d logit_v = ([v = target] - p_v) / T;  d entropy / d logit_v = -p_v (log p_v + entropy) / T.
inline void logit_gradient(float* logits, int64_t n, float inverse_temperature, const LogitStatistics& s,
                           int64_t target, float g_logprob, float g_entropy) {
  const F factor = splat(inverse_temperature), shift = splat(s.largest + s.log_sum), floor = splat(-100.0f);
  const F from_logprob = splat(-g_logprob * inverse_temperature),
          from_entropy = splat(-g_entropy * inverse_temperature);
  const F entropy = splat(s.entropy);
  for_vectors(n, [&](int64_t i, int count) {
    const F log_p = max(floor, sub(mul(load_n(logits + i, count), factor), shift));
    const F slope = fma(from_entropy, add(log_p, entropy), from_logprob);
    store_n(logits + i, mul(exp(log_p), slope), count);
  });
  if (target >= 0 && target < n) logits[target] += g_logprob * inverse_temperature;
}

inline float sample_weights(const float* logits, float* weights, int64_t n, float inverse_temperature,
                            float largest_z) {
  const F factor = splat(inverse_temperature), shift = splat(largest_z);
  F total = zero();
  for_vectors(n, [&](int64_t i, int count) {
    store_n(weights + i, exp(sub(mul(load_n(logits + i, count), factor), shift)), count);
    total = add(total, load_n(weights + i, count));
  });
  return sum(total);
}

}  // namespace laconic::ops::LACONIC_ISA
