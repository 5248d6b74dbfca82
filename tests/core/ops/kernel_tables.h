// The kernel tables that this machine can run, for parameterised tests.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "laconic/core/base/rng.h"
#include "laconic/core/ops/kernels.h"
#include "tests/support/guarded_memory.h"

namespace laconic::ops {

inline std::vector<const Kernels*> runnable_kernels() {
  std::vector<const Kernels*> tables;
  for (const Kernels* table : {baseline_kernels(), avx2_kernels(), avx512_kernels()}) {
    if (table != nullptr) tables.push_back(table);
  }
  return tables;
}

class EachTable : public testing::TestWithParam<const Kernels*> {
 protected:
  const Kernels& table() const { return *GetParam(); }
};

inline std::string table_name(const testing::TestParamInfo<const Kernels*>& info) {
  return info.param->name;
}

// Widths below, at and above the vector widths of 4, 8 and 16, odd ones and tails.
inline const std::vector<int64_t>& awkward_sizes() {
  static const std::vector<int64_t> sizes = {0, 1, 2, 3, 4, 5, 7, 8, 9, 12, 15, 16, 17, 23, 31, 32, 33, 40, 63, 64, 65};
  return sizes;
}

inline void fill_normal(float* out, int64_t n, Rng& rng) {
  for (int64_t i = 0; i < n; ++i) out[i] = static_cast<float>(rng.normal());
}

}  // namespace laconic::ops
