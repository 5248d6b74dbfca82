// What there is of NVIDIA GPUs, found out without linking anything of CUDA: the libraries are opened where they exist.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace laconic::cli {

struct Gpu {
  std::string name;
  int64_t memory_bytes = 0;
  int compute_major = 0, compute_minor = 0;
};

struct GpuProbe {
  std::string problem;  // why no GPU can be used; "" where there is at least one
  int driver_cuda = 0;  // newest CUDA version of the driver, 12040 = 12.4; 0 = unknown
  std::vector<Gpu> gpus;
};
GpuProbe probe_gpus();

// "2.21.5" where libnccl.so.2 can be opened.
std::optional<std::string> nccl_version();

std::string cuda_version_text(int version);  // "12.4"

}  // namespace laconic::cli
