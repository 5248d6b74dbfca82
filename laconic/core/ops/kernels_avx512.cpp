// Kernels for AVX-512; compiled with these instructions allowed, so nothing here may run before the check.
#define LACONIC_ISA avx512
#include "laconic/core/ops/kernels_body.h"

namespace laconic::ops {

const Kernels* avx512_kernels() {
#if defined(__AVX512F__)
  const bool supported = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  if (!supported) return nullptr;
  static const Kernels table = avx512::make_table("avx512");
  return &table;
#else
  return nullptr;  // built for another architecture
#endif
}

}  // namespace laconic::ops
