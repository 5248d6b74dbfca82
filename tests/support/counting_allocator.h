// Counts the bytes of CPU tensors that live on a thread's account: the account of the thread that allocated them.
#pragma once

#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <utility>

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

  // A block of the ordinary allocator, and whose account it is on.
  struct Block {
    c10::DataPtr data;
    size_t bytes;
    std::shared_ptr<MemoryAccount> account;
    Block(c10::DataPtr memory, size_t size, std::shared_ptr<MemoryAccount> whose)
        : data(std::move(memory)), bytes(size), account(std::move(whose)) {
      account->add(static_cast<int64_t>(bytes));
    }
    ~Block() { account->add(-static_cast<int64_t>(bytes)); }
    Block(const Block&) = delete;
    Block& operator=(const Block&) = delete;
  };

  class Counting final : public c10::Allocator {
   public:
    explicit Counting(c10::Allocator* ordinary) : ordinary_(ordinary) {}
    c10::DataPtr allocate(size_t bytes) override {
      if (!current()) return ordinary_->allocate(bytes);
      auto block = std::make_unique<Block>(ordinary_->allocate(bytes), bytes, current());
      void* data = block->data.get();
      const auto device = block->data.device();
      return {data, block.release(), [](void* context) { delete static_cast<Block*>(context); }, device};
    }
    void copy_data(void* to, const void* from, size_t bytes) const override { default_copy_data(to, from, bytes); }

   private:
    c10::Allocator* ordinary_;
  };

  static void install() {
    static Counting counting(c10::GetCPUAllocator());
    static const bool installed = [] {
      c10::SetCPUAllocator(&counting, /*priority=*/100);
      return true;
    }();
    static_cast<void>(installed);
  }

  std::shared_ptr<MemoryAccount> account_ = std::make_shared<MemoryAccount>();
};

}  // namespace laconic
