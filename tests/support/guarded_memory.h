// Memory between two protected pages: a kernel that reads or writes one element too far ends the test.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <new>

namespace laconic {

template <typename T>
class GuardedMemory {
 public:
  explicit GuardedMemory(int64_t capacity) {
    const auto page = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
    inner_ = (static_cast<size_t>(capacity) * sizeof(T) + page - 1) / page * page;
    bytes_ = inner_ + 2 * page;
    void* address = ::mmap(nullptr, bytes_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (address == MAP_FAILED) throw std::bad_alloc();
    base_ = static_cast<std::byte*>(address);
    if (::mprotect(base_ + page, inner_, PROT_READ | PROT_WRITE) != 0) throw std::bad_alloc();
    begin_ = base_ + page;
  }
  ~GuardedMemory() { ::munmap(base_, bytes_); }
  GuardedMemory(const GuardedMemory&) = delete;
  GuardedMemory& operator=(const GuardedMemory&) = delete;

  // The last `n` elements before the upper guard, less `gap`: the address has the alignment of T, not of a vector.
  T* last(int64_t n, int64_t gap = 0) const { return reinterpret_cast<T*>(begin_ + inner_) - n - gap; }
  // The first elements behind the lower guard.
  T* first() const { return reinterpret_cast<T*>(begin_); }

 private:
  std::byte* base_ = nullptr;
  std::byte* begin_ = nullptr;
  size_t inner_ = 0, bytes_ = 0;
};

}  // namespace laconic
