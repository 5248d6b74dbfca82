#include "tests/cuda/emulation/emulated_block.h"

#include <algorithm>

namespace laconic::cuda {

void set_thread_order(ThreadOrder order) {
  EmulatedMachine::get().order = order;
}

EmulatedMachine::EmulatedMachine() : fibers_(kMostThreads), shared_(kSharedBytes) {
  for (auto& set : words_) set.resize(kMostThreads);
}

EmulatedMachine& EmulatedMachine::get() {
  thread_local EmulatedMachine machine;
  return machine;
}

std::byte* EmulatedMachine::shared(size_t offset, size_t bytes) {
  if (offset + bytes > shared_bytes_)
    fail(ErrorKind::internal, "{} bytes of shared memory used, the launch asked for {}", offset + bytes, shared_bytes_);
  return shared_.data() + offset;
}

// Every thread of a warp waits at the same kind of barrier, or has finished.
void EmulatedMachine::check_warp(const std::vector<FiberPool::State>& states) const {
  if (!std::all_of(states.begin(), states.end(), [&](auto s) { return s == states.front(); }))
    fail(ErrorKind::internal, "a barrier or shuffle that some threads of a warp do not reach");
}

// Until the warp waits for the block or has finished.
FiberPool::State EmulatedMachine::run_warp(int warp, int threads) {
  std::vector<FiberPool::State> states(kWarp);
  for (;;) {
    for (int i = 0; i < kWarp; ++i) {
      int lane = i;
      if (order == ThreadOrder::descending) lane = kWarp - 1 - i;
      if (order == ThreadOrder::scattered) lane = (i * 13 + 5) % kWarp;
      const int thread = warp * kWarp + lane;
      if (thread < threads) states[static_cast<size_t>(lane)] = fibers_.resume(thread);
    }
    check_warp(states);
    if (states.front() != FiberPool::State::at_warp_barrier) return states.front();
  }
}

void EmulatedMachine::run_block(int threads, size_t shared_bytes, const std::function<void(int)>& body) {
  if (threads > kMostThreads || shared_bytes > kSharedBytes)
    fail(ErrorKind::internal, "a block of more threads or shared memory than a GPU has");
  shared_bytes_ = shared_bytes;
  std::fill(shared_.begin(), shared_.end(), std::byte{0xff});
  fibers_.begin(threads, body);
  const int warps = threads / kWarp;
  std::vector<FiberPool::State> states(static_cast<size_t>(warps));
  do {
    for (int i = 0; i < warps; ++i) {
      const int warp = order == ThreadOrder::ascending ? i : warps - 1 - i;
      states[static_cast<size_t>(warp)] = run_warp(warp, threads);
    }
    if (!std::all_of(states.begin(), states.end(), [&](auto s) { return s == states.front(); }))
      fail(ErrorKind::internal, "a barrier that some threads of the block do not reach");
  } while (states.front() != FiberPool::State::finished);
}

}  // namespace laconic::cuda
