// A fixed set of worker threads for CPU work beside the tensor code (rewards, file writing).
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace laconic {

class ThreadPool {
 public:
  explicit ThreadPool(int threads);
  ~ThreadPool();  // finishes what was submitted
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  // Runs `work` on a worker; its exception, if any, is delivered by the future.
  template <typename F>
  auto submit(F work) -> std::future<std::invoke_result_t<F>> {
    // shared_ptr: std::function must be copyable, a packaged_task is not.
    auto task = std::make_shared<std::packaged_task<std::invoke_result_t<F>()>>(std::move(work));
    auto result = task->get_future();
    enqueue([task] { (*task)(); });
    return result;
  }

 private:
  void enqueue(std::function<void()> work);
  void work_loop();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> queue_;
  bool stopping_ = false;
  std::vector<std::thread> workers_;
};

}  // namespace laconic
