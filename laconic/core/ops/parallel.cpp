#include "laconic/core/ops/parallel.h"

#include <ATen/Parallel.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "laconic/core/base/error.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace laconic::ops {
namespace {

constexpr int kSpins = 4000;  // about 50 microseconds

void relax() {
#if defined(__x86_64__)
  _mm_pause();
#else
  std::this_thread::yield();
#endif
}

// Waits until `value` is no longer `old`: a short spin, then asleep.
uint32_t wait_for_change(const std::atomic<uint32_t>& value, uint32_t old) {
  for (int i = 0; i < kSpins; ++i) {
    const uint32_t now = value.load(std::memory_order_acquire);
    if (now != old) return now;
    relax();
  }
  value.wait(old, std::memory_order_acquire);
  return value.load(std::memory_order_acquire);
}

class Team {
 public:
  explicit Team(int threads) {
    for (int i = 1; i < threads; ++i) workers_.emplace_back([this] { work(); });
  }
  ~Team() {
    stopping_.store(true);
    wake_.fetch_add(1);
    wake_.notify_all();
    for (auto& worker : workers_) worker.join();
  }
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;

  int size() const { return static_cast<int>(workers_.size()) + 1; }

  // Workers that wake up too late are not waited for: the job is over when its tasks are done.
  void run(int64_t tasks, const std::function<void(int64_t)>& body) {
    const uint64_t round = (state_.load(std::memory_order_relaxed) >> 32) + 1;
    body_.store(&body, std::memory_order_relaxed);
    unfinished_.store(static_cast<uint32_t>(tasks), std::memory_order_relaxed);
    limit_.store(round << 32 | static_cast<uint64_t>(tasks), std::memory_order_release);
    state_.store(round << 32, std::memory_order_release);
    wake_.fetch_add(1, std::memory_order_release);
    wake_.notify_all();
    take_tasks();
    for (uint32_t left = unfinished_.load(std::memory_order_acquire); left != 0;) {
      left = wait_for_change(unfinished_, left);
    }
    if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
  }

  static thread_local bool inside;

 private:
  // The next task of the job in progress, or nothing. A claimed task keeps its job, and with it body_, alive.
  std::optional<int64_t> claim() {
    uint64_t state = state_.load(std::memory_order_acquire);
    for (;;) {
      const uint64_t limit = limit_.load(std::memory_order_acquire);
      const bool same_round = limit >> 32 == state >> 32;
      if (same_round && (state & kIndex) >= (limit & kIndex)) return std::nullopt;
      if (!same_round) {
        const uint64_t now = state_.load(std::memory_order_acquire);
        if (now == state) return std::nullopt;  // a job is being set up; its wake-up is still to come
        state = now;
      } else if (state_.compare_exchange_weak(state, state + 1, std::memory_order_acq_rel)) {
        return static_cast<int64_t>(state & kIndex);
      }
    }
  }

  void take_tasks() {
    inside = true;
    while (const auto task = claim()) {
      try {
        (*body_.load(std::memory_order_relaxed))(*task);
      } catch (...) {
        const std::lock_guard lock(error_mutex_);
        if (!error_) error_ = std::current_exception();
      }
      if (unfinished_.fetch_sub(1, std::memory_order_acq_rel) == 1) unfinished_.notify_all();
    }
    inside = false;
  }

  void work() {
    at::set_num_threads(1);
    uint32_t seen = 0;
    for (;;) {
      seen = wait_for_change(wake_, seen);
      if (stopping_.load()) return;
      take_tasks();
    }
  }

  static constexpr uint64_t kIndex = 0xFFFFFFFFu;
  std::vector<std::thread> workers_;
  std::atomic<uint64_t> state_{0};  // round << 32 | next task
  std::atomic<uint64_t> limit_{0};  // round << 32 | number of tasks
  std::atomic<const std::function<void(int64_t)>*> body_{nullptr};
  std::atomic<uint32_t> unfinished_{0};
  std::atomic<uint32_t> wake_{0};
  std::atomic<bool> stopping_{false};
  std::mutex error_mutex_;
  std::exception_ptr error_;
};

thread_local bool Team::inside = false;

// Process-wide, like LibTorch's own threads.
struct Shared {
  std::mutex mutex;  // held while a job runs
  std::unique_ptr<Team> team;
  std::atomic<int> size{0};  // of the team, 0 before there is one; read without the mutex, so that tasks may ask
};

int usable_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  return std::max(1, CPU_COUNT(&set));
}

Shared& shared() {
  static Shared instance;
  return instance;
}

Team& team_of(Shared& s) {
  if (!s.team) {
    at::set_num_threads(1);
    s.team = std::make_unique<Team>(usable_cores());
    s.size = s.team->size();
  }
  return *s.team;
}

}  // namespace

void set_threads(int threads) {
  LACONIC_CHECK(threads >= 0, "threads must be at least 0");
  auto& s = shared();
  const std::lock_guard lock(s.mutex);
  at::set_num_threads(1);
  const int wanted = threads == 0 ? usable_cores() : threads;
  if (!s.team || s.team->size() != wanted) {
    s.team.reset();
    s.team = std::make_unique<Team>(wanted);
    s.size = wanted;
  }
}

int threads() {
  auto& s = shared();
  if (const int size = s.size; size > 0) return size;
  const std::lock_guard lock(s.mutex);
  return team_of(s).size();
}

void parallel_tasks(int64_t tasks, const std::function<void(int64_t)>& body) {
  if (tasks > 1 && !Team::inside) {
    auto& s = shared();
    const std::unique_lock lock(s.mutex, std::try_to_lock);
    if (lock.owns_lock() && team_of(s).size() > 1) {
      s.team->run(tasks, body);
      return;
    }
  }
  for (int64_t i = 0; i < tasks; ++i) body(i);
}

void parallel_pieces(int64_t n, int64_t piece, const std::function<void(int64_t, int64_t)>& body) {
  parallel_tasks((n + piece - 1) / piece, [&](int64_t i) { body(i * piece, std::min(n, (i + 1) * piece)); });
}

}  // namespace laconic::ops
