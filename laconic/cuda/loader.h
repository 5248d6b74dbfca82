// Opens the CUDA side. Ask LibTorch nothing about CUDA before: it remembers the answer for the whole process.
#pragma once

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

}  // namespace laconic::cuda
