// The device of the kernel tests: the emulation in test_cuda, a GPU in test_cuda_gpu. The tests are the same.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

namespace laconic::cuda {

void* device_allocate(size_t bytes);  // the end of the memory lies as close as possible before memory that is not there
void device_free(void* p, size_t bytes);
void device_write(void* p, const void* from, size_t bytes);
void device_read(void* to, const void* p, size_t bytes);  // after all kernels

// Calls body once for each order of threads of the emulation; twice on a GPU.
void for_each_run(const std::function<void()>& body);

// Values on the device.
template <typename T>
class DeviceArray {
 public:
  explicit DeviceArray(const std::vector<T>& values) : count_(values.size()), data_(device_allocate(bytes())) {
    device_write(data_, values.data(), bytes());
  }
  explicit DeviceArray(size_t count, T value = T{}) : DeviceArray(std::vector<T>(count, value)) {}
  ~DeviceArray() { device_free(data_, bytes()); }
  DeviceArray(const DeviceArray&) = delete;
  DeviceArray& operator=(const DeviceArray&) = delete;

  T* data() { return static_cast<T*>(data_); }
  std::vector<T> values() const {
    std::vector<T> result(count_);
    device_read(result.data(), data_, bytes());
    return result;
  }

 private:
  size_t bytes() const { return count_ * sizeof(T); }

  size_t count_;
  void* data_;
};

}  // namespace laconic::cuda
