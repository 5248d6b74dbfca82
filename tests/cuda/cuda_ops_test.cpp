// What the host prepares for the plug-in, without a GPU.
#include "laconic/cuda/cuda_ops.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cstring>

#include "laconic/cuda/kernels/philox.h"

namespace laconic::cuda {
namespace {

TEST(CudaOps, RequestsArriveAsTheKernelReadsThem) {
  std::vector<ops::SampleRequest> requests(5);
  for (size_t i = 0; i < requests.size(); ++i) {
    auto& r = requests[i];
    r.params = {i == 0 ? 0.0 : 0.5 * static_cast<double>(i), static_cast<int64_t>(i), 0.9, 0.01};
    r.identity = {11 + i, 12, uint64_t{1} << 40, static_cast<uint32_t>(13 + i)};
    r.position = static_cast<uint32_t>(100 + i);
    r.given = i == 2 ? 77 : -1;
  }
  const auto rows = sample_rows(packed_requests(requests), 5);
  const auto* params = static_cast<const SampleRow*>(rows.params.const_data_ptr());
  for (size_t i = 0; i < requests.size(); ++i) {
    const auto& r = requests[i];
    SampleRow row;
    std::memcpy(&row, params + i, sizeof row);
    EXPECT_EQ(row.inverse_temperature, i == 0 ? 0.0f : static_cast<float>(1.0 / r.params.temperature));
    EXPECT_EQ(row.top_k, r.params.top_k);
    EXPECT_EQ(row.top_p, r.params.top_p);
    EXPECT_EQ(row.min_p, r.params.min_p);
    EXPECT_EQ(rows.given[static_cast<int64_t>(i)].item<int64_t>(), r.given);
    EXPECT_EQ(rows.positions[static_cast<int64_t>(i)].item<int32_t>(), static_cast<int32_t>(r.position));
    EXPECT_EQ(cuda::uniform_draw(row.who, r.position),
              laconic::uniform_draw(r.identity, DrawPurpose::sample_token, r.position));
  }
}

TEST(CudaOps, NoRequestsNoBytes) {
  EXPECT_EQ(packed_requests({}).numel(), 0);
}

}  // namespace
}  // namespace laconic::cuda
