// The emulation itself: what a GPU would leave undefined is an error.
#include <gtest/gtest.h>

#include "laconic/cuda/kernels/reduce.h"
#include "tests/cuda/device.h"
#include "tests/cuda/emulation/emulated_block.h"
#include "tests/support/error_of.h"

namespace laconic::cuda {
namespace {

struct Nothing {};

template <typename Body>
struct Kernel {
  static constexpr int kMostThreads = 1024;
  static inline const Body* body = nullptr;
  static void run(EmulatedBlock& block, const Nothing& /*args*/) { (*body)(block); }
};

template <typename Body>
void run(int threads, size_t shared_bytes, const Body& body) {
  Kernel<Body>::body = &body;
  EmulatedLauncher{}.start<Kernel<Body>>("test", Grid{.threads = threads, .shared_bytes = shared_bytes}, Nothing{});
}

TEST(Emulation, Reductions) {
  for (const int threads : {32, 64, 1024}) {
    run(threads, shared_size<int>(32), [&](EmulatedBlock& block) {
      int* scratch = block.shared<int>(32);
      EXPECT_EQ(reduce_block(block, block.thread(), scratch, Sum{}), threads * (threads - 1) / 2);
      EXPECT_EQ(reduce_block(block, -block.thread(), scratch, Largest{}), 0);
      EXPECT_EQ(reduce_warp(block, block.lane(), Sum{}), 496);
      EXPECT_TRUE(block.all(block.thread() >= 0));
      EXPECT_FALSE(block.all(block.lane() != 17));
    });
  }
}

TEST(Emulation, AMissingBarrierIsSeen) {
  std::vector<float> results;
  for_each_run([&] {
    run(64, shared_size<float>(64), [&](EmulatedBlock& block) {
      auto* values = block.shared<float>(64);
      values[block.thread()] = 1.0f;
      const float other = values[63 - block.thread()];
      if (block.thread() == 0) results.push_back(other);
    });
  });
  EXPECT_TRUE(std::isnan(results[0])) << "ascending: thread 63 has not written yet";
  EXPECT_EQ(results[1], 1.0f);
}

TEST(Emulation, MistakesAreErrors) {
  const auto error = [](int threads, size_t bytes, const auto& body) {
    return error_of([&] { run(threads, bytes, body); });
  };
  EXPECT_NE(error(64, 0,
                  [](EmulatedBlock& b) {
                    if (b.thread() < 32) b.barrier();
                  }),
            "");
  EXPECT_NE(error(32, 0,
                  [](EmulatedBlock& b) {
                    if (b.lane() != 3) b.barrier();
                  }),
            "");
  EXPECT_NE(error(32, 0,
                  [](EmulatedBlock& b) {
                    if (b.lane() < 16) b.shuffle(1, 0);
                  }),
            "");
  EXPECT_NE(error(32, 0, [](EmulatedBlock& b) { b.shuffle(1, 32); }), "");
  EXPECT_NE(error(32, 16, [](EmulatedBlock& b) { b.shared<float>(5); }), "");
  EXPECT_NE(error(33, 0, [](EmulatedBlock&) {}), "");
  EXPECT_NE(error(32, 49 << 10, [](EmulatedBlock&) {}), "");
  EXPECT_EQ(error(32, 0, [](EmulatedBlock& b) { b.barrier(); }), "");
}

}  // namespace
}  // namespace laconic::cuda
