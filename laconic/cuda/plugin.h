// The CUDA side as the program sees it: a shared library that is opened only where CUDA is wanted, so that everything
// else starts fast and runs on machines without a GPU.
#pragma once

extern "C" {

// CUDA devices that LibTorch can use in this process; 0 without a driver or a GPU.
int laconic_cuda_device_count();

// NCCL's version, 22809 = 2.28.9.
int laconic_cuda_nccl_version();
}
