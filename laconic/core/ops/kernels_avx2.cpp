// Kernels for AVX2 with FMA; compiled with these instructions allowed, so nothing here may run before the check.
#define LACONIC_ISA avx2
#include "laconic/core/ops/kernels_body.h"

namespace laconic::ops {

const Kernels* avx2_kernels() {
#if defined(__AVX2__)
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return nullptr;
  static const Kernels table = avx2::make_table("avx2");
  return &table;
#else
  return nullptr;  // built for another architecture
#endif
}

}  // namespace laconic::ops
