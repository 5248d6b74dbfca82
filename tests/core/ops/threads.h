// Runs a computation with different numbers of threads.
#pragma once

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <vector>

#include "laconic/core/ops/parallel.h"

namespace laconic::ops {

// `compute` returns tensors; they must be the same bit for bit with 1, 2 and 3 threads.
template <typename Compute>
void expect_same_for_any_thread_count(Compute&& compute) {
  set_threads(1);
  const std::vector<at::Tensor> expected = compute();
  for (const int count : {2, 3}) {
    set_threads(count);
    const std::vector<at::Tensor> got = compute();
    ASSERT_EQ(got.size(), expected.size());
    for (size_t i = 0; i < got.size(); ++i)
      EXPECT_TRUE(at::equal(got[i], expected[i])) << "tensor " << i << " with " << count << " threads";
  }
  set_threads(0);
}

}  // namespace laconic::ops
