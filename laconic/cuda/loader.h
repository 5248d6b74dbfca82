// Opens the CUDA side. Ask LibTorch nothing about CUDA before: it remembers the answer for the whole process.
#pragma once

#include <c10/core/Device.h>

#include <filesystem>

#include "laconic/cuda/plugin.h"

namespace laconic::cuda {

// Beside the program, or in the lib folder of its prefix; an Error of kind unsupported says how to get one.
std::filesystem::path plugin_path();

// Opens the library, once per process. One that cannot be opened, or was built from other sources, is an Error of kind
// unsupported that says why.
const Plugin& load_plugin(const std::filesystem::path& path);

// The CUDA side with a device to work on, or an Error of kind unsupported: not built, no driver, no device.
const Plugin& require_cuda();

// This process computes on GPU `index` from now on, on this thread, with the plug-in's kernels behind the device
// operations (ops/device_ops.h). Once; the same index again does nothing. An index that is not there is an Error of
// kind usage that says how many there are.
void use_device(int index);
// The GPU of this process; the first one where use_device() has not chosen yet.
at::Device device();
// Bytes of its memory that nobody has taken.
int64_t free_memory();

}  // namespace laconic::cuda
