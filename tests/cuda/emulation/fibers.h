// The threads of a block, each with a stack of its own, run one at a time on one thread of the CPU: a fiber runs until
// it waits for the others.
#pragma once

#include <ucontext.h>

#include <csetjmp>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <vector>

namespace laconic::cuda {

class FiberPool {
 public:
  enum class State { runnable, at_warp_barrier, at_barrier, finished };

  explicit FiberPool(int most);
  ~FiberPool();
  FiberPool(const FiberPool&) = delete;
  FiberPool& operator=(const FiberPool&) = delete;

  // Begins `count` fibers of body(index); none has run yet. Those of the call before have finished or are forgotten.
  void begin(int count, std::function<void(int)> body);
  // Runs one until it waits or has finished; throws what its body threw.
  State resume(int index);
  // By the fiber that runs.
  void wait(State state);
  int current() const { return current_; }

 private:
  struct Fiber {
    std::unique_ptr<std::byte[]> stack;
    ucontext_t context;
    std::jmp_buf place;
    State state = State::finished;
    bool started = false;
  };

  static void enter();
  void leave(Fiber& fiber);

  std::vector<Fiber> fibers_;
  std::function<void(int)> body_;
  std::exception_ptr error_;
  std::jmp_buf scheduler_;
  ucontext_t scheduler_context_;
  int current_ = -1;
};

}  // namespace laconic::cuda
