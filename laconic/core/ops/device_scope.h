// The device operations of another device on the CPU's tensors: for tests, whose devices are emulated there.
#pragma once

#include "laconic/core/ops/device_ops.h"

namespace laconic::ops {

// While it lives, `ops` computes on the CPU's tensors, as ReferenceScope has it of the reference. It outlives the
// scope.
class DeviceScope {
 public:
  explicit DeviceScope(const DeviceOps& ops);
  ~DeviceScope();
  DeviceScope(const DeviceScope&) = delete;
  DeviceScope& operator=(const DeviceScope&) = delete;
};

}  // namespace laconic::ops
