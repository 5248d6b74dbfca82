// Small arrays of a step on their way to a device: gathered on the host, brought over by one asynchronous copy out of
// pinned memory.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <vector>

namespace laconic::ops {

class Upload {
 public:
  // Returns the place of the array, which may be overwritten on the host until send().
  template <typename T>
  size_t add(const std::vector<T>& values) {
    return add_bytes(values.data(), values.size() * sizeof(T));
  }
  size_t add(const at::Tensor& bytes) { return add_bytes(bytes.const_data_ptr(), bytes.nbytes()); }

  // To new memory, or to the front of `target` (uint8, on the device), which keeps its address. Does not wait.
  void send(at::Device device);
  void send(const at::Tensor& target);

  // After send(): the array on the device.
  at::Tensor get(size_t place, at::IntArrayRef sizes, at::ScalarType type) const;
  int64_t bytes() const { return static_cast<int64_t>(staged_.size()); }

 private:
  size_t add_bytes(const void* data, size_t bytes);
  at::Tensor on_host(at::Device device) const;

  std::vector<std::byte> staged_;
  std::vector<size_t> offsets_;
  at::Tensor sent_;  // uint8
};

}  // namespace laconic::ops
