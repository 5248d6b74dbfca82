#include "tests/cuda/emulation/fibers.h"

#include <utility>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#endif

namespace laconic::cuda {
namespace {

constexpr size_t kStackBytes = size_t{256} << 10;

thread_local FiberPool* active = nullptr;
#if defined(__SANITIZE_ADDRESS__)
thread_local const void* scheduler_stack = nullptr;
thread_local size_t scheduler_bytes = 0;
#endif

}  // namespace

FiberPool::FiberPool(int most) : fibers_(static_cast<size_t>(most)) {}
FiberPool::~FiberPool() = default;

void FiberPool::begin(int count, std::function<void(int)> body) {
  body_ = std::move(body);
  error_ = nullptr;
  for (int i = 0; i < count; ++i) {
    Fiber& fiber = fibers_[static_cast<size_t>(i)];
    if (!fiber.stack) fiber.stack = std::make_unique_for_overwrite<std::byte[]>(kStackBytes);
    ::getcontext(&fiber.context);
    fiber.context.uc_stack.ss_sp = fiber.stack.get();
    fiber.context.uc_stack.ss_size = kStackBytes;
    fiber.context.uc_link = nullptr;
    ::makecontext(&fiber.context, &FiberPool::enter, 0);
    fiber.state = State::runnable;
    fiber.started = false;
  }
}

void FiberPool::enter() {
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(nullptr, &scheduler_stack, &scheduler_bytes);
#endif
  FiberPool& pool = *active;
  try {
    pool.body_(pool.current_);
  } catch (...) {
    pool.error_ = std::current_exception();
  }
  Fiber& fiber = pool.fibers_[static_cast<size_t>(pool.current_)];
  fiber.state = State::finished;
  pool.leave(fiber);
}

#if defined(__SANITIZE_ADDRESS__)

// The sanitizer wants to be told of each change of stack, and does not see through longjmp.
FiberPool::State FiberPool::resume(int index) {
  Fiber& fiber = fibers_[static_cast<size_t>(index)];
  active = this;
  current_ = index;
  void* own = nullptr;
  __sanitizer_start_switch_fiber(&own, fiber.stack.get(), kStackBytes);
  ::swapcontext(&scheduler_context_, &fiber.context);
  __sanitizer_finish_switch_fiber(own, nullptr, nullptr);
  if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
  return fiber.state;
}

void FiberPool::leave(Fiber& fiber) {
  void* own = nullptr;
  __sanitizer_start_switch_fiber(fiber.state == State::finished ? nullptr : &own, scheduler_stack, scheduler_bytes);
  ::swapcontext(&fiber.context, &scheduler_context_);
  __sanitizer_finish_switch_fiber(own, &scheduler_stack, &scheduler_bytes);
}

#else

// After its start, a fiber is changed to by longjmp: swapcontext makes a system call each time.
FiberPool::State FiberPool::resume(int index) {
  Fiber& fiber = fibers_[static_cast<size_t>(index)];
  active = this;
  current_ = index;
  if (_setjmp(scheduler_) == 0) {
    if (std::exchange(fiber.started, true)) {
      _longjmp(fiber.place, 1);
    } else {
      ::setcontext(&fiber.context);
    }
  }
  if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
  return fibers_[static_cast<size_t>(current_)].state;
}

void FiberPool::leave(Fiber& fiber) {
  if (_setjmp(fiber.place) == 0) _longjmp(scheduler_, 1);
}

#endif

void FiberPool::wait(State state) {
  Fiber& fiber = fibers_[static_cast<size_t>(current_)];
  fiber.state = state;
  leave(fiber);
}

}  // namespace laconic::cuda
