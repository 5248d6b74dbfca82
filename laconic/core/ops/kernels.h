// The CPU kernels behind the operations: raw pointers and sizes, one thread, no allocation. Compiled once per
// instruction set from kernels_body.h; kernels() gives the fastest table that this processor can run.
//
// Row stability: every output row depends on its own input row (and the weights) alone, added up in an order that does
// not depend on the number of rows, the tile it falls into or the thread. The sampler and the trainer therefore compute
// the same logprobs bit for bit.
//
// All matrices are row-major; ld* are row strides in elements. Weights are f32 or bf16 (as uint16_t), everything else
// is f32.
#pragma once

#include <cstdint>

namespace laconic::ops {

struct LinearArgs {
  const float* x = nullptr;  // [m, k]
  int64_t ldx = 0;
  const void* w = nullptr;  // [n, k], contiguous; f32 or bf16
  bool w_bf16 = false;
  const float* bias = nullptr;  // [n] or null
  float* y = nullptr;           // [m, n]
  int64_t ldy = 0;
  int64_t m = 0, n = 0, k = 0;
  bool add = false;  // y += instead of y =
};

// C[m, n] (+)= sum over k of A[m * a_row + k * a_step] * B[k, n]; k ascending, one chain per element.
struct SmallGemmArgs {
  const float* a = nullptr;
  int64_t a_row = 0, a_step = 0;
  const float* b = nullptr;
  int64_t ldb = 0;
  float* c = nullptr;
  int64_t ldc = 0;
  int64_t m = 0, n = 0, k = 0;
  bool add = false;
};

struct NormArgs {
  const float* x = nullptr;  // [rows, width]
  int64_t ldx = 0;
  const float* weight = nullptr;  // [width]
  float epsilon = 0;
  float* y = nullptr;  // [rows, width]; may be x
  int64_t ldy = 0;
  float* inverse_rms = nullptr;  // [rows] or null
  int64_t rows = 0, width = 0;
};

struct NormBackwardArgs {
  const float* dy = nullptr;  // [rows, width], contiguous
  const float* x = nullptr;   // [rows, width], contiguous
  const float* weight = nullptr;
  const float* inverse_rms = nullptr;  // [rows]
  float* dx = nullptr;                 // [rows, width]
  float* dweight = nullptr;            // [width], added to
  int64_t rows = 0, width = 0;
  bool add = false;  // dx += instead of dx =
};

// Statistics of one row of logits at a temperature: z = logits / temperature.
struct LogitStatistics {
  float largest = 0;   // max z
  float log_sum = 0;   // log sum exp(z - largest); logprob = z - largest - log_sum
  float entropy = 0;   // nats; only when asked for
  bool finite = true;  // no NaN or +inf among the logits
};

struct Kernels {
  const char* name;

  void (*linear)(const LinearArgs& args);
  void (*small_gemm)(const SmallGemmArgs& args);
  void (*rms_norm)(const NormArgs& args);
  void (*rms_norm_backward)(const NormBackwardArgs& args);
  // Rotates `heads` vectors of [head_dim] in place (pairs i, i + head_dim/2); table: cos half, sin half.
  // sign -1 is the inverse rotation.
  void (*rotate)(float* x, int64_t heads, int64_t head_dim, const float* table, float sign);
  // out[rows, width] = silu(gate) * up of [gate | up] rows.
  void (*swiglu)(const float* gate_up, float* out, int64_t rows, int64_t width);
  // gate_up becomes its own gradient; activation receives silu(gate) * up again.
  void (*swiglu_backward)(const float* dout, float* gate_up, float* activation, int64_t rows, int64_t width);
  // In place: the softmax numerators exp(s * scale - max) of the first `valid` scores, zero from there to `padded`.
  // Returns max and sum.
  void (*softmax_row)(float* scores, int64_t valid, int64_t padded, float scale, float* max, float* sum);
  // In place: exp(s * scale - log_sum) of the first `valid` scores, zero from there to `padded`.
  void (*softmax_again)(float* scores, int64_t valid, int64_t padded, float scale, float log_sum);
  // ds = p * (dp - delta) * scale, in place in dp.
  void (*softmax_backward)(const float* p, float* dp, int64_t n, float delta, float scale);
  void (*scale_row)(float* x, int64_t n, float factor);
  float (*dot)(const float* a, const float* b, int64_t n);
  void (*transpose)(const float* x, int64_t ldx, int64_t rows, int64_t cols, float* y, int64_t ldy);

  LogitStatistics (*logit_statistics)(const float* logits, int64_t n, float inverse_temperature, bool want_entropy);
  // logits become their gradient: g_logprob at the target minus softmax, and the entropy's part.
  void (*logit_gradient)(float* logits, int64_t n, float inverse_temperature, const LogitStatistics& statistics,
                         int64_t target, float g_logprob, float g_entropy);
  // weights[i] = exp(logits[i] / temperature - largest); returns their sum.
  float (*sample_weights)(const float* logits, float* weights, int64_t n, float inverse_temperature, float largest);
};

// The table for this processor, chosen once; LACONIC_ISA=baseline|avx2|avx512 in the environment lowers the choice.
const Kernels& kernels();

// Tables that this processor can run, slowest first.
const Kernels* baseline_kernels();
const Kernels* avx2_kernels();    // null where the processor lacks AVX2 and FMA
const Kernels* avx512_kernels();  // null where the processor lacks AVX-512 F, BW, DQ and VL

}  // namespace laconic::ops
