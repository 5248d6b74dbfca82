#include "laconic/core/ops/upload.h"

#include <ATen/ATen.h>

#include <cstring>

namespace laconic::ops {
namespace {

constexpr size_t kAlignment = 16;

}  // namespace

size_t Upload::add_bytes(const void* data, size_t bytes) {
  const size_t begin = (staged_.size() + kAlignment - 1) / kAlignment * kAlignment;
  staged_.resize(begin + bytes);
  if (bytes > 0) std::memcpy(staged_.data() + begin, data, bytes);
  offsets_.push_back(begin);
  return offsets_.size() - 1;
}

// LibTorch gives pinned memory to somebody else only after the copies out of it.
at::Tensor Upload::on_host(at::Device device) const {
  auto host = at::empty({bytes()}, at::TensorOptions().dtype(at::kByte).pinned_memory(device.is_cuda()));
  if (!staged_.empty()) std::memcpy(host.mutable_data_ptr(), staged_.data(), staged_.size());
  return host;
}

void Upload::send(at::Device device) {
  sent_ = on_host(device).to(device, /*non_blocking=*/true);
}

void Upload::send(const at::Tensor& target) {
  sent_ = target;
  target.narrow(0, 0, bytes()).copy_(on_host(target.device()), /*non_blocking=*/true);
}

at::Tensor Upload::get(size_t place, at::IntArrayRef sizes, at::ScalarType type) const {
  const auto size = static_cast<int64_t>(c10::multiply_integers(sizes) * c10::elementSize(type));
  return sent_.narrow(0, static_cast<int64_t>(offsets_[place]), size).view(type).view(sizes);
}

}  // namespace laconic::ops
