// Kernels for any processor.
#define LACONIC_ISA baseline
#include "laconic/core/ops/kernels_body.h"

namespace laconic::ops {

const Kernels* baseline_kernels() {
  static const Kernels table = baseline::make_table("baseline");
  return &table;
}

}  // namespace laconic::ops
