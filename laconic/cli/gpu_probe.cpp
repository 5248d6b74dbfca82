#include "laconic/cli/gpu_probe.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <memory>

namespace laconic::cli {
namespace {

struct CloseLibrary {
  void operator()(void* handle) const { ::dlclose(handle); }
};
using Library = std::unique_ptr<void, CloseLibrary>;

Library open_library(const char* name) {
  return Library(::dlopen(name, RTLD_NOW | RTLD_LOCAL));
}

template <typename Function>
Function* symbol(const Library& library, const char* name) {
  return reinterpret_cast<Function*>(::dlsym(library.get(), name));
}

// The few functions of the driver's interface that are needed; a CUdevice is an int, success is 0. Every driver since
// CUDA 5 has the `_v2` name.
struct Driver {
  int (*init)(unsigned flags) = nullptr;
  int (*version)(int* version) = nullptr;
  int (*count)(int* count) = nullptr;
  int (*get)(int* device, int ordinal) = nullptr;
  int (*name)(char* name, int length, int device) = nullptr;
  int (*memory)(size_t* bytes, int device) = nullptr;
  int (*attribute)(int* value, int attribute, int device) = nullptr;
  int (*error_text)(int error, const char** text) = nullptr;

  explicit Driver(const Library& library)
      : init(symbol<int(unsigned)>(library, "cuInit")),
        version(symbol<int(int*)>(library, "cuDriverGetVersion")),
        count(symbol<int(int*)>(library, "cuDeviceGetCount")),
        get(symbol<int(int*, int)>(library, "cuDeviceGet")),
        name(symbol<int(char*, int, int)>(library, "cuDeviceGetName")),
        memory(symbol<int(size_t*, int)>(library, "cuDeviceTotalMem_v2")),
        attribute(symbol<int(int*, int, int)>(library, "cuDeviceGetAttribute")),
        error_text(symbol<int(int, const char**)>(library, "cuGetErrorString")) {}

  bool complete() const {
    return init != nullptr && version != nullptr && count != nullptr && get != nullptr && name != nullptr &&
           memory != nullptr && attribute != nullptr && error_text != nullptr;
  }
};

std::string error_text(const Driver& driver, int error) {
  const char* text = nullptr;
  driver.error_text(error, &text);
  return fmt::format("{} (CUDA error {})", text != nullptr ? text : "unknown", error);
}

Gpu read_gpu(const Driver& driver, int ordinal) {
  constexpr int kComputeMajor = 75, kComputeMinor = 76;  // CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_*
  Gpu gpu;
  int device = 0;
  if (driver.get(&device, ordinal) != 0) return gpu;
  char name[256] = {};
  if (driver.name(name, sizeof name - 1, device) == 0) gpu.name = name;
  size_t bytes = 0;
  if (driver.memory(&bytes, device) == 0) gpu.memory_bytes = static_cast<int64_t>(bytes);
  driver.attribute(&gpu.compute_major, kComputeMajor, device);
  driver.attribute(&gpu.compute_minor, kComputeMinor, device);
  return gpu;
}

}  // namespace

GpuProbe probe_gpus() {
  GpuProbe probe;
  const Library library = open_library("libcuda.so.1");
  if (!library) {
    probe.problem = "no CUDA driver (libcuda.so.1 is not found)";
    return probe;
  }
  const Driver driver(library);
  if (!driver.complete()) {
    probe.problem = "the CUDA driver lacks functions that every driver should have; it is damaged or very old";
    return probe;
  }
  driver.version(&probe.driver_cuda);
  if (const int error = driver.init(0); error != 0) {
    probe.problem = "the CUDA driver does not start: " + error_text(driver, error);
    return probe;
  }
  int count = 0;
  if (const int error = driver.count(&count); error != 0) {
    probe.problem = "the CUDA driver cannot count its devices: " + error_text(driver, error);
    return probe;
  }
  for (int i = 0; i < count; ++i) probe.gpus.push_back(read_gpu(driver, i));
  if (count == 0) probe.problem = "the CUDA driver sees no GPU (is CUDA_VISIBLE_DEVICES empty?)";
  return probe;
}

std::optional<std::string> nccl_version() {
  const Library library = open_library("libnccl.so.2");
  if (!library) return std::nullopt;
  const auto version = symbol<int(int*)>(library, "ncclGetVersion");
  int code = 0;
  if (version == nullptr || version(&code) != 0) return "unknown";
  // 21803 since version 2.9, 2804 before.
  if (code >= 10000) return fmt::format("{}.{}.{}", code / 10000, code / 100 % 100, code % 100);
  return fmt::format("{}.{}.{}", code / 1000, code / 100 % 10, code % 100);
}

std::string cuda_version_text(int version) {
  return fmt::format("{}.{}", version / 1000, version % 1000 / 10);
}

}  // namespace laconic::cli
