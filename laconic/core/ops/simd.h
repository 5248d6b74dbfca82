// One vector of floats, for kernels that are compiled once per instruction set. Included only by kernels_*.cpp, inside
// whose namespace it defines F (the vector), kLanes and the operations below. Everything is explicit (no contraction by
// the compiler), so that a row comes out bit for bit the same from every tile shape of one instruction set.
//
//   load(p) load_part(p, n) store(p, v) store_part(p, v, n)   unaligned; the parts touch n < kLanes floats, zero
//   elsewhere load_half(p) load_half_part(p, n)                         bf16 in memory fma(a, b, c) = a * b + c sum(v)
//   sum4(a, b, c, d, out) largest(v)   horizontal, fixed order
#pragma once

#include <cstdint>

#if defined(__AVX512F__) || defined(__AVX2__)
#include <immintrin.h>
#endif

namespace laconic::ops::LACONIC_ISA {

// Nothing of the standard library here: its inline functions would be compiled with this instruction set under a name
// that the linker may give to the rest of the program.
inline constexpr float kInfinity = __builtin_inff();
inline int64_t smaller(int64_t a, int64_t b) {
  return a < b ? a : b;
}
inline int64_t larger(int64_t a, int64_t b) {
  return a < b ? b : a;
}
inline void fill(float* begin, float* end, float value) {
  for (; begin < end; ++begin) *begin = value;
}

// Asks for the cache line of p in the L2 cache; never faults.
inline void prefetch(const void* p) {
  __builtin_prefetch(p, /*for writing*/ 0, /*locality*/ 2);
}

#if defined(__AVX512F__) || defined(__AVX2__)
inline __m128 quarters(__m256 v) {
  return _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
}
inline float sum(__m256 v) {
  const __m128 t = quarters(v), u = _mm_add_ps(t, _mm_movehl_ps(t, t));
  return _mm_cvtss_f32(_mm_add_ss(u, _mm_shuffle_ps(u, u, 1)));
}
// Four sums at once, each added up in the order of sum().
using Four = __m128;
inline Four sum4(__m256 a, __m256 b, __m256 c, __m256 d) {
  const __m128 qa = quarters(a), qb = quarters(b), qc = quarters(c), qd = quarters(d);
  const __m128 ab = _mm_add_ps(_mm_unpacklo_ps(qa, qb), _mm_unpackhi_ps(qa, qb));
  const __m128 cd = _mm_add_ps(_mm_unpacklo_ps(qc, qd), _mm_unpackhi_ps(qc, qd));
  return _mm_add_ps(_mm_movelh_ps(ab, cd), _mm_movehl_ps(cd, ab));
}
inline Four load4(const float* p) {
  return _mm_loadu_ps(p);
}
inline Four add4(Four a, Four b) {
  return _mm_add_ps(a, b);
}
inline void store4(float* p, Four v) {
  _mm_storeu_ps(p, v);
}
#endif

#if defined(__AVX512F__)

using F = __m512;
inline constexpr int kLanes = 16;

inline __mmask16 first(int n) {
  return static_cast<__mmask16>((1u << n) - 1u);
}
inline F zero() {
  return _mm512_setzero_ps();
}
inline F splat(float x) {
  return _mm512_set1_ps(x);
}
inline F load(const float* p) {
  return _mm512_loadu_ps(p);
}
inline F load_part(const float* p, int n) {
  return _mm512_maskz_loadu_ps(first(n), p);
}
inline void store(float* p, F v) {
  _mm512_storeu_ps(p, v);
}
inline void store_part(float* p, F v, int n) {
  _mm512_mask_storeu_ps(p, first(n), v);
}
inline F widen(__m256i half) {
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(half), 16));
}
inline F load_half(const uint16_t* p) {
  return widen(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
}
inline F add(F a, F b) {
  return _mm512_add_ps(a, b);
}
inline F sub(F a, F b) {
  return _mm512_sub_ps(a, b);
}
inline F mul(F a, F b) {
  return _mm512_mul_ps(a, b);
}
inline F div(F a, F b) {
  return _mm512_div_ps(a, b);
}
inline F fma(F a, F b, F c) {
  return _mm512_fmadd_ps(a, b, c);
}
inline F max(F a, F b) {
  return _mm512_max_ps(a, b);
}
inline F min(F a, F b) {
  return _mm512_min_ps(a, b);
}
inline F round(F a) {
  return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
// 2^n of a whole number n in -126 .. 127
inline F power_of_two(F n) {
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_add_epi32(_mm512_cvtps_epi32(n), _mm512_set1_epi32(127)), 23));
}
// a where x >= y, else 0; NaN in x gives NaN
inline F keep_if_at_least(F a, F x, F y) {
  return _mm512_maskz_mov_ps(static_cast<__mmask16>(~_mm512_cmp_ps_mask(x, y, _CMP_LT_OQ)), a);
}
inline __m256 halves(F v) {
  return _mm256_add_ps(_mm512_castps512_ps256(v), _mm256_castpd_ps(_mm512_extractf64x4_pd(_mm512_castps_pd(v), 1)));
}
inline float sum(F v) {
  return sum(halves(v));
}
inline Four sum4(F a, F b, F c, F d) {
  return sum4(halves(a), halves(b), halves(c), halves(d));
}
inline float largest(F v) {
  return _mm512_reduce_max_ps(v);
}

#elif defined(__AVX2__)

using F = __m256;
inline constexpr int kLanes = 8;

inline __m256i first(int n) {
  alignas(32) static constexpr int32_t kMask[16] = {-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0};
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(kMask + 8 - n));
}
inline F zero() {
  return _mm256_setzero_ps();
}
inline F splat(float x) {
  return _mm256_set1_ps(x);
}
inline F load(const float* p) {
  return _mm256_loadu_ps(p);
}
inline F load_part(const float* p, int n) {
  return _mm256_maskload_ps(p, first(n));
}
inline void store(float* p, F v) {
  _mm256_storeu_ps(p, v);
}
inline void store_part(float* p, F v, int n) {
  _mm256_maskstore_ps(p, first(n), v);
}
inline F widen(__m128i half) {
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(half), 16));
}
inline F load_half(const uint16_t* p) {
  return widen(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}
inline F add(F a, F b) {
  return _mm256_add_ps(a, b);
}
inline F sub(F a, F b) {
  return _mm256_sub_ps(a, b);
}
inline F mul(F a, F b) {
  return _mm256_mul_ps(a, b);
}
inline F div(F a, F b) {
  return _mm256_div_ps(a, b);
}
inline F fma(F a, F b, F c) {
  return _mm256_fmadd_ps(a, b, c);
}
inline F max(F a, F b) {
  return _mm256_max_ps(a, b);
}
inline F min(F a, F b) {
  return _mm256_min_ps(a, b);
}
inline F round(F a) {
  return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
inline F power_of_two(F n) {
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127)), 23));
}
inline F keep_if_at_least(F a, F x, F y) {
  return _mm256_andnot_ps(_mm256_cmp_ps(x, y, _CMP_LT_OQ), a);
}
inline float largest(F v) {
  __m128 t = _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
  t = _mm_max_ps(t, _mm_movehl_ps(t, t));
  return _mm_cvtss_f32(_mm_max_ss(t, _mm_shuffle_ps(t, t, 1)));
}

#else

// Any processor: GCC's vector extension, four lanes.
typedef float F __attribute__((vector_size(16)));
typedef int32_t I __attribute__((vector_size(16)));
inline constexpr int kLanes = 4;

inline F zero() {
  return F{};
}
inline F splat(float x) {
  return F{x, x, x, x};
}
inline F load(const float* p) {
  F v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}
inline F load_part(const float* p, int n) {
  F v{};
  for (int i = 0; i < n; ++i) v[i] = p[i];
  return v;
}
inline void store(float* p, F v) {
  __builtin_memcpy(p, &v, sizeof v);
}
inline void store_part(float* p, F v, int n) {
  for (int i = 0; i < n; ++i) p[i] = v[i];
}
inline F load_half(const uint16_t* p) {
  const I bits = {p[0] << 16, p[1] << 16, p[2] << 16, p[3] << 16};
  F v;
  __builtin_memcpy(&v, &bits, sizeof v);
  return v;
}
inline F add(F a, F b) {
  return a + b;
}
inline F sub(F a, F b) {
  return a - b;
}
inline F mul(F a, F b) {
  return a * b;
}
inline F div(F a, F b) {
  return a / b;
}
inline F fma(F a, F b, F c) {
  return a * b + c;
}
inline F max(F a, F b) {
  return a > b ? a : b;
}
inline F min(F a, F b) {
  return a < b ? a : b;
}
inline F round(F a) {
  const F magic = splat(12582912.0f);  // 1.5 * 2^23: adding it rounds to a whole number
  return (a + magic) - magic;
}
inline F power_of_two(F n) {
  const I bits = (__builtin_convertvector(n, I) + 127) << 23;
  F v;
  __builtin_memcpy(&v, &bits, sizeof v);
  return v;
}
inline F keep_if_at_least(F a, F x, F y) {
  return x < y ? F{} : a;
}
inline float sum(F v) {
  return (v[0] + v[2]) + (v[1] + v[3]);
}
using Four = F;
inline Four sum4(F a, F b, F c, F d) {
  return F{sum(a), sum(b), sum(c), sum(d)};
}
inline Four load4(const float* p) {
  return load(p);
}
inline Four add4(Four a, Four b) {
  return a + b;
}
inline void store4(float* p, Four v) {
  store(p, v);
}
inline float largest(F v) {
  const float a = v[0] > v[1] ? v[0] : v[1], b = v[2] > v[3] ? v[2] : v[3];
  return a > b ? a : b;
}

#endif

inline F load_half_part(const uint16_t* p, int n) {
  uint16_t padded[kLanes] = {};
  __builtin_memcpy(padded, p, static_cast<unsigned long>(n) * sizeof(uint16_t));
  return load_half(padded);
}

// Weights are read as f32 or bf16; the arithmetic is f32.
inline F load_weight(const float* p) {
  return load(p);
}
inline F load_weight(const uint16_t* p) {
  return load_half(p);
}
inline F load_weight_part(const float* p, int n) {
  return load_part(p, n);
}
inline F load_weight_part(const uint16_t* p, int n) {
  return load_half_part(p, n);
}

// e^x within 2 ulp; 0 below -87.3, where the result would be subnormal; NaN stays NaN.
inline F exp(F x) {
  const F highest = splat(88.3762626647949f), lowest = splat(-87.3365447504f);
  const F bounded = max(lowest, min(highest, x));  // this order lets NaN through
  const F n = round(mul(bounded, splat(1.44269504088896341f)));
  // ln 2 in two parts: the first times n is exact
  F r = fma(n, splat(-0.693359375f), bounded);
  r = fma(n, splat(2.12194440e-4f), r);
  F p = splat(1.9875691500e-4f);
  p = fma(p, r, splat(1.3981999507e-3f));
  p = fma(p, r, splat(8.3334519073e-3f));
  p = fma(p, r, splat(4.1665795894e-2f));
  p = fma(p, r, splat(1.6666665459e-1f));
  p = fma(p, r, splat(5.0000001201e-1f));
  p = add(fma(p, mul(r, r), r), splat(1.0f));
  return keep_if_at_least(mul(p, power_of_two(n)), x, lowest);
}

}  // namespace laconic::ops::LACONIC_ISA
