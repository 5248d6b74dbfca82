// Memory of the emulation: ends where a protected page begins, so that a kernel that reads or writes too far is seen.
#include "tests/cuda/device.h"

#include <sys/mman.h>

#include <cstdint>
#include <cstring>
#include <new>

#include "tests/cuda/emulation/emulated_block.h"

namespace laconic::cuda {
namespace {

constexpr size_t kPage = 4096;

size_t inner_bytes(size_t bytes) {
  return (bytes + kPage - 1) / kPage * kPage;
}

}  // namespace

void* device_allocate(size_t bytes) {
  const size_t inner = inner_bytes(bytes);
  void* base = ::mmap(nullptr, inner + kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (base == MAP_FAILED) throw std::bad_alloc();
  auto* begin = static_cast<std::byte*>(base);
  if (::mprotect(begin + inner, kPage, PROT_NONE) != 0) throw std::bad_alloc();
  return begin + inner - bytes;
}

void device_free(void* p, size_t bytes) {
  const size_t inner = inner_bytes(bytes);
  ::munmap(static_cast<std::byte*>(p) + bytes - inner, inner + kPage);
}

void device_write(void* p, const void* from, size_t bytes) {
  if (bytes > 0) std::memcpy(p, from, bytes);
}

void device_read(void* to, const void* p, size_t bytes) {
  if (bytes > 0) std::memcpy(to, p, bytes);
}

void for_each_run(const std::function<void()>& body) {
  for (const auto order : {ThreadOrder::ascending, ThreadOrder::descending, ThreadOrder::scattered}) {
    set_thread_order(order);
    body();
  }
  set_thread_order(ThreadOrder::ascending);
}

}  // namespace laconic::cuda
