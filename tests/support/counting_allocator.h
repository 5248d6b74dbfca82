// Counts the bytes of CPU tensors that live on a thread's account: the account of the thread that allocated them.
#pragma once

#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <unordered_map>

namespace laconic {

// Bytes that live now and at most so far; a tensor may end on another thread than it began on.
class MemoryAccount {
 public:
  void add(int64_t bytes) {
    const int64_t now = live_.fetch_add(bytes) + bytes;
    int64_t peak = peak_.load();
    while (now > peak && !peak_.compare_exchange_weak(peak, now)) {
    }
  }
  int64_t live() const { return live_.load(); }
  int64_t peak() const { return peak_.load(); }
  void reset_peak() { peak_.store(live_.load()); }

 private:
  std::atomic<int64_t> live_ = 0, peak_ = 0;
};

// While it lives, tensors that this thread makes are on its account.
class CountedThread {
 public:
  CountedThread() {
    install();
    current() = account_;
  }
  ~CountedThread() { current().reset(); }
  CountedThread(const CountedThread&) = delete;
  CountedThread& operator=(const CountedThread&) = delete;
  MemoryAccount& account() { return *account_; }

 private:
  static std::shared_ptr<MemoryAccount>& current() {
    thread_local std::shared_ptr<MemoryAccount> account;
    return account;
  }

  // Memory of the ordinary allocator. Whose account a block is on is kept beside it, so that a block is its own
  // context: libraries below LibTorch ask for bare memory (raw_allocate) and give it back by its address.
  class Counting final : public c10::Allocator {
   public:
    explicit Counting(c10::Allocator* ordinary) : ordinary_(ordinary) {}
    c10::DataPtr allocate(size_t bytes) override {
      auto memory = ordinary_->allocate(bytes);
      if (!current() || memory.get() == nullptr) return memory;
      const auto device = memory.device();
      void* data = memory.release_context();
      current()->add(static_cast<int64_t>(bytes));
      const std::lock_guard lock(mutex_);
      blocks_[data] = {bytes, current()};
      return {data, data, &Counting::give_back, device};
    }
    c10::DeleterFnPtr raw_deleter() const override { return &Counting::give_back; }
    void copy_data(void* to, const void* from, size_t bytes) const override { default_copy_data(to, from, bytes); }

   private:
    struct Block {
      size_t bytes = 0;
      std::shared_ptr<MemoryAccount> account;
    };

    static void give_back(void* data) {
      auto& self = counting();
      {
        const std::lock_guard lock(self.mutex_);
        const auto block = self.blocks_.find(data);
        if (block != self.blocks_.end()) {
          block->second.account->add(-static_cast<int64_t>(block->second.bytes));
          self.blocks_.erase(block);
        }
      }
      self.ordinary_->raw_deallocate(data);
    }

    c10::Allocator* ordinary_;
    std::mutex mutex_;
    std::unordered_map<void*, Block> blocks_;
  };

  static Counting& counting() {
    static Counting counting(c10::GetCPUAllocator());
    return counting;
  }

  static void install() {
    static const bool installed = [] {
      c10::SetCPUAllocator(&counting(), /*priority=*/100);
      return true;
    }();
    static_cast<void>(installed);
  }

  std::shared_ptr<MemoryAccount> account_ = std::make_shared<MemoryAccount>();
};

}  // namespace laconic
