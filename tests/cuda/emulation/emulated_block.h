// The block of a kernel without a GPU (laconic/cuda/kernels/portable.h says what it offers). The threads of a block run
// phase by phase between barriers, in an order that the test chooses: a result that depends on it lacks a barrier.
//
// What a GPU would leave undefined is an error here: a barrier that some threads of the block or warp do not reach,
// shared memory beyond what the launch asked for or allotted differently by different threads, and more threads or
// shared memory than a GPU has. Shared memory is NaN until it is written.
#pragma once

#include <cstddef>
#include <cstring>
#include <functional>
#include <vector>

#include "laconic/core/base/error.h"
#include "laconic/cuda/kernels/launch.h"
#include "tests/cuda/emulation/fibers.h"

namespace laconic::cuda {

enum class ThreadOrder { ascending, descending, scattered };

// Of all launches from now on.
void set_thread_order(ThreadOrder order);

// What the threads of the running block share.
class EmulatedMachine {
 public:
  static constexpr int kMostThreads = 1024;
  static constexpr size_t kSharedBytes = 48 << 10;  // what every GPU gives without being asked
  static EmulatedMachine& get();

  // Runs body(thread) for the threads of one block.
  void run_block(int threads, size_t shared_bytes, const std::function<void(int)>& body);

  void barrier() { fibers_.wait(FiberPool::State::at_barrier); }
  void warp_barrier() { fibers_.wait(FiberPool::State::at_warp_barrier); }
  int thread() const { return fibers_.current(); }
  std::byte* shared(size_t offset, size_t bytes);
  // The word of a thread in a shuffle; two sets, so that one barrier per shuffle is enough.
  uint64_t& word(int set, int thread) { return words_[set][static_cast<size_t>(thread)]; }

  ThreadOrder order = ThreadOrder::ascending;

 private:
  EmulatedMachine();
  FiberPool::State run_warp(int warp, int threads);
  void check_warp(const std::vector<FiberPool::State>& states) const;

  FiberPool fibers_;
  std::vector<std::byte> shared_;
  size_t shared_bytes_ = 0;
  std::vector<uint64_t> words_[2];
};

class EmulatedBlock {
 public:
  EmulatedBlock(EmulatedMachine& machine, const Grid& grid, int64_t x, int64_t y, int64_t z)
      : machine_(&machine), threads_(grid.threads), x_(x), y_(y), z_(z) {}

  int64_t x() const { return x_; }
  int64_t y() const { return y_; }
  int64_t z() const { return z_; }
  int thread() const { return machine_->thread(); }
  int threads() const { return threads_; }
  int lane() const { return thread() % kWarp; }
  int warp() const { return thread() / kWarp; }
  int warps() const { return threads_ / kWarp; }

  void barrier() { machine_->barrier(); }
  void warp_barrier() { machine_->warp_barrier(); }
  template <typename T>
  T shuffle(T v, int lane) {
    static_assert(sizeof(T) <= sizeof(uint64_t));
    if (lane < 0 || lane >= kWarp) fail(ErrorKind::internal, "a shuffle from lane {}", lane);
    const int own = thread();
    std::memcpy(&machine_->word(set_, own), &v, sizeof v);
    machine_->warp_barrier();
    std::memcpy(&v, &machine_->word(set_, own / kWarp * kWarp + lane), sizeof v);
    set_ = 1 - set_;
    return v;
  }
  template <typename T>
  T shuffle_xor(T v, int mask) {
    return shuffle(v, lane() ^ mask);
  }
  bool all(bool condition) {
    int votes = condition ? 1 : 0;
    for (int mask = kWarp / 2; mask > 0; mask /= 2) votes &= shuffle_xor(votes, mask);
    return votes != 0;
  }
  template <typename T>
  T* shared(int64_t n) {
    T* result = reinterpret_cast<T*>(machine_->shared(used_, shared_size<T>(n)));
    used_ += shared_size<T>(n);
    return result;
  }
  void add(unsigned long long* p, unsigned long long v) { *p += v; }

 private:
  EmulatedMachine* machine_;
  int threads_;
  int64_t x_, y_, z_;
  size_t used_ = 0;
  int set_ = 0;
};

struct EmulatedLauncher {
  template <typename Kernel, typename Args>
  void start(const char* name, const Grid& grid, const Args& args) const {
    auto& machine = EmulatedMachine::get();
    if (grid.threads % kWarp != 0 || grid.threads > Kernel::kMostThreads || grid.x < 1 || grid.y < 1 || grid.z < 1 ||
        grid.y > 65535 || grid.z > 65535)
      fail(ErrorKind::internal, "{}: {} threads in {} x {} x {} blocks, which a GPU refuses", name, grid.threads,
           grid.x, grid.y, grid.z);
    for (int64_t z = 0; z < grid.z; ++z) {
      for (int64_t y = 0; y < grid.y; ++y) {
        for (int64_t x = 0; x < grid.x; ++x) {
          machine.run_block(grid.threads, grid.shared_bytes, [&](int) {
            EmulatedBlock block(machine, grid, x, y, z);
            Kernel::run(block, args);
          });
        }
      }
    }
  }
};

}  // namespace laconic::cuda
