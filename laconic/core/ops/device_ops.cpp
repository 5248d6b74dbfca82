#include "laconic/core/ops/device_ops.h"

#include <ATen/ATen.h>

#include <utility>

#include "laconic/core/base/error.h"
#include "laconic/core/ops/device_scope.h"
#include "laconic/core/ops/reference_ops.h"

namespace laconic::ops {
namespace {

const ReferenceOps& reference() {
  static const ReferenceOps ops;
  return ops;
}

// Process-wide, because the backward pass of a device runs on a thread of LibTorch's. Set before work begins.
struct Route {
  const DeviceOps* cpu = nullptr;
  std::unique_ptr<const DeviceOps> device;
};

Route& route() {
  static Route route;
  return route;
}

constexpr int64_t kIdBytes = 8, kFloatBytes = 4;

}  // namespace

const DeviceOps* device_ops(at::Device device) {
  if (device.is_cpu()) return route().cpu;
  return route().device ? route().device.get() : &reference();
}

at::ScalarType activation_dtype(at::Device device, at::ScalarType dtype) {
  return device_ops(device) == nullptr ? at::kFloat : dtype;
}

void install_device_ops(std::unique_ptr<const DeviceOps> ops) {
  route().device = std::move(ops);
}

std::unique_ptr<StepGraphs> ReferenceOps::make_graphs() const {
  class PlainSteps final : public StepGraphs {
   public:
    void run(int64_t /*key*/, const std::function<void()>& step) override { step(); }
    void clear() override {}
  };
  return std::make_unique<PlainSteps>();
}

DeviceScope::DeviceScope(const DeviceOps& ops) {
  LACONIC_CHECK(route().cpu == nullptr, "one scope at a time");
  route().cpu = &ops;
}

DeviceScope::~DeviceScope() {
  route().cpu = nullptr;
}

ReferenceScope::ReferenceScope() {
  LACONIC_CHECK(route().cpu == nullptr, "one scope at a time");
  route().cpu = &reference();
}

ReferenceScope::~ReferenceScope() {
  route().cpu = nullptr;
}

SampledRows SampledRows::make(int64_t rows, bool want_entropy, const at::TensorOptions& where) {
  SampledRows result;
  const int64_t floats = want_entropy ? 2 : 1;
  result.bytes = at::empty({rows * (kIdBytes + floats * kFloatBytes + 1)}, where.dtype(at::kByte));
  int64_t at = 0;
  const auto take = [&](int64_t bytes, at::ScalarType type) {
    auto part = result.bytes.narrow(0, at, rows * bytes).view(type);
    at += rows * bytes;
    return part;
  };
  result.ids = take(kIdBytes, at::kLong);
  result.logprob = take(kFloatBytes, at::kFloat);
  if (want_entropy) result.entropy = take(kFloatBytes, at::kFloat);
  result.finite = take(1, at::kByte);
  return result;
}

SampledRows SampledRows::rows(int64_t begin, int64_t count) const {
  SampledRows part;
  part.ids = ids.narrow(0, begin, count);
  part.logprob = logprob.narrow(0, begin, count);
  if (entropy.defined()) part.entropy = entropy.narrow(0, begin, count);
  part.finite = finite.narrow(0, begin, count);
  return part;
}

SampledRows SampledRows::on_host() const {
  if (bytes.is_cpu()) return *this;
  auto host = make(ids.numel(), entropy.defined(), at::TensorOptions().device(at::kCPU).pinned_memory(true));
  host.bytes.copy_(bytes);
  return host;
}

}  // namespace laconic::ops
