// The plug-in on a GPU: tensors through it against the CPU operations, decode graphs, NCCL over all GPUs.
#include <ATen/ATen.h>
#include <c10/cuda/CUDAFunctions.h>
#include <c10/cuda/CUDAGuard.h>
#include <gtest/gtest.h>

#include <thread>
#include <torch/csrc/distributed/c10d/HashStore.hpp>

#include "laconic/core/ops/attention.h"
#include "laconic/cuda/loader.h"
#include "tests/support/error_of.h"
#include "tests/support/tensors.h"

namespace laconic::cuda {
namespace {

class Gpu : public testing::Test {
 protected:
  // A machine without a GPU is a failure here: this program is for machines with one.
  void SetUp() override { plugin_ = &require_cuda(); }
  const Plugin* plugin_ = nullptr;
};

TEST_F(Gpu, MisfitTensorsAreErrors) {
  const auto x = at::zeros({2, 8}, at::kCUDA);
  EXPECT_NE(error_of([&] { plugin_->swiglu(x, at::zeros({2, 3}, at::kCUDA)); }), "");
  EXPECT_NE(error_of([&] { plugin_->swiglu(x, at::zeros({2, 4})); }), "");
  EXPECT_NE(error_of([&] { plugin_->add_norm({}, x, at::zeros({7}, at::kCUDA), 1e-6, x.clone(), {}); }), "");
}

// Flash attention through ATen, forward and backward, against ATen's own on the CPU in f32.
TEST_F(Gpu, PackedAttention) {
  const ops::HeadShape shape{14, 2, 64};
  const std::vector<int64_t> offsets = {0, 1, 40, 300};
  const auto qkv = normal_tensor({300, shape.qkv_width()}, 1).to(at::kBFloat16);
  const auto dout = normal_tensor({300, shape.out_width()}, 2).to(at::kBFloat16);
  auto expected = at::empty({300, shape.out_width()}), log_sum = at::empty({300, shape.heads});
  const auto plain = qkv.to(at::kFloat);
  ops::packed_attention_into(plain, offsets, shape, expected, &log_sum);
  auto gradient = at::empty_like(plain);
  ops::packed_attention_backward(dout.to(at::kFloat), plain, expected, log_sum, offsets, shape, gradient);

  const auto there = qkv.to(at::kCUDA), on_device = at::tensor(offsets, at::kInt).to(at::kCUDA);
  const auto out = at::empty({300, shape.out_width()}, there.options()), dqkv = at::empty_like(there);
  const auto sums = at::empty({300, shape.heads}, there.options().dtype(at::kFloat));
  plugin_->packed_attention(there, on_device, 260, shape, out, sums);
  plugin_->packed_attention_backward(dout.to(at::kCUDA), there, out, sums, on_device, 260, shape, dqkv);
  EXPECT_LT(relative_difference(out.cpu(), expected), 0.02);
  EXPECT_LT(relative_difference(sums.cpu(), log_sum), 0.01);
  EXPECT_LT(relative_difference(dqkv.cpu(), gradient), 0.02);
}

TEST_F(Gpu, GraphsReplayWhatTheyCaptured) {
  const auto graphs = plugin_->decode_graphs();
  auto x = at::zeros({4, 16}, at::TensorOptions().device(at::kCUDA)), y = at::zeros({4, 8}, x.options());
  int calls = 0;
  for (int i = 0; i < 6; ++i) {
    x.copy_(normal_tensor({4, 16}, static_cast<uint64_t>(i)));
    graphs->run(4, [&] {
      ++calls;
      plugin_->swiglu(x, y);
      y.mul_(2);
    });
    const auto halves = x.cpu().chunk(2, 1);
    EXPECT_LT(relative_difference(y.cpu(), 2 * at::silu(halves[0]) * halves[1]), 1e-5) << i;
  }
  EXPECT_EQ(calls, 3) << "two plain runs and the capture";
  EXPECT_ANY_THROW(for (int i = 0; i < 3; ++i) graphs->run(2, [&] {
    if (i == 2) throw std::runtime_error("a step that fails while it is captured");
  }));
  plugin_->swiglu(x, y);  // work goes on after it
  c10::cuda::device_synchronize();
}

// One thread per GPU.
TEST_F(Gpu, NcclOverAllGpus) {
  const int world = plugin_->device_count();
  const auto store = c10::make_intrusive<c10d::HashStore>();
  std::vector<std::thread> ranks;
  std::vector<std::string> problems(static_cast<size_t>(world));
  for (int rank = 0; rank < world; ++rank) {
    ranks.emplace_back([&, rank] {
      problems[static_cast<size_t>(rank)] = error_of([&] {
        const c10::cuda::CUDAGuard guard(static_cast<c10::DeviceIndex>(rank));
        const auto communicator = plugin_->nccl_communicator(*store, {rank, world, rank, std::chrono::minutes(1)});
        const auto device = at::Device(at::kCUDA, static_cast<at::DeviceIndex>(rank));
        const float sum = static_cast<float>(world * (world + 1)) / 2;
        for (const int64_t n : {1, 1000, 1 << 20}) {
          for (const auto where : {device, at::Device(at::kCPU)}) {
            const auto options = at::TensorOptions().device(where);
            auto x = at::full({n}, rank + 1, options);
            communicator->all_reduce(x).wait();
            EXPECT_TRUE(at::equal(x.cpu(), at::full({n}, sum)));
            auto all = at::zeros({n * world}, options);
            communicator->all_gather(at::full({n}, rank, options), all).wait();
            EXPECT_TRUE(at::equal(all.cpu(), at::arange(world, at::kFloat).repeat_interleave(n)));
            auto shard = at::zeros({n}, options);
            communicator->reduce_scatter(at::ones({n * world}, options), shard).wait();
            EXPECT_TRUE(at::equal(shard.cpu(), at::full({n}, world, at::kFloat)));
            auto y = at::full({n}, rank, options);
            communicator->broadcast(y, world - 1).wait();
            EXPECT_TRUE(at::equal(y.cpu(), at::full({n}, world - 1, at::kFloat)));
          }
        }
        communicator->barrier();
      });
    });
  }
  for (auto& thread : ranks) thread.join();
  for (const auto& problem : problems) EXPECT_EQ(problem, "");
}

}  // namespace
}  // namespace laconic::cuda
